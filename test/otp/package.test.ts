/** The packed package: what `npm pack` makes of the repository works where it is installed. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Child } from "../support/child.ts";
import { root } from "./snippets.ts";

/** What stays behind: everything that is no part of a clone. */
const LEFT_BEHIND = new Set(["node_modules", ".git", "dist", "run", "data", "coverage"]);
const PACK_TIMEOUT_MS = 120_000;

const dir = mkdtempSync(join(realpathSync(tmpdir()), "paceline-package-"));
const clone = join(dir, "clone");
const app = join(dir, "app");
const installed = join(app, "node_modules", "paceline");

/** A Node of the machine besides the pinned one that runs this test, if there is one. */
const foreignNode = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !folder.includes("node_modules"))
  .map((folder) => join(folder, "node"))
  .find((file) => existsSync(file));

function cloneRepository(): void {
  mkdirSync(clone);
  for (const name of readdirSync(root)) {
    if (!LEFT_BEHIND.has(name)) cpSync(join(root, name), join(clone, name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(clone, "node_modules"));
}

/** Unpacks the tarball where npm would put it, with the dependencies that npm would install. */
function install(tarball: string): void {
  const modules = join(app, "node_modules");
  mkdirSync(modules, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", dir]);
  renameSync(join(dir, "package"), installed);
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  for (const name of [...Object.keys(dependencies), "@types"]) {
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  write("package.json", JSON.stringify({ type: "module" }));
}

function write(name: string, text: string): void {
  writeFileSync(join(app, name), text);
}

const CONSUMER = `
import { child, createNode, defineActor, keyFor, reply, supervisor } from "paceline/otp";
const stock = defineActor({
  name: "shop/stock",
  init: (pieces) => ({ pieces }),
  calls: {
    take: (state, count) => {
      if (count > state.pieces) throw new RangeError("not enough");
      return reply({ pieces: state.pieces - count }, state.pieces - count);
    },
  },
});
const stockKey = keyFor(stock);
const node = createNode();
await node.start(supervisor("shop", { children: [child(stock, 10, { register: stockKey() })] }));
const ref = node.via(stockKey());
console.log(await ref.call.take(3));
console.log(await ref.call.take(100).catch((error) => error.cause.message));
console.log(await ref.call.take(1));
await node.stop();
console.log(await node.ended);
`;

/** Threads load files of the package by URL: those must be the built ones. */
const THREADED_CONSUMER = `
import { isMainThread } from "node:worker_threads";
import { child, createNode, defineActor, keyFor, reply, supervisor } from "paceline/otp";
const echo = defineActor({
  name: "demo/echo",
  init: () => 0,
  calls: { echo: (state, value) => reply(state, [value, isMainThread]) },
});
const echoKey = keyFor(echo);
export const subtree = () =>
  supervisor("inner", { children: [child(echo, undefined, { register: echoKey() })] });
if (isMainThread) {
  const node = createNode({ watchdog: true });
  const box = supervisor("box", { isolate: "worker", from: { module: import.meta.url } });
  await node.start(supervisor("top", { children: [box] }));
  console.log(await node.via(echoKey()).call.echo("hello"));
  await node.stop();
}
`;

/** A scorer of its own in a composite of its own, alone and behind queue and workers. */
const PAIRING_CONSUMER = `
import { createNode, supervisor } from "paceline/otp";
import {
  CompositeScoringSystem,
  ConcurrentPairingSystem,
  LinearStakeScorer,
  Processor,
  ProviderStorage,
} from "paceline/pairing";
const storage = new ProviderStorage();
const features = ["HTTP"];
storage.addProvider({ address: "far", stake: 900_000n, location: "EU-West-1", features });
storage.addProvider({ address: "near", stake: 300_000n, location: "US-East-1", features });
const nearness = {
  calculateLocationScore: ({ location }, { requiredLocation }) =>
    location === requiredLocation || requiredLocation === "" ? Number(location < "V" && location > "U") : 0,
  getWeight: () => 2,
  setWeight: () => {},
};
const composite = new CompositeScoringSystem("Mine", "Stake, and what is near us")
  .addScorer("stake", new LinearStakeScorer(1))
  .addScorer("near", nearness);
const processor = new Processor(storage);
const policy = { requiredLocation: "", requiredFeatures: ["http"], minStake: 1_000n };
const best = ({ topProviders }) => topProviders.map(({ address }) => address).join(" ");
console.log(best(processor.processPolicy(policy)));
processor.setScoringSystem(composite);
console.log(best(processor.processPolicy(policy)));
const node = createNode();
await node.start(supervisor("root", { register: "root", children: [] }));
const system = new ConcurrentPairingSystem({ node, supervisor: "root" }, storage, 2);
await system.start();
await system.enqueuePolicies([policy, { ...policy, minStake: 500_000n }]);
for (let i = 0; i < 100 && (await system.getResultsCount()) < 2; i++) {
  await new Promise((done) => setTimeout(done, 10));
}
console.log((await system.getResults()).map(best).toSorted().join(", "));
await system.stop();
await node.stop();
`;

const TYPED_CONSUMER = `
import { child, createNode, defineActor, keyFor, type Ref, reply, supervisor } from "paceline/otp";
const stock = defineActor({
  name: "shop/stock",
  init: (pieces: number) => ({ pieces }),
  calls: { take: (state, count: number) => reply({ pieces: state.pieces - count }, count) },
});
const key = keyFor(stock, "shop");
const node = createNode();
await node.start(supervisor("shop", { children: [child(stock, 10, { register: key("a") })] }));
const ref: Ref<typeof stock> = node.via(key("a"));
const taken: number = await ref.call.take(3);
// @ts-expect-error an amount is a number
await ref.call.take("3");
// @ts-expect-error an answer is a number
const text: string = await ref.call.take(3);
// @ts-expect-error unknown strategy
supervisor("shop", { strategy: "one_for_two", children: [] });
export { taken, text };
`;

const TYPED_PAIRING = `
import { type ConsumerPolicy, type Filter, FilterChain, type Provider } from "paceline/pairing";
const first: Filter = { name: () => "first", apply: (providers) => providers.slice(0, 1) };
const policy: ConsumerPolicy = { requiredLocation: "", requiredFeatures: [], minStake: 1n };
const left: readonly Provider[] = new FilterChain().add(first).apply([], policy);
// @ts-expect-error a stake is a bigint
const wrong: ConsumerPolicy = { ...policy, minStake: 1 };
export { left, wrong };
`;

describe("the packed package", () => {
  beforeAll(() => {
    cloneRepository();
    const { stdout, stderr, status } = spawnSync("npm", ["pack", "--pack-destination", dir], {
      cwd: clone,
      encoding: "utf8",
      env: { ...process.env, npm_config_update_notifier: "false", npm_config_loglevel: "error" },
    });
    expect(status, stderr).toBe(0);
    install(join(dir, stdout.trim().split("\n").at(-1) as string));
  }, PACK_TIMEOUT_MS);
  afterAll(() => rmSync(dir, { recursive: true }));

  it("holds JavaScript with declarations, the data it reads, and no sources", () => {
    const files = readdirSync(installed, { recursive: true, encoding: "utf8" });
    expect(files.filter((name) => /(?<!\.d)\.ts$/.test(name))).toEqual([]);
    expect(files).toEqual(
      expect.arrayContaining([
        "LICENSE",
        "README.md",
        "config/schema.json",
        "dist/config/demo.yml",
        "dist/src/otp/index.js",
        "dist/src/otp/index.d.ts",
        "docs/otp/index.md",
      ]),
    );
    expect(files.filter((name) => name.includes("original"))).toEqual([]);
  });

  it("leaves the repository as it was", () => {
    const before = readFileSync(join(root, "package.json"), "utf8");
    expect(readFileSync(join(clone, "package.json"), "utf8")).toBe(before);
    expect(existsSync(join(clone, "dist"))).toBe(false);
  });

  it.for([
    ["the pinned Node", process.execPath],
    ["the machine's Node", foreignNode],
  ] as const)("runs supervised processes, also in a thread, on %s", ([, node], { skip }) => {
    if (node === undefined) {
      skip();
      return;
    }
    write("consumer.js", CONSUMER);
    const printed = execFileSync(node, ["consumer.js"], { cwd: app, encoding: "utf8" });
    expect(printed.split("\n")).toEqual(["7", "not enough", "9", "shutdown", ""]);
    write("threaded.js", THREADED_CONSUMER);
    const answered = execFileSync(node, ["threaded.js"], { cwd: app, encoding: "utf8" });
    expect(answered).toBe("[ 'hello', false ]\n");
  });

  it.for([
    ["the pinned Node", process.execPath],
    ["the machine's Node", foreignNode],
  ] as const)("pairs providers, also with a scorer of its user's, on %s", ([, node], { skip }) => {
    if (node === undefined) {
      skip();
      return;
    }
    write("pairing.js", PAIRING_CONSUMER);
    const printed = execFileSync(node, ["pairing.js"], { cwd: app, encoding: "utf8" });
    expect(printed.split("\n")).toEqual(["far near", "near far", "far, far near", ""]);
  });

  it("types its users' programs", () => {
    write("typed.ts", TYPED_CONSUMER);
    write("typed-pairing.ts", TYPED_PAIRING);
    const compilerOptions = {
      target: "es2022",
      module: "nodenext",
      strict: true,
      noEmit: true,
      types: ["node"],
      // Our declarations are judged too.
      skipLibCheck: false,
    };
    write(
      "tsconfig.json",
      JSON.stringify({ compilerOptions, include: ["typed.ts", "typed-pairing.ts"] }),
    );
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const { stdout } = spawnSync(process.execPath, [tsc, "-p", app], { encoding: "utf8" });
    expect(stdout).toBe("");
  });

  it("holds a command that knows its version and serves the embedded demo", async () => {
    const bin = join(installed, "bin", "paceline.mjs");
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      readonly version: string;
    };
    const said = execFileSync(process.execPath, [bin, "version"], { encoding: "utf8" });
    expect(said).toContain(`paceline ${version}`);
    const socket = join(dir, "run", "admin.sock");
    const gateway = new Child(process.execPath, [bin, "start", "--port", "0", "--socket", socket]);
    const [, url] = await gateway.waitFor(/paceline ready (\S+)/);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    gateway.signal("SIGTERM");
    expect(await gateway.exited).toMatchObject({ code: 0 });
  });
});
