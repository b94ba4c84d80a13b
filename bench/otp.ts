/**
 * Speed of the runtime: one-way burst, ping-pong, sequential calls, crash to restarted, start and
 * stop of many, registry look-ups, idle size. Best and worst of five; gates of the reference.
 *
 * Prints one JSON object a line and exits 1 below a gate.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  child,
  createNode,
  defineActor,
  dynamicSupervisor,
  keyFor,
  reply,
  stop,
  supervisor,
} from "../src/otp/index.ts";

interface Row {
  readonly case: string;
  readonly unit: string;
  readonly values: readonly number[];
  /** Worst acceptable best value. */
  readonly gate?: number;
  readonly isLowerBetter?: boolean;
}

const ROUNDS = 5;
let failures = 0;

const sink = defineActor({
  name: "bench/sink",
  mailbox: { max: 10_000_000 },
  init: (_args: undefined) => 0,
  calls: { total: (state) => reply(state, state) },
  casts: { add: (state, by: number) => state + by },
});

const pong = defineActor({
  name: "bench/pong",
  init: (_args: undefined) => ({ left: 0, done: () => {}, peer: undefined as Ponger | undefined }),
  casts: {
    begin: (_state, setup: { left: number; peer: unknown; done: () => void }) => {
      const peer = setup.peer as Ponger;
      if (setup.left > 0) peer.cast.ball(setup.left);
      return { left: setup.left, done: setup.done, peer };
    },
    ball: (state, left: number) => {
      if (left === 0) state.done();
      else state.peer?.cast.ball(left - 1);
      return state;
    },
  },
});
type Ponger = { readonly cast: { readonly ball: (left: number) => void } };

const fragile = defineActor({
  name: "bench/fragile",
  init: (_args: undefined) => 0,
  casts: { crash: (state) => stop(state, "boom") },
});

const sinkKey = keyFor(sink, "n");
const pongKey = keyFor(pong, "n");
const fragileKey = keyFor(fragile);

const node = createNode();
node.telemetry.attach("tap", ["otp.init", "otp.exit", "otp.restart", "otp.report"], () => {});
await node.start(
  supervisor("bench", {
    children: [
      child(sink, undefined, { register: sinkKey("0") }),
      child(sink, undefined, { register: sinkKey("1") }),
      child(pong, undefined, { register: pongKey("0") }),
      child(pong, undefined, { register: pongKey("1") }),
      supervisor("bench/fragile", {
        intensity: 1_000_000_000,
        children: [child(fragile, undefined, { register: fragileKey() })],
      }),
      dynamicSupervisor("bench/many", {
        maxChildren: 1_000_000,
        template: (n: number) => child(sink, undefined, { id: n, restart: "temporary" }),
      }),
    ],
  }),
);

const lags: number[] = [];
report({ case: "burst", unit: "msg/s", gate: 10e6, values: await repeat(withLag(burst)) });
report({ case: "ping-pong", unit: "msg/s", gate: 5e6, values: await repeat(withLag(pingPong)) });
report({ case: "timer-lag", unit: "ms", gate: 10, isLowerBetter: true, values: lags });
report({ case: "call", unit: "us", gate: 1.5, isLowerBetter: true, values: await repeat(calls) });
report({ case: "restart", unit: "/s", gate: 150e3, values: await repeat(restarts) });
report({ case: "whereis", unit: "/s", gate: 20e6, values: await repeat(lookUps) });
const many = await startStopMany();
report({ case: "start-child", unit: "/s", values: [many.startsPerSec] });
report({ case: "stop-100k", unit: "ms", gate: 1000, isLowerBetter: true, values: [many.stopMs] });
const idle = [many.idleBytes];
report({ case: "idle-actor", unit: "bytes", gate: 512, isLowerBetter: true, values: idle });
await node.stop();
process.exitCode = failures > 0 ? 1 : 0;

/** Messages a second from one producer, sent from many turns, handled one by one. */
async function burst(): Promise<number> {
  const ref = must(node.whereis(sinkKey("0")));
  const count = 2_000_000;
  const batch = 10_000;
  const before = await ref.call.total();
  const startMs = performance.now();
  for (let sent = 0; sent < count; sent += batch) {
    for (let i = 0; i < batch; i += 1) ref.cast.add(1);
    await ref.call.total(undefined, { timeoutMs: 60_000 });
  }
  const total = await ref.call.total(undefined, { timeoutMs: 60_000 });
  const ms = performance.now() - startMs;
  if (total - before !== count) throw new Error(`lost messages: ${total - before} of ${count}`);
  return count / (ms / 1000);
}

