/** Stray errors belong to the process whose code caused them (otp.md 4.3), on real time. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { child, createNode, type Ctx, type Node, supervisor } from "../../src/otp/index.ts";
import { must, probe, probeKey } from "./support.ts";

const EVENTS = ["unhandledRejection", "uncaughtException"] as const;
const held = new Map<string, ((...args: unknown[]) => void)[]>();

/* The test runner listens too and would fail the run: it steps aside while one claim runs. */
beforeEach(() => {
  for (const name of EVENTS) {
    held.set(name, process.listeners(name as "exit") as never);
    process.removeAllListeners(name);
  }
});
afterEach(() => {
  for (const name of EVENTS) {
    process.removeAllListeners(name);
    for (const listener of held.get(name) ?? []) process.on(name, listener);
  }
});

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const fail = (): never => {
  throw new Error("stray");
};

/** Eight ways to lose an error. */
const kinds: Readonly<Record<string, (ctx: Ctx) => void>> = {
  "un-awaited rejection": () => void Promise.reject(new Error("stray")),
  "late rejection": () => void later(3).then(fail),
  "throw in setTimeout": () => void setTimeout(fail, 2),
  "throw in setImmediate": () => void setImmediate(fail),
  "throw in nextTick": () => process.nextTick(fail),
  "throw in a microtask": () => queueMicrotask(fail),
  "throw after an await": () =>
    void (async () => {
      await later(1);
      fail();
    })(),
  "rejection of an async timer callback": () =>
    void setTimeout(() => void (async () => fail())(), 1),
};

async function start(strays: unknown[] = []): Promise<Node> {
  const node = createNode({ onStray: (error) => strays.push(error) });
  await node.start(
    supervisor("top", {
      intensity: 5,
      children: ["a", "b"].map((name) => child(probe, { name }, { register: probeKey(name) })),
    }),
  );
  return node;
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 2_000;
  while (!isTrue() && performance.now() < deadlineMs) await later(1);
}

describe("a stray error", () => {
  it.each(Object.keys(kinds))("ends its process and nothing else: %s", async (kind) => {
    const strays: unknown[] = [];
    const node = await start(strays);
    const [a, b] = [must(node.whereis(probeKey("a"))), must(node.whereis(probeKey("b")))];
    a.cast.act(must(kinds[kind]));
    await until(() => !a.isAlive);
    expect([a.isAlive, b.isAlive, strays]).toEqual([false, true, []]);
    expect(node.inspector.tree()?.children[0]).toMatchObject({
      last_exit: "Error: stray",
      restarts: { count: 1 },
    });
    expect(await node.via(probeKey("a")).call.get()).toBe(0);
    await node.stop();
  });

  it.each(["a deadline", "the callee's death"])(
    "of a call that nobody awaits, failed by %s, belongs to the caller",
    async (how) => {
      const strays: unknown[] = [];
      const node = await start(strays);
      const [a, b] = [must(node.whereis(probeKey("a"))), must(node.whereis(probeKey("b")))];
      a.cast.act(() => void b.call.never(undefined, { timeoutMs: 5 }));
      await later(1);
      if (how !== "a deadline") node.inspector.exit(b, "kill");
      await until(() => !a.isAlive);
      expect([a.isAlive, strays]).toEqual([false, []]);
      await node.stop();
    },
  );

  it("of nobody goes to the node's policy", async () => {
    const strays: unknown[] = [];
    const node = await start(strays);
    queueMicrotask(fail);
    await until(() => strays.length > 0);
    expect(strays).toEqual([new Error("stray")]);
    await node.stop();
  });

  it("that comes after the end of its node harms nobody", async () => {
    const strays: unknown[] = [];
    const node = await start(strays);
    must(node.whereis(probeKey("a"))).cast.act(() => void setTimeout(fail, 10));
    await later(1);
    await node.stop();
    await later(20);
    expect(strays).toEqual([]);
    expect(node.inspector.counters()["zombieOps"]).toBe(1);
  });

  it("of a dead process is counted and dropped", async () => {
    const strays: unknown[] = [];
    const node = await start(strays);
    must(node.whereis(probeKey("a"))).cast.act(() => void setTimeout(fail, 5));
    await later(1);
    node.inspector.exit("test/n/a/probe", "kill");
    await until(() => (node.inspector.counters()["zombieOps"] ?? 0) > 0);
    expect(strays).toEqual([]);
    expect(node.inspector.counters()["zombieOps"]).toBe(1);
    await node.stop();
  });
});

describe("a node on real time", () => {
  it("never starves timers while messages storm", async () => {
    const node = await start();
    const [a, b] = [must(node.whereis(probeKey("a"))), must(node.whereis(probeKey("b")))];
    const storm = (left: number) => (): void => {
      if (left > 0) (left % 2 === 0 ? a : b).cast.act(storm(left - 1));
    };
    a.cast.act(storm(3_000_000));
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 1);
    await later(100);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(10);
    for (const name of ["a", "b"]) node.inspector.exit(`test/n/${name}/probe`, "kill");
    await node.stop();
  });

  it("tells of a handler that holds the event loop", async () => {
    const node = await start();
    const told: unknown[] = [];
    node.telemetry.attach("long", "otp.turn.long", (event) => told.push(event.process));
    await must(node.whereis(probeKey("a"))).call.run(() => {
      const endMs = performance.now() + 60;
      while (performance.now() < endMs);
    });
    await later(1);
    expect(told).toEqual(["test/n/a/probe"]);
    await node.stop();
  });

  it("names the one slow process among many once it is slow again", async () => {
    const node = await start();
    const [a, b] = [must(node.whereis(probeKey("a"))), must(node.whereis(probeKey("b")))];
    const told: unknown[] = [];
    node.telemetry.attach("long", "otp.turn.long", ({ process: who, fields }) =>
      told.push([who, fields["count"]]),
    );
    for (let round = 0; round < 2; round += 1) {
      a.cast.act(() => {
        const endMs = performance.now() + 60;
        while (performance.now() < endMs);
      });
      b.cast.set(round);
      await later(1);
    }
    expect(told).toEqual([
      ["test/n/b/probe", 2],
      ["test/n/a/probe", 1],
    ]);
    await node.stop();
  });

  it("fires its timers late at most, never early", async () => {
    const node = await start();
    const a = must(node.whereis(probeKey("a")));
    const waitedMs = (await a.call.run(async (ctx) => {
      const startMs = ctx.now();
      await ctx.sleep(20);
      return ctx.now() - startMs;
    })) as number;
    expect(waitedMs).toBeGreaterThanOrEqual(20);
    await node.stop();
  });

  it("fails a call at its deadline", async () => {
    const node = await start();
    const a = must(node.whereis(probeKey("a")));
    expect(await a.try.never(undefined, { timeoutMs: 15 })).toEqual({
      ok: false,
      reason: "timeout",
    });
    await node.stop();
  });
});
