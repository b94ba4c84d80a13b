// Makes a fresh clone ready: installs the locked packages when they are missing or stale.
// Plain JavaScript for any Node >= 20, because it runs before the pinned Node exists.
// `--test` also checks that the real servers the tests use are there. When nothing changed it
// only reads two small files, so that `npm start` pays less than 200 ms.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const stampFile = join(modules, ".setup-stamp");

const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");

const isInstalled = () =>
  existsSync(stampFile) &&
  readFileSync(stampFile, "utf8") === wanted &&
  existsSync(join(modules, ".bin", process.platform === "win32" ? "node.cmd" : "node"));

if (!isInstalled()) {
  console.error("paceline: installing packages (npm ci) ...");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const result = spawnSync(npm, ["ci", "--no-audit", "--no-fund"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (result.status !== 0) {
    console.error(`paceline: npm ci failed with exit code ${result.status ?? result.signal}`);
    process.exit(result.status ?? 1);
  }
  const probe = spawnSync(join(modules, ".bin", "node"), ["--version"], { encoding: "utf8" });
  if (probe.status !== 0 || !probe.stdout.startsWith("v24.")) {
    console.error(
      `paceline: the pinned Node 24 does not run (${probe.error?.message ?? probe.stderr ?? probe.stdout}); ` +
        "npm may have skipped its install script: run `npm rebuild node`",
    );
    process.exit(1);
  }
  writeFileSync(stampFile, wanted);
}
