/**
 * What does one head to one of 1,000 and of 5,000 WebSocket clients cost, against a bare chain that
 * does nothing but `ws.send(string)`? What does a client cost in memory, and does a stuck one delay
 * the others? How long does a head to 10,000 hold the loop? `CLIENTS=10000` asks the same of other numbers; where the limit of open files does not
 * hold the clients of both (`ulimit -n`), the gateway is measured alone.
 */
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGateway } from "./lanes/gateway.ts";
import { MAX_WAITED_SHARE, waitedNs } from "./support/contention.ts";
import { cpuNs, LANE_CORE, LOAD_CORE, pinSelf, rssMb, startLane } from "./support/host.ts";
import type { LongestTurn } from "./support/longest-turn.ts";
import { median, quantile, report } from "./support/report.ts";
import { WsClient } from "./support/ws-clients.ts";

const STAGES = (process.env["CLIENTS"] ?? "1000,5000").split(",").map(Number);
const FEW = 200;
/** `limits.ws_max_clients`. */
const MAX_CLIENTS = 10_000;
/** Files that are open beside the sockets of clients. */
const OTHER_FILES = 200;
/** Deliveries a second, however many clients there are: a fifth of what a core can do. */
const DELIVERIES_PER_SEC = 20_000;
const WARM_HEADS_PER_SEC = 20;
const ROUNDS = 5;
const ROUND_MS = 2_000;
const WARM_MS = 3_000;
/** Every tenth client looks at the time in each head. */
const TIMED_EVERY = 10;
const MAX_RATIO = 1.05;
const MAX_LATENCY_RATIO = 1.5;
const MAX_KB = 30;
const MAX_TURN_MS = 50;
const TURN_HEADS_PER_SEC = 2;
const TURN_ROUND_MS = 5_000;

pinSelf(LOAD_CORE);
const file = (name: string): string => new URL(`lanes/${name}.ts`, import.meta.url).pathname;
const events = await startLane("events", LOAD_CORE, [file("events")]);
const names = ["p0", "p1", "p2"];
const urlsOf = (scheme: string, lane: string) =>
  names.map((name) => `${scheme}://127.0.0.1:${events.port}/${lane}/${name}`);
/** Sets what a lane is sent; answers the number of its newest block. */
const control = async (lane: string, query: string): Promise<number> => {
  const response = await fetch(`http://127.0.0.1:${events.port}/control?lane=${lane}&${query}`);
  return ((await response.json()) as { number: number }).number;
};
const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

const bare = await startLane("bare", LANE_CORE, [file("bare-fanout"), ...urlsOf("ws", "bare")]);
const turnFile = join(mkdtempSync(join(tmpdir(), "paceline-bench-")), "turn.json");
const gateway = await startGateway(urlsOf("http", "gateway"), urlsOf("ws", "gateway"), [], [], {
  NODE_OPTIONS: `--import=${file("turn-watch")}`,
  TURN_FILE: turnFile,
});

const mark = Buffer.from('"extraData":"0x');

class Audience {
  readonly lane: { readonly pid: number; readonly port: number };
  readonly name: string;
  readonly #path: string;
  readonly clients: WsClient[] = [];
  delivered = 0;
  latenciesMs: number[] = [];
  closed: string[] = [];

  constructor(name: string, lane: { readonly pid: number; readonly port: number }, path: string) {
    this.name = name;
    this.lane = lane;
    this.#path = path;
  }

