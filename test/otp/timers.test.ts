/** Timers, sleeps and tasks (otp.md 2.3, 2.8, 4.4). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { child, defineActor, type Info, keyFor, reply } from "../../src/otp/index.ts";
import { TimerEntry, TimerWheel } from "../../src/otp/time/wheel.ts";
import { must, probe, probeKey, probeRef, startTop } from "./support.ts";

class Probe extends TimerEntry {
  readonly id: number;
  private readonly fired: { id: number; atMs: number }[];

  constructor(id: number, fired: { id: number; atMs: number }[]) {
    super();
    this.id = id;
    this.fired = fired;
  }

  expire(nowMs: number): void {
    this.fired.push({ id: this.id, atMs: nowMs });
  }
}

describe("the wheel", () => {
  const delay = fc.oneof(
    fc.nat(70),
    fc.nat(5_000),
    fc.nat(400_000),
    fc.nat(5_000_000_000),
    fc.double({ min: 0, max: 100, noNaN: true }),
  );

  it("fires in (deadline, start) order, never early, at most a tick late, cancelled ones never", () => {
    const timers = fc.array(fc.record({ delay, isCancelled: fc.boolean() }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.nat(1e7), timers, (startMs, plan) => {
        const wheel = new TimerWheel(startMs);
        const fired: { id: number; atMs: number }[] = [];
        const entries = plan.map((_, id) => new Probe(id, fired));
        for (const [id, entry] of entries.entries())
          wheel.start(entry, startMs + must(plan[id]).delay);
        for (const [id, entry] of entries.entries())
          if (must(plan[id]).isCancelled) expect(wheel.cancel(entry)).toBe(true);
        for (let tick = wheel.nextTickMs(); tick !== undefined; tick = wheel.nextTickMs())
          wheel.advance(tick);
        const expected = plan
          .map((timer, id) => ({ ...timer, id, dueMs: startMs + timer.delay }))
          .filter((timer) => !timer.isCancelled)
          .sort((a, b) => a.dueMs - b.dueMs || a.id - b.id);
        expect(fired.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
        for (const { id, atMs } of fired) {
          const lateMs = atMs - (startMs + must(plan[id]).delay);
          expect(lateMs).toBeGreaterThanOrEqual(0);
          expect(lateMs).toBeLessThanOrEqual(1);
        }
        expect(wheel.size).toBe(0);
      }),
    );
  });

  it("fires what one long advance passes over, in order", () => {
    const wheel = new TimerWheel(0);
    const fired: { id: number; atMs: number }[] = [];
    for (const [id, deadlineMs] of [90_000, 5, 70, 4_097, 64, 0].entries())
      wheel.start(new Probe(id, fired), deadlineMs);
    wheel.advance(100_000);
    expect(fired.map(({ id }) => id)).toEqual([5, 1, 4, 2, 3, 0]);
  });
});

const ticker = defineActor({
  name: "test/ticker",
  init: (_args: undefined) => [] as Info[],
  calls: { infos: (state) => reply(state, state) },
  casts: {
    act: (state, body: (ctx: import("../../src/otp/index.ts").Ctx) => void, ctx) => {
      body(ctx);
      return state;
    },
    busy: async (state, ms: number, ctx) => {
      await ctx.sleep(ms);
      return state;
    },
  },
  on: (state, info) => [...state, info],
});
const tickerKey = keyFor(ticker);

async function startTicker() {
  const node = await startTop([child(ticker, undefined, { register: tickerKey() })]);
  return { node, ref: must(node.whereis(tickerKey())) };
}

describe("process timers", () => {
  it("mail their key and payload once, and the same key replaces", async () => {
    const { node, ref } = await startTicker();
    ref.cast.act((ctx) => {
      ctx.after(100, "a", 1);
      ctx.after(200, "a", 2);
      ctx.after(50, "b");
    });
    await node.advance(1_000);
    expect(await ref.call.infos()).toEqual([
      { type: "timer", key: "b", payload: undefined },
      { type: "timer", key: "a", payload: 2 },
    ]);
  });

  it("cancelled tell how much was left", async () => {
    const { node, ref } = await startTicker();
    const left: unknown[] = [];
    ref.cast.act((ctx) => ctx.after(100, "a"));
    await node.advance(30);
    ref.cast.act((ctx) => void left.push(ctx.cancel("a"), ctx.cancel("a")));
    await node.advance(1_000);
    expect(left).toEqual([70, false]);
    expect(await ref.call.infos()).toEqual([]);
  });

  it("of an interval never queue twice, and do not drift", async () => {
    const { node, ref } = await startTicker();
    ref.cast.act((ctx) => ctx.every(100, "tick"));
    await node.settle();
    ref.cast.busy(350);
    await node.advance(350);
    expect(await ref.call.infos()).toHaveLength(1);
    await node.advance(50);
    expect(await ref.call.infos()).toHaveLength(2);
  });

  it("die with their process; one sent to a key goes to who holds it at expiry", async () => {
    const node = await startTop([
      child(ticker, undefined, { register: tickerKey() }),
      child(probe, { name: "p" }, { register: probeKey("p") }),
    ]);
    probeRef(node, "p").cast.act((ctx) => {
      ctx.after(100, "mine");
      ctx.after(100, "yours", 1, { to: tickerKey() });
    });
    await node.settle();
    node.inspector.exit("test/n/p/probe", "kill");
    await node.advance(200);
    expect(await probeRef(node, "p").call.infos()).toEqual([]);
    expect(await must(node.whereis(tickerKey())).call.infos()).toEqual([
      { type: "timer", key: "yours", payload: 1 },
    ]);
  });

  it("may lie beyond what the host's timers can express", async () => {
    const { node, ref } = await startTicker();
    const monthMs = 40 * 86_400_000;
    ref.cast.act((ctx) => ctx.after(monthMs, "late"));
    await node.advance(monthMs - 1);
    expect(await ref.call.infos()).toEqual([]);
    await node.advance(1);
    expect(await ref.call.infos()).toHaveLength(1);
  });
});

describe("tasks", () => {
  it("mail their outcome; a failure is a value", async () => {
    const { node, ref } = await startTicker();
    ref.cast.act((ctx) => {
      ctx.task("good", async () => 42);
      ctx.task("bad", () => {
        throw new Error("no");
      });
    });
    await node.settle();
    const infos = await ref.call.infos();
    expect(infos).toHaveLength(2);
    expect(infos).toContainEqual({ type: "task", key: "good", result: { ok: true, value: 42 } });
    expect(infos).toContainEqual({
      type: "task",
      key: "bad",
      result: { ok: false, reason: { error: new Error("no") } },
    });
  });

  it("time out, with their signal aborted", async () => {
    const { node, ref } = await startTicker();
    let isAborted = false;
    ref.cast.act((ctx) =>
      ctx.task(
        "slow",
        (signal) => {
          signal.addEventListener("abort", () => {
            isAborted = true;
          });
          return new Promise(() => {});
        },
        { timeoutMs: 80 },
      ),
    );
    await node.advance(80);
    expect(await ref.call.infos()).toEqual([
      { type: "task", key: "slow", result: { ok: false, reason: "timeout" } },
    ]);
    expect(isAborted).toBe(true);
  });

  it("started again under a running key drop the older result", async () => {
    const { node, ref } = await startTicker();
    ref.cast.act((ctx) => {
      ctx.task("k", () => new Promise(() => {}));
      ctx.task("k", async () => "new");
    });
    await node.settle();
    expect(await ref.call.infos()).toEqual([
      { type: "task", key: "k", result: { ok: true, value: "new" } },
    ]);
  });

  it("beyond 64 of one owner fail at once", async () => {
    const { node, ref } = await startTicker();
    ref.cast.act((ctx) => {
      for (let i = 0; i < 65; i += 1) ctx.task(`t${i}`, () => new Promise(() => {}));
    });
    await node.settle();
    expect(await ref.call.infos()).toEqual([
      { type: "task", key: "t64", result: { ok: false, reason: "overloaded" } },
    ]);
  });
});
