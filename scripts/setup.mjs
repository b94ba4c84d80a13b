// Makes a fresh clone ready: installs the locked packages when they are missing or stale.
// Plain JavaScript for any Node >= 20, because it runs before the pinned Node exists.
// `--test` also installs the real servers that tests use and npm cannot bring: Erlang, the judge of
// src/otp, Redis and PostgreSQL. When nothing changed it only reads two small files, so that `npm start` pays
// less than 200 ms.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
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
  const result = spawnSync(npm, ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
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

const onPath = (command) =>
  (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, command)));

/** Debian keeps the server's programs off the path, below its major version. */
const hasPostgres = () => {
  const folder = "/usr/lib/postgresql";
  const versions = existsSync(folder) ? readdirSync(folder) : [];
  return (
    onPath("postgres") ||
    versions.some((version) => existsSync(join(folder, version, "bin", "postgres")))
  );
};

/** Debian's packages that tests use, and what shows that one is there. */
const DEBIAN_PACKAGES = [
  { name: "erlang-base", isThere: () => onPath("erl") },
  { name: "redis-server", isThere: () => onPath("redis-server") },
  { name: "postgresql", isThere: hasPostgres },
];
const APT_TIMEOUT_MS = 300_000;

/** Where this may not be done the tests say what they skip, or fail with CI=true. */
const mayInstall = () =>
  process.getuid?.() === 0 && existsSync("/etc/debian_version") && onPath("apt-get");

const apt = (...args) =>
  spawnSync("apt-get", ["-qq", ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", 2, 2],
    timeout: APT_TIMEOUT_MS,
  }).status === 0;

if (process.argv.includes("--test")) {
  for (const { name, isThere } of DEBIAN_PACKAGES) {
    if (isThere() || !mayInstall()) continue;
    console.error(`paceline: installing ${name} (apt-get) ...`);
    const install = () => apt("install", "-y", "--no-install-recommends", name);
    // Package lists may be there already; a fresh image has none.
    if (!install() && !(apt("update") && install())) {
      console.error(`paceline: ${name} could not be installed; tests that need it are skipped`);
    }
  }
}
