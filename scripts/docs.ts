/**
 * Writes every generated page of docs/; `--check` only says which are stale (exit 1).
 *
 * A file in scripts/docs/ either exports `path` and `render()`, or does the same work by itself when
 * it is imported, reading `--check` from the arguments.
 */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";

const root = new URL("../", import.meta.url);
const folder = new URL("scripts/docs/", root);

for (const name of readdirSync(folder).sort()) {
  const page = (await import(new URL(name, folder).href)) as {
    readonly path?: string;
    readonly render?: () => string;
  };
  if (page.path === undefined || page.render === undefined) continue;
  const file = new URL(page.path, root);
  const text = page.render();
  if (!process.argv.includes("--check")) writeFileSync(file, text);
  else if (readFileSync(file, "utf8") !== text) {
    console.error(`${page.path} is stale: run node scripts/docs.ts`);
    process.exitCode = 1;
  }
}
