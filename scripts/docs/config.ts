/** Writes docs/config.md and config/schema.json from the schema; `--check` only says whether they are stale. */
import { readFileSync, writeFileSync } from "node:fs";
import { configJsonSchema, configPage } from "../../config/keys/reference.ts";

const outputs: readonly (readonly [string, string])[] = [
  ["docs/config.md", configPage()],
  ["config/schema.json", `${JSON.stringify(configJsonSchema(), null, 2)}\n`],
];

for (const [path, text] of outputs) {
  const file = new URL(`../../${path}`, import.meta.url);
  if (process.argv.includes("--check")) {
    if (readFileSync(file, "utf8") !== text) {
      console.error(`${path} is stale: run node scripts/docs/config.ts`);
      process.exitCode = 1;
    }
  } else writeFileSync(file, text);
}
