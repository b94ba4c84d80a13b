#!/usr/bin/env node
// The published command. From the repository it hands over to the TypeScript sources, on a Node that
// can run them; from the package, which has none, to the JavaScript built from them.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, "src", "cli.ts");
const built = join(root, "dist", "src", "cli.js");
const pinned = join(root, "node_modules", ".bin", "node");
const major = Number(process.versions.node.split(".")[0]);
// On before the first TypeScript file is met: a start that finds every file in the cache never loads
// the compiler that strips types.
const useCompileCache = (folder) => module.enableCompileCache?.(folder);
if (!existsSync(source)) {
  if (major < 22) {
    console.error(
      `paceline: the gateway runs on Node 22 and later, this is ${process.versions.node} ` +
        "(the library paceline/otp also runs on 20)",
    );
    process.exit(1);
  }
  useCompileCache();
  await import(built);
} else if (major >= 24) {
  useCompileCache(join(root, "node_modules", ".cache", "compile"));
  await import(source);
} else {
  const node = existsSync(pinned) ? pinned : "node";
  const result = spawnSync(node, [source, ...process.argv.slice(2)], { stdio: "inherit" });
  process.exit(result.status ?? 1);
}
