// Makes the packed package differ from the repository: Node runs TypeScript sources, but not below
// node_modules, so the tarball ships JavaScript with declarations, and its manifest points there.
//
// `prepack` builds dist/ and swaps package.json; `postpack` swaps it back and removes dist/, which the
// repository never reads. An interrupted pack leaves both behind, with the original manifest in dist/;
// the next run of either restores it first.
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");
const manifestFile = join(root, "package.json");
const originalFile = join(dist, ".package.json.original");

/** Where the tarball's importers find what the repository exports as source. */
const EXPORTS = {
  "./otp": { types: "./dist/src/otp/index.d.ts", default: "./dist/src/otp/index.js" },
  "./pairing": {
    types: "./dist/src/main/pairing/library.d.ts",
    default: "./dist/src/main/pairing/library.js",
  },
  "./package.json": "./package.json",
};
/** Read at run time by URL relative to the code that reads them. */
const DATA = ["config/demo.yml", "config/schema.json"];

const restore = () => {
  if (existsSync(originalFile)) copyFileSync(originalFile, manifestFile);
  rmSync(dist, { recursive: true, force: true });
};

const run = (command, args) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
};

const build = () => {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  if (!existsSync(tsc)) run(process.execPath, [join(root, "scripts", "setup.mjs")]);
  run(process.execPath, [tsc, "-p", "tsconfig.build.json"]);
  for (const path of DATA) cpSync(join(root, path), join(dist, path));
};

const swap = () => {
  const text = readFileSync(manifestFile, "utf8");
  const {
    scripts: _scripts,
    devDependencies: _dev,
    allowScripts: _allow,
    ...rest
  } = JSON.parse(text);
  writeFileSync(originalFile, text);
  const { name, version } = rest;
  // Code in dist/ looks for the manifest as many folders above itself as in the sources.
  writeFileSync(
    join(dist, "package.json"),
    `${JSON.stringify({ name, version, type: "module" })}\n`,
  );
  writeFileSync(manifestFile, `${JSON.stringify({ ...rest, exports: EXPORTS }, null, 2)}\n`);
};

restore();
if (process.argv[2] === "prepack") {
  build();
  swap();
}
