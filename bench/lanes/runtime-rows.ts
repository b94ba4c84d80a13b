/**
 * This runtime's side of `bench/otp`: each row does what beam.erl does under the same name.
 *
 * The node runs as in production: attribution, watchdog and an event tap are on.
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
} from "../../src/otp/index.ts";

/** Rows by name; each returns its figure of one round. */
export type Rows = Readonly<Record<string, () => Promise<number>>>;

const sink = defineActor({
  name: "bench/sink",
  mailbox: { max: 10_000_000 },
  init: (_args: undefined) => 0,
  calls: { total: (state) => reply(state, state) },
  casts: {
    add: (state, by: number) => state + by,
  },
});

const pong = defineActor({
  name: "bench/pong",
  init: (_args: undefined) => ({ done: () => {}, peer: undefined as Ponger | undefined }),
  casts: {
    begin: (_state, setup: { left: number; peer: unknown; done: () => void }) => {
      const peer = setup.peer as Ponger;
      if (setup.left > 0) peer.cast.ball(setup.left);
      return { done: setup.done, peer };
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

interface Spawning {
  readonly left: number;
  readonly done: () => void;
}

const noop = (): void => {};

const spawner = defineActor({
  name: "bench/spawner",
  init: (_args: undefined): Spawning => ({ left: 0, done: noop }),
  casts: {
    begin: (_state, begin: Spawning, ctx) => {
      ctx.spawnMonitor(noop);
      return begin;
    },
    many: (state, begin: Spawning, ctx) => {
      for (let i = 0; i < begin.left; i += 1) ctx.spawn(noop);
      begin.done();
      return state;
    },
    timers: (state, begin: Spawning, ctx) => {
      for (let i = 0; i < begin.left; i += 1) ctx.after(60_000, "x");
      begin.done();
      return state;
    },
  },
  on: (state, _down, ctx) => {
    const left = state.left - 1;
    if (left === 0) state.done();
    else ctx.spawnMonitor(noop);
    return { left, done: state.done };
  },
});

const sinkKey = keyFor(sink, "n");
const pongKey = keyFor(pong, "n");
const fragileKey = keyFor(fragile);
const spawnerKey = keyFor(spawner);

const LOOKUP_NAMES = 10_000;
const IDLE_PROCESSES = 300_000;
const MANY = 100_000;

/** Starts the node and the processes that the rows use. */
export async function openRows(): Promise<{ rows: Rows; close: () => Promise<void> }> {
  // Rows may hold the loop for long; the watchdog costs the same whether it tells of it or not.
  const node = createNode({ watchdog: { alarmMs: 60_000 } });
  node.telemetry.attach("tap", ["otp.init", "otp.exit", "otp.restart", "otp.report"], () => {});
  const many = () =>
    dynamicSupervisor("bench/many", {
      maxChildren: 1_000_000,
      template: (n: number) => child(sink, undefined, { id: n, restart: "temporary" }),
    });
  await node.start(
    supervisor("bench", {
      children: [
        child(sink, undefined, { register: sinkKey("0") }),
        child(pong, undefined, { register: pongKey("0") }),
        child(pong, undefined, { register: pongKey("1") }),
        child(spawner, undefined, { register: spawnerKey() }),
        supervisor("bench/fragile", {
          intensity: 1_000_000_000,
          period: 1,
          children: [child(fragile, undefined, { register: fragileKey() })],
        }),
        many(),
        supervisor("bench/names", {
          children: Array.from({ length: LOOKUP_NAMES }, (_, n) =>
            child(fragile, undefined, {
              id: n,
              register: { ...fragileKey(), name: `chain/${n}/head-tracker` },
            }),
          ),
        }),
      ],
    }),
  );
  const target = must(node.whereis(sinkKey("0")));
  const balls = [must(node.whereis(pongKey("0"))), must(node.whereis(pongKey("1")))] as const;
  const spawns = must(node.whereis(spawnerKey()));
  const owner = () => must(node.supervisor<number>("bench/many"));
  const top = must(node.supervisor("bench"));

  const burst = async (): Promise<number> => {
    const count = 2_000_000;
    const batch = 10_000;
    const before = await target.call.total();
    const startMs = performance.now();
    for (let sent = 0; sent < count; sent += batch) {
      for (let i = 0; i < batch; i += 1) target.cast.add(1);
      await target.call.total(undefined, { timeoutMs: 60_000 });
    }
    const seconds = (performance.now() - startMs) / 1000;
    const total = await target.call.total();
    if (total - before !== count) throw new Error(`lost messages: ${total - before} of ${count}`);
    return count / seconds;
  };

  const pingPong = async (): Promise<number> => {
    const count = 2_000_000;
    const [a, b] = balls;
    const startMs = performance.now();
    await new Promise<void>((done) => {
      a.cast.begin({ left: 0, peer: b, done });
      b.cast.begin({ left: count, peer: a, done });
    });
    return count / ((performance.now() - startMs) / 1000);
  };

  const calls = async (): Promise<number> => {
    const count = 300_000;
    const startMs = performance.now();
    for (let i = 0; i < count; i += 1) await target.call.total();
    return count / ((performance.now() - startMs) / 1000);
  };

  const asked = async (what: "begin" | "many" | "timers", left: number): Promise<number> => {
    const startMs = performance.now();
    await new Promise<void>((done) => spawns.cast[what]({ left, done }));
    return left / ((performance.now() - startMs) / 1000);
  };

  /** Crash, restart, and one whichChildren per cycle, as on the BEAM. */
  const restarts = async (): Promise<number> => {
    const count = 40_000;
    const supervisorRef = must(node.supervisor("bench/fragile"));
    const victim = node.via(fragileKey());
    const startMs = performance.now();
    for (let i = 0; i < count; i += 1) {
      victim.cast.crash();
      const [row] = await supervisorRef.whichChildren();
      if (row?.pid === undefined) throw new Error("the child is not back");
    }
    return count / ((performance.now() - startMs) / 1000);
  };

  const startMany = async (count: number): Promise<number> => {
    const ref = owner();
    const startMs = performance.now();
    let last: Promise<unknown> = Promise.resolve();
    for (let i = 0; i < count; i += 1) {
      last = ref.startChild(i);
      if (i % 5_000 === 4_999) await last;
    }
    await last;
    return count / ((performance.now() - startMs) / 1000);
  };

  /** Milliseconds in which the children of the dynamic supervisor are stopped; it is back after it. */
  const stopMany = async (): Promise<number> => {
    const startMs = performance.now();
    await top.terminateChild("bench/many");
    const tookMs = performance.now() - startMs;
    await top.restartChild("bench/many");
    return tookMs;
  };

  const lookUps = async (): Promise<number> => {
    const count = 5_000_000;
    const keys = Array.from({ length: 64 }, (_, i) => ({
      ...fragileKey(),
      name: `chain/${i * 156}/head-tracker`,
    }));
    let found = 0;
    const startMs = performance.now();
    for (let i = 0; i < count; i += 1) {
      if (node.whereis(keys[i & 63] as (typeof keys)[0]) !== undefined) found += 1;
    }
    const ms = performance.now() - startMs;
    if (found !== count) throw new Error("names are missing");
    return count / (ms / 1000);
  };

  return {
    rows: {
      burst,
      "ping-pong": pingPong,
      call: calls,
      "spawn-exit-down": () => asked("begin", 300_000),
      restart: restarts,
      "look-up": lookUps,
      "start-child": async () => {
        const perSec = await startMany(MANY);
        await stopMany();
        return perSec;
      },
      "stop-100k": async () => {
        await startMany(MANY);
        return stopMany();
      },
      "idle-process": async () => {
        collect();
        const before = process.memoryUsage().heapUsed;
        await startMany(IDLE_PROCESSES);
        collect();
        const bytes = (process.memoryUsage().heapUsed - before) / IDLE_PROCESSES;
        await stopMany();
        return bytes;
      },
      spawn: () => asked("many", 200_000),
      "start-timer": () => asked("timers", 300_000),
    },
    close: () => node.stop(),
  };
}

/** Worst lateness of a 1 ms timer until the returned function is called. */
export function watchLag(): () => number {
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

function collect(): void {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  gc();
  gc();
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("bench tree is not up");
  return value;
}
