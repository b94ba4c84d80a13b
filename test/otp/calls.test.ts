/** Calls (otp.md 1.12, 4.7). */
import { describe, expect, it } from "vitest";
import {
  child,
  defineActor,
  ExitError,
  keyFor,
  next,
  reply,
  type VirtualNode,
} from "../../src/otp/index.ts";
import { must, probe, probeKey, probeRef, startTop, trapper, trapperKey } from "./support.ts";

async function pair(): Promise<VirtualNode> {
  return startTop([
    child(probe, { name: "a" }, { register: probeKey("a") }),
    child(trapper, { name: "t" }, { register: trapperKey("t") }),
  ]);
}

describe("a call", () => {
  it("fails with timeout after 5 s, and the late answer never arrives", async () => {
    const node = await pair();
    let outcome: unknown;
    const call = probeRef(node, "a").call.never();
    call.catch((error: unknown) => {
      outcome = error;
    });
    await node.advance(4999);
    expect(outcome).toBeUndefined();
    await node.advance(1);
    expect(outcome).toBeInstanceOf(ExitError);
    expect(outcome).toMatchObject({ code: "OTP_TIMEOUT", reason: "timeout", request: "never" });
  });

  it("fails with the callee's reason when it dies first", async () => {
    const node = await pair();
    const result = probeRef(node, "a").try.never();
    probeRef(node, "a").cast.stop("boom");
    await node.settle();
    expect(await result).toEqual({ ok: false, reason: "boom" });
  });

  it("to a dead process fails with noproc, and to oneself with calling_self", async () => {
    const node = await pair();
    const a = probeRef(node, "a");
    expect(await a.call.run((ctx) => must(ctx.whereis(probeKey("a"))).try.get())).toEqual({
      ok: false,
      reason: "calling_self",
    });
    a.cast.stop("normal");
    await node.settle();
    expect(await a.try.get()).toEqual({ ok: false, reason: "noproc" });
    await expect(a.call.get()).rejects.toMatchObject({ code: "OTP_NO_PROCESS" });
  });

  it("through a key finds the process that holds it at send time", async () => {
    const node = await pair();
    const via = node.via(probeKey("a"));
    via.cast.set(7);
    expect(await via.call.get()).toBe(7);
    via.cast.stop("boom");
    await node.settle();
    expect(await via.call.get()).toBe(0);
    expect(await node.via(probeKey("nobody")).try.get()).toEqual({ ok: false, reason: "noproc" });
  });

  it("stopped with an answer: terminate, then the answer, then the exit", async () => {
    const log: string[] = [];
    const node = await startTop([
      child(trapper, { name: "t", log }, { register: trapperKey("t") }),
    ]);
    node.telemetry.attach("exit", "otp.exit", () => log.push("exit"));
    const t = must(node.whereis(trapperKey("t")));
    await t.call.stopWith("normal").then(() => log.push("answer"));
    await node.settle();
    expect(log.filter((line) => !line.startsWith("init"))).toEqual([
      "terminate t normal",
      "exit",
      "answer",
    ]);
  });

  it("that nobody knows gives bad_call and leaves the callee alone", async () => {
    const node = await pair();
    const t = must(node.whereis(trapperKey("t"))) as unknown as { id: string };
    const foreign = node.via({ ...probeKey("x"), name: "test/n/t/trapper" });
    expect(await foreign.try.run(() => {})).toEqual({ ok: false, reason: "bad_call" });
    expect(node.inspector.resolve("test/n/t/trapper")).toBe(t.id);
  });
});

describe("a ring of waiting calls", () => {
  it("is told at call time, by name", async () => {
    const node = await startTop(
      ["a", "b"].map((name) => child(probe, { name }, { register: probeKey(name) })),
    );
    const rings: unknown[] = [];
    node.telemetry.attach("ring", "otp.call.cycle", (event) => rings.push(event.fields["path"]));
    const ask = (from: string, to: string): void =>
      probeRef(node, from).cast.wait(async (ctx) => {
        await must(ctx.whereis(probeKey(to))).try.get();
      });
    ask("a", "b");
    ask("b", "a");
    await node.settle();
    expect(rings).toEqual([["test/n/b/probe", "test/n/a/probe", "test/n/b/probe"]]);
  });
});

