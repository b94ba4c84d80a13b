/**
 * What does a range of 100,000 logs cost, merged from 20 parts of three providers, against a script
 * that parses the parts and prints them again? Resident memory is the peak of the process above what
 * it held when idle, as the kernel keeps it (VmHWM).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { startGateway } from "./lanes/gateway.ts";
import { FIRST_BLOCK, LAST_BLOCK, LOGS_PER_BLOCK, logsOf } from "./support/log-chain.ts";
import { cpuNs, LANE_CORE, LOAD_CORE, pinSelf, rssMb, startLane } from "./support/host.ts";
import { median, report } from "./support/report.ts";

const MAX_HELD_MB = 64;
const ROUNDS = 5;
const COUNT = (LAST_BLOCK - FIRST_BLOCK + 1) * LOGS_PER_BLOCK;
const BODY = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "eth_getLogs",
  params: [{ fromBlock: `0x${FIRST_BLOCK.toString(16)}`, toBlock: `0x${LAST_BLOCK.toString(16)}` }],
});

pinSelf(LOAD_CORE);
const file = (name: string): string => new URL(`lanes/${name}.ts`, import.meta.url).pathname;
const stub = await startLane("logs-stub", LOAD_CORE, [file("logs-stub")]);
const url = `http://127.0.0.1:${stub.port}`;
const naive = await startLane("naive", LANE_CORE, [file("naive-logs"), url]);
const gateway = await startGateway([url, url, url], [], ["    logs: { part_range: 1000 }"]);

const expected = Buffer.byteLength(
  Array.from({ length: LAST_BLOCK }, (_, at) => logsOf(at + 1)).join(","),
);

interface Round {
  readonly ms: number;
  readonly cpuMs: number;
  readonly heldMb: number;
  readonly isWhole: boolean;
}

/** One answer; its bytes are counted, not kept. */
async function ask({ pid, port }: { pid: number; port: number }, path: string): Promise<Round> {
  const idleMb = rssMb(pid);
  // Forgets the peak so far.
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  const cpuBefore = cpuNs(pid);
  const startMs = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", "accept-encoding": "identity" },
    body: BODY,
  });
  let size = 0;
  for await (const chunk of response.body ?? []) size += (chunk as Uint8Array).length;
  const ms = performance.now() - startMs;
  const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return {
    ms,
    cpuMs: (cpuNs(pid) - cpuBefore) / 1e6,
    heldMb: Number(peak ?? 0) / 1024 - idleMb,
    isWhole: size > expected && size < expected + 100,
  };
}

const rest = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

const ours: Round[] = [];
const theirs: Round[] = [];
// The first answer on both sides grows heaps that later ones use again: it counts for memory.
for (let round = 0; round < ROUNDS; round++) {
  ours.push(await ask(gateway, "/rpc/ethereum"));
  await rest(500);
  theirs.push(await ask(naive, "/"));
  await rest(500);
}
const name = `${COUNT / 1000}k logs, ${Math.round(expected / 1e6)} MB, 20 parts`;
const of = (rounds: readonly Round[], what: "ms" | "cpuMs" | "heldMb"): readonly number[] =>
  rounds.map((round) => round[what]);
const heldMb = Math.max(...of(ours, "heldMb"));
report({
  bench: "logs",
  case: `${name}: memory above idle, worst of ${ROUNDS}`,
  value: heldMb,
  unit: "MB",
  baseline: Math.max(...of(theirs, "heldMb")),
  bar: `<= ${MAX_HELD_MB} MB`,
  ok: heldMb <= MAX_HELD_MB && ours.every(({ isWhole }) => isWhole),
});
for (const [what, words, isBar] of [
  ["cpuMs", "CPU", true],
  ["ms", "time, upstream's included", false],
] as const) {
  const value = median(of(ours, what));
  const baseline = median(of(theirs, what));
  report({
    bench: "logs",
    case: `${name}: ${words}, against parse and print`,
    value,
    unit: "ms",
    baseline,
    ratio: value / baseline,
    ...(isBar ? { bar: "< 1 x", ok: value < baseline } : {}),
  });
}
await Promise.all([stub.stop(), naive.stop(), gateway.stop()]);
