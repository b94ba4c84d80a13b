#!/usr/bin/env node
// The published command: hands over to the TypeScript sources on a Node that can run them.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cli = join(root, "src", "cli.ts");
const pinned = join(root, "node_modules", ".bin", "node");
if (Number(process.versions.node.split(".")[0]) >= 24) {
  await import(cli);
} else {
  const node = existsSync(pinned) ? pinned : "node";
  const result = spawnSync(node, [cli, ...process.argv.slice(2)], { stdio: "inherit" });
  process.exit(result.status ?? 1);
}