  /** Connects and subscribes up to `count` clients. */
  async grow(count: number): Promise<void> {
    while (this.clients.length < count) {
      const isTimed = this.clients.length % TIMED_EVERY === 0;
      let subscribed!: () => void;
      const isSubscribed = new Promise<void>((resolve) => (subscribed = resolve));
      const client = await WsClient.open(this.lane.port, this.#path, {
        onMessage: (payload) => {
          if (payload.length < 500) {
            subscribed();
            return;
          }
          this.delivered++;
          if (!isTimed) return;
          const at = payload.indexOf(mark) + mark.length;
          const atNs = BigInt(`0x${payload.toString("latin1", at + 48, at + 64)}`);
          if (atNs > 0n) this.latenciesMs.push(Number(process.hrtime.bigint() - atNs) / 1e6);
        },
        onClose: (code, reason) => this.closed.push(`${code} ${reason}`),
      });
      this.clients.push(client);
      client.send('{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}');
      await isSubscribed;
    }
  }

  /** CPU per delivery in us while heads come for a round. */
  async round(headsPerSec: number): Promise<{ cpuUs: number; missing: number; waited: number }> {
    const { pid } = this.lane;
    this.delivered = 0;
    const startNs = cpuNs(pid);
    const startWaitedNs = waitedNs(pid);
    const first = await control(this.name, `headRate=${headsPerSec}`);
    await sleep(ROUND_MS);
    const last = await control(this.name, "headRate=0");
    const expected = (last - first) * this.listening;
    for (let waits = 0; this.delivered < expected && waits < 40; waits++) await sleep(250);
    const cpuUs = (cpuNs(pid) - startNs) / 1e3 / Math.max(1, this.delivered);
    const missing = expected - this.delivered;
    return { cpuUs, missing, waited: (waitedNs(pid) - startWaitedNs) / 1e6 / ROUND_MS };
  }

  /** Clients that read. */
  get listening(): number {
    return this.clients.filter(({ socket }) => !socket.isPaused()).length;
  }
}

const theirs = new Audience("bare", bare, "/");
const ours = new Audience("gateway", gateway, "/rpc/ethereum");
const openFiles = Number(
  /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? 1_024,
);
const isCompared = 2 * (Math.max(...STAGES) + FEW) + OTHER_FILES <= openFiles;
if (!isCompared) console.error(`the gateway alone: at most ${openFiles} open files`);
const audiences = isCompared ? [theirs, ours] : [ours];

for (const audience of audiences) await audience.grow(FEW);
for (const { name } of audiences) await control(name, `headRate=${WARM_HEADS_PER_SEC}`);
await sleep(WARM_MS);
for (const { name } of audiences) await control(name, "headRate=0");

const bench = "fanout";
const rss = (): number[] => audiences.map(({ lane }) => rssMb(lane.pid));

/** One more than before: what it costs with so many clients. */
async function stage(clients: number): Promise<void> {
  const headsPerSec = DELIVERIES_PER_SEC / clients;
  const before = rss();
  const total = Math.min(clients + FEW, MAX_CLIENTS);
  const more = total - ours.clients.length;
  for (const audience of audiences) {
    await audience.grow(total);
    await audience.round(headsPerSec);
  }
  const kb = rss().map((mb, i) => ((mb - (before[i] ?? 0)) * 1_024) / more);
  const oursKb = kb.at(-1) ?? 0;

  const cpu = new Map<Audience, number[]>(audiences.map((audience) => [audience, []]));
  for (const audience of audiences) audience.latenciesMs = [];
  let missing = 0;
  let waited = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const audience of audiences) {
      const result = await audience.round(headsPerSec);
      cpu.get(audience)?.push(result.cpuUs);
      waited = Math.max(waited, result.waited);
      missing += Math.abs(result.missing);
    }
  }
  const oursUs = cpu.get(ours) ?? [];
  const bareUs = cpu.get(theirs) ?? [];
  const ratio = Math.min(...oursUs) / Math.min(...bareUs);
  report({
    bench,
    case: `${clients} clients: CPU per delivery of a 1.7 KB head`,
    value: median(oursUs),
    unit: "us",
    ...(isCompared && {
      baseline: median(bareUs),
      ratio,
      bar: `<= ${MAX_RATIO} x bare ws.send(string), least of ${ROUNDS} rounds`,
      ok: ratio <= MAX_RATIO,
    }),
  });
  report({
    bench,
    case: `${clients} clients: heads missing or twice`,
    value: missing,
    unit: "deliveries",
    bar: "0",
    ok: missing === 0,
  });
  const p99 = quantile(ours.latenciesMs, 0.99);
  const bareP99 = quantile(theirs.latenciesMs, 0.99);
  const isLate = isCompared && p99 > bareP99 * MAX_LATENCY_RATIO;
  const isMeasured = !isLate || waited < MAX_WAITED_SHARE;
  report({
    bench,
    case: `${clients} clients: p99 of an event`,
    value: p99,
    unit: "ms",
    ...(isCompared && { baseline: bareP99, ratio: p99 / bareP99 }),
    ...(isCompared && isMeasured && { bar: `<= ${MAX_LATENCY_RATIO} x bare`, ok: !isLate }),
    ...(!isMeasured && { bar: "discarded: the core was taken" }),
  });
  if (!isMeasured) process.exitCode ||= 2;
  report({
    bench,
    case: `${clients} clients: RSS per client`,
    value: oursKb,
    ...(isCompared && { baseline: kb[0] ?? 0 }),
    unit: "KB",
    bar: `<= ${MAX_KB} KB`,
    ok: oursKb <= MAX_KB,
  });
}