async function pingPong(): Promise<number> {
  const count = 2_000_000;
  const a = must(node.whereis(pongKey("0")));
  const b = must(node.whereis(pongKey("1")));
  const startMs = performance.now();
  await new Promise<void>((done) => {
    a.cast.begin({ left: 0, peer: b, done });
    b.cast.begin({ left: count, peer: a, done });
  });
  return count / ((performance.now() - startMs) / 1000);
}

/** Microseconds of one call with a deadline, one after the other. */
async function calls(): Promise<number> {
  const count = 300_000;
  const ref = must(node.whereis(sinkKey("0")));
  const startMs = performance.now();
  for (let i = 0; i < count; i += 1) await ref.call.total();
  return ((performance.now() - startMs) * 1000) / count;
}

/** Crash, restart, and one whichChildren per cycle, as on BEAM. */
async function restarts(): Promise<number> {
  const count = 50_000;
  const owner = must(node.supervisor("bench/fragile"));
  const target = node.via(fragileKey());
  const startMs = performance.now();
  for (let i = 0; i < count; i += 1) {
    target.cast.crash();
    const [row] = await owner.whichChildren();
    if (row?.pid === undefined) throw new Error("the child is not back");
  }
  return count / ((performance.now() - startMs) / 1000);
}

async function lookUps(): Promise<number> {
  const count = 5_000_000;
  const keys = Array.from({ length: 64 }, (_, i) => sinkKey(String(i % 2)));
  let found = 0;
  const startMs = performance.now();
  for (let i = 0; i < count; i += 1) {
    if (node.whereis(keys[i & 63] as (typeof keys)[0]) !== undefined) found += 1;
  }
  const ms = performance.now() - startMs;
  if (found !== count) throw new Error("names are missing");
  return count / (ms / 1000);
}

async function startStopMany(): Promise<{
  startsPerSec: number;
  stopMs: number;
  idleBytes: number;
}> {
  const count = 100_000;
  const owner = must(node.supervisor<number>("bench/many"));
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  gc();
  const bytesBefore = process.memoryUsage().heapUsed;
  const startMs = performance.now();
  let last: Promise<unknown> = Promise.resolve();
  for (let i = 0; i < count; i += 1) {
    last = owner.startChild(i);
    if (i % 5_000 === 4_999) await last;
  }
  await last;
  const startsPerSec = count / ((performance.now() - startMs) / 1000);
  gc();
  const idleBytes = (process.memoryUsage().heapUsed - bytesBefore) / count;
  const top = must(node.supervisor("bench"));
  const stopStartMs = performance.now();
  await top.terminateChild("bench/many");
  const stopMs = performance.now() - stopStartMs;
  return { startsPerSec, stopMs, idleBytes };
}

/** Notes the worst timer lateness of each round. */
function withLag(round: () => Promise<number>): () => Promise<number> {
  return async () => {
    const lag = watchLag();
    const value = await round();
    lags.push(lag());
    return value;
  };
}

/** Worst lateness of a 1 ms timer since the call. */
function watchLag(): () => number {
  let worstMs = 0;
  let dueMs = performance.now() + 1;
  let isOn = true;
  const tick = (): void => {
    worstMs = Math.max(worstMs, performance.now() - dueMs);
    dueMs = performance.now() + 1;
    if (isOn) setTimeout(tick, 1);
  };
  setTimeout(tick, 1);
  return () => {
    isOn = false;
    return worstMs;
  };
}

async function repeat(round: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let i = 0; i < ROUNDS; i += 1) values.push(await round());
  return values;
}

function report({ case: name, unit, values, gate, isLowerBetter }: Row): void {
  const sorted = [...values].sort((a, b) => (isLowerBetter === true ? a - b : b - a));
  const best = sorted[0] ?? Number.NaN;
  const worst = sorted.at(-1) ?? Number.NaN;
  const isOk = gate === undefined || (isLowerBetter === true ? best <= gate : best >= gate);
  if (!isOk) failures += 1;
  const value = round3(best);
  console.log(
    JSON.stringify({ bench: "otp", case: name, value, unit, worst: round3(worst), gate, isOk }),
  );
}

function round3(value: number): number {
  return Number(value.toPrecision(4));
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("bench tree is not up");
  return value;
}