const small = (overflow: "reject" | "drop-oldest" | "exit") =>
  defineActor({
    name: `test/small-${overflow}`,
    mailbox: { max: 3, overflow },
    init: (_args: undefined) => [] as number[],
    calls: { seen: (state) => reply(state, state) },
    casts: {
      block: async (state, _arg: undefined, ctx) => {
        await ctx.sleep(10);
        return state;
      },
      add: (state, n: number) => [...state, n],
    },
  });

describe("a full mailbox", () => {
  it("rejects casts silently but counted, and calls with overloaded", async () => {
    const def = small("reject");
    const key = keyFor(def);
    const node = await startTop([child(def, undefined, { register: key() })]);
    const dropped: unknown[] = [];
    node.telemetry.attach("drop", "otp.mailbox.dropped", ({ fields }) => dropped.push(fields));
    const ref = must(node.whereis(key()));
    ref.cast.block();
    await node.settle();
    for (let n = 1; n <= 5; n += 1) ref.cast.add(n);
    expect(await ref.try.seen()).toEqual({ ok: false, reason: "overloaded" });
    await node.advance(10);
    expect(await ref.call.seen()).toEqual([1, 2, 3]);
    expect(node.inspector.info(ref)?.dropped).toBe(3);
    expect(dropped).toEqual([expect.objectContaining({ policy: "reject", length: 3 })]);
  });

  it("drops the oldest user message when told so", async () => {
    const def = small("drop-oldest");
    const key = keyFor(def);
    const node = await startTop([child(def, undefined, { register: key() })]);
    const ref = must(node.whereis(key()));
    ref.cast.block();
    await node.settle();
    for (let n = 1; n <= 5; n += 1) ref.cast.add(n);
    await node.advance(10);
    expect(await ref.call.seen()).toEqual([3, 4, 5]);
  });

  it("ends the process when told so", async () => {
    const def = small("exit");
    const key = keyFor(def);
    const node = await startTop([child(def, undefined, { register: key() })]);
    const ref = must(node.whereis(key()));
    ref.cast.block();
    await node.settle();
    for (let n = 1; n <= 4; n += 1) ref.cast.add(n);
    await node.settle();
    expect(ref.isAlive).toBe(false);
    expect(node.inspector.tree()?.children[0]?.last_exit).toContain("MailboxOverflow");
  });

  it("still takes exits, timers and downs, in order", async () => {
    const def = defineActor({
      name: "test/full",
      mailbox: { max: 1 },
      trapExit: true,
      init: (_args: undefined, ctx) => {
        ctx.after(5, "tick");
        return [] as string[];
      },
      calls: { seen: (state) => reply(state, state) },
      casts: {
        block: async (state, _arg: undefined, ctx) => {
          await ctx.sleep(10);
          return state;
        },
      },
      on: (state, info) => [...state, info.type],
    });
    const key = keyFor(def);
    const node = await startTop([child(def, undefined, { register: key() })]);
    const ref = must(node.whereis(key()));
    ref.cast.block();
    await node.settle();
    ref.send(1);
    ref.send(2);
    node.inspector.exit(ref, "hello");
    await node.advance(10);
    expect(await ref.call.seen()).toEqual(["info", "exit", "timer"]);
  });
});

describe("what may follow a turn", () => {
  const def = defineActor({
    name: "test/follow",
    init: (_args: undefined) => next([] as string[], { continueWith: "first" }),
    calls: { seen: (state) => reply(state, state) },
    casts: { rest: (state, ms: number) => next(state, { timeoutMs: ms }), touch: (state) => state },
    on: (state, info) => [...state, info.type],
  });
  const key = keyFor(def);

  it("continue runs before any other message", async () => {
    const node = await startTop([child(def, undefined, { register: key() })]);
    expect(await must(node.whereis(key())).call.seen()).toEqual(["continue"]);
  });

  it("idle comes only when nothing else does", async () => {
    const node = await startTop([child(def, undefined, { register: key() })]);
    const ref = must(node.whereis(key()));
    ref.cast.rest(50);
    await node.advance(49);
    ref.cast.touch();
    await node.advance(500);
    expect(await ref.call.seen()).toEqual(["continue"]);
    ref.cast.rest(50);
    await node.advance(50);
    expect(await ref.call.seen()).toEqual(["continue", "idle"]);
  });
});