for (const clients of STAGES) await stage(clients);

// One client stops reading: the others must not notice, and it must be closed in the end.
const lastRate = DELIVERIES_PER_SEC / ours.clients.length;
const before = quantile(ours.latenciesMs, 0.5);
ours.latenciesMs = [];
ours.clients[1]?.socket.pause();
let waited = 0;
for (let round = 0; round < 3; round++) {
  waited = Math.max(waited, (await ours.round(lastRate)).waited);
}
const after = quantile(ours.latenciesMs, 0.5);
report({
  bench,
  case: "p50 of an event beside a stuck client",
  value: after,
  baseline: before,
  unit: "ms",
  ratio: after / before,
  bar: "<= 1.5 x, nobody else closed",
  ok: (after <= before * 1.5 || waited >= MAX_WAITED_SHARE) && ours.closed.length === 0,
});
ours.clients[1]?.socket.destroy();

/** Calls are made while heads go to as many clients as there may be. */
async function longestTurns(): Promise<void> {
  for (const client of theirs.clients.splice(0)) client.close();
  await ours.grow(MAX_CLIENTS);
  const url = `http://127.0.0.1:${gateway.port}/rpc/ethereum`;
  const caller = await startLane("caller", LOAD_CORE, [file("caller"), url]);
  const call = async (ms: number): Promise<number[]> => {
    const response = await fetch(`http://127.0.0.1:${caller.port}/?ms=${ms}`);
    return (await response.json()) as number[];
  };
  await call(ROUND_MS);
  const quietMs = await call(ROUND_MS);
  await control(ours.name, `headRate=${TURN_HEADS_PER_SEC}`);
  process.kill(gateway.pid, "SIGUSR2");
  const busyMs = await call(TURN_ROUND_MS);
  process.kill(gateway.pid, "SIGUSR2");
  await control(ours.name, "headRate=0");
  await sleep(500);
  const { heldMs, wallMs } = JSON.parse(readFileSync(turnFile, "utf8")) as LongestTurn;
  report({
    bench,
    case: `${MAX_CLIENTS} clients: longest turn while heads are sent (as others wait for it here)`,
    value: heldMs,
    baseline: wallMs,
    unit: "ms",
    bar: `<= ${MAX_TURN_MS} ms`,
    ok: heldMs <= MAX_TURN_MS,
  });
  report({
    bench,
    case: `${MAX_CLIENTS} clients: p99 of a call meanwhile (without heads)`,
    value: quantile(busyMs, 0.99),
    baseline: quantile(quietMs, 0.99),
    unit: "ms",
  });
  await caller.stop();
}

if (MAX_CLIENTS + OTHER_FILES <= openFiles) await longestTurns();
for (const { clients } of audiences) for (const client of clients) client.close();
await Promise.all([gateway.stop(), bare.stop(), events.stop()]);
