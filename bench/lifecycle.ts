/**
 * From `kill -9` to serving again, what an idle gateway weighs, and what SIGTERM loses.
 *
 * Bars: serving < 600 ms and < 2.5 x a bare process with the same imports; idle with 3 chains x 5
 * providers < 150 MB; SIGTERM loses no request and closes every WebSocket with 1012.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { cpuNs, freePort, rssMb } from "./support/host.ts";
import { median, report } from "./support/report.ts";

const ROUNDS = 7;
const IDLE_MS = 20_000;
/** Connecting, first heads and the first collections are no rest. */
const SETTLE_MS = 3_000;
const MORE_CHAINS = 10;
const IN_FLIGHT = 200;
const SOCKETS = 100;
const SLOW_MS = 300;

const here = (path: string): string => new URL(path, import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "paceline-lifecycle-"));
const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

const start = (script: string, args: readonly string[]): ChildProcess => {
  const child = spawn(process.execPath, [here(script), ...args], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, NODE_ENV: "production" },
  });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
};

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    else child.once("exit", (code) => resolve(code));
  });

const firstLine = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
    });
    child.once("exit", (code) => reject(new Error(`ended with ${code}`)));
  });

/** Status and body of one call, or undefined when nobody answers. */
const call = (port: number, path: string, method: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const sent = request(
      { port, path, method: "POST", headers: { "content-type": "application/json" } },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on("end", () => resolve(text));
        response.on("error", () => resolve(undefined));
      },
    );
    sent.on("error", () => resolve(undefined));
    sent.end(`{"jsonrpc":"2.0","id":1,"method":"${method}","params":[]}`);
  });

const untilServing = async (port: number, path: string): Promise<void> => {
  while ((await call(port, path, "eth_gasPrice"))?.includes('"result"') !== true) await sleep(2);
};

interface FakeAddress {
  readonly chain: number;
  readonly url: string;
  readonly wsUrl: string;
}

const fakes = async (chains: number, providers: number, latencyMs: number) =>
  JSON.parse(
    await firstLine(start("./lanes/fakes.ts", [`${chains}`, `${providers}`, `${latencyMs}`])),
  ) as FakeAddress[];

const configFor = (name: string, port: number, addresses: readonly FakeAddress[]): string => {
  const file = join(folder, `${name}.yaml`);
  const ids = [...new Set(addresses.map(({ chain }) => chain))];
  const lines = ids.flatMap((id) => [
    `  chain${id}:`,
    `    chain_id: ${id}`,
    "    providers:",
    ...addresses
      .filter(({ chain }) => chain === id)
      .map(({ url, wsUrl }, at) => `      - { id: p${at}, url: "${url}", ws_url: "${wsUrl}" }`),
  ]);
  const head = [
    `listen: { host: 127.0.0.1, port: ${port} }`,
    `admin: { socket: ${join(folder, name, "admin.sock")} }`,
    "drain: { pre_delay: 0s, close_spread: 0s, timeout: 10s }",
    "chains:",
  ];
  writeFileSync(file, [...head, ...lines, ""].join("\n"));
  return file;
};

const restartMs = async (
  script: string,
  args: readonly string[],
  port: number,
  path: string,
): Promise<number> => {
  const first = start(script, args);
  await untilServing(port, path);
  const gone = ended(first);
  const startedMs = performance.now();
  first.kill("SIGKILL");
  await gone;
  const second = start(script, args);
  await untilServing(port, path);
  const tookMs = performance.now() - startedMs;
  const stopped = ended(second);
  second.kill("SIGKILL");
  await stopped;
  return tookMs;
};

const program = "../bin/paceline.mjs";
const world = await fakes(3, 5, 1);
const port = await freePort();
const barePort = await freePort();
const file = configFor("restart", port, world);
// The first run ever compiles; any that lived for a second leaves the next one its compile cache.
const warm = start(program, ["start", "--config", file, "--log-level", "silent"]);
await untilServing(port, "/rpc/chain1001");
await sleep(2_000);
warm.kill("SIGKILL");
await ended(warm);
const gatewayMs: number[] = [];
const bareMs: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  gatewayMs.push(
    await restartMs(
      program,
      ["start", "--config", file, "--log-level", "silent"],
      port,
      "/rpc/chain1001",
    ),
  );
  bareMs.push(await restartMs("./lanes/bare.ts", [`${barePort}`], barePort, "/"));
}
const [servingMs, floorMs] = [median(gatewayMs), median(bareMs)];
report({
  bench: "lifecycle",
  case: "kill -9 to serving, p50",
  value: servingMs,
  unit: "ms",
  baseline: floorMs,
  ratio: servingMs / floorMs,
  bar: "< 600 ms and < 2.5 x bare imports",
  ok: servingMs < 600 && servingMs < 2.5 * floorMs,
});

interface Idle {
  readonly bootMs: number;
  readonly rssMb: number;
  /** Share of a core, %. */
  readonly cpu: number;
}

/** What a gateway costs that nobody calls, after it has served one call. */
const idleOf = async (port: number, config: string, path: string): Promise<Idle> => {
  const child = start(program, ["start", "--config", config, "--log-level", "silent"]);
  const failed = ended(child).then((code) => Promise.reject(new Error(`ended with ${code}`)));
  await Promise.race([untilServing(port, path), failed]);
  failed.catch(() => undefined);
  const pid = child.pid as number;
  const bootMs = cpuNs(pid) / 1e6;
  await sleep(SETTLE_MS);
  const beforeNs = cpuNs(pid);
  await sleep(IDLE_MS);
  const idle = { bootMs, rssMb: rssMb(pid), cpu: ((cpuNs(pid) - beforeNs) / 1e6 / IDLE_MS) * 100 };
  const gone = ended(child);
  child.kill("SIGKILL");
  await gone;
  return idle;
};

const idle = await idleOf(port, file, "/rpc/chain1001");
report({ bench: "lifecycle", case: "CPU of import and boot", value: idle.bootMs, unit: "ms" });
report({
  bench: "lifecycle",
  case: "idle RSS, 3 chains x 5 providers with heads every second",
  value: idle.rssMb,
  unit: "MB",
  bar: "< 150 MB",
  ok: idle.rssMb < 150,
});
report({
  bench: "lifecycle",
  case: "idle CPU, the same",
  value: idle.cpu,
  unit: "% of a core",
});
const wide = await fakes(3 + MORE_CHAINS, 5, 1);
// Not the port from before: one of the providers may have it now.
const widePort = await freePort();
const many = await idleOf(widePort, configFor("wide", widePort, wide), "/rpc/chain1001");
report({
  bench: "lifecycle",
  case: `each of ${MORE_CHAINS} more idle chains: RSS`,
  value: (many.rssMb - idle.rssMb) / MORE_CHAINS,
  unit: "MB",
});
report({
  bench: "lifecycle",
  case: `each of ${MORE_CHAINS} more idle chains: CPU`,
  value: (many.cpu - idle.cpu) / MORE_CHAINS,
  unit: "% of a core",
});

const slow = await fakes(1, 3, SLOW_MS);
const slowPort = await freePort();
const drained = start(program, [
  "start",
  "--config",
  configFor("drain", slowPort, slow),
  "--log-level",
  "silent",
]);
await untilServing(slowPort, "/rpc/chain1001");
const codes: number[] = [];
await Promise.all(
  Array.from({ length: SOCKETS }, async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${slowPort}/rpc/chain1001`);
    socket.on("close", (code) => codes.push(code));
    await new Promise((resolve) => socket.once("open", resolve));
  }),
);
// 64 connections to a provider: the last of these waits for a free one, so it takes longer than one call.
let lastAnswerMs = 0;
const answers = Array.from({ length: IN_FLIGHT }, async () => {
  const text = await call(slowPort, "/rpc/chain1001", "eth_gasPrice");
  lastAnswerMs = performance.now();
  return text;
});
await sleep(SLOW_MS / 2);
const termMs = performance.now();
drained.kill("SIGTERM");
const code = await ended(drained);
const exitedMs = performance.now();
const texts = await Promise.all(answers);
const lost = texts.filter((text) => text?.includes('"result"') !== true);
if (lost[0] !== undefined) console.error(`first lost answer: ${lost[0].slice(0, 300)}`);
report({
  bench: "lifecycle",
  case: `SIGTERM with ${IN_FLIGHT} requests of ${SLOW_MS} ms in flight: lost`,
  value: lost.length,
  unit: "requests",
  bar: "0, exit code 0",
  ok: lost.length === 0 && code === 0,
});
await sleep(100);
report({
  bench: "lifecycle",
  case: `SIGTERM with ${SOCKETS} WebSockets: closed with 1012`,
  value: codes.filter((each) => each === 1012).length,
  unit: "sockets",
  bar: "all",
  ok: codes.length === SOCKETS && codes.every((each) => each === 1012),
});
report({
  bench: "lifecycle",
  case: `SIGTERM to exit (${Math.round(lastAnswerMs - termMs)} ms to the last answer)`,
  value: exitedMs - termMs,
  unit: "ms",
  bar: "< last answer + 1 s",
  ok: exitedMs < lastAnswerMs + 1_000,
});
process.exit();
