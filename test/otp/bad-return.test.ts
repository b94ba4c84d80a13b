/** The rules of gen_server's callbacks: what they may return, and what nonsense does (otp.md 1.12). */
import { setup } from "xstate";
import { describe, expect, it } from "vitest";
import {
  child,
  type ChildSpec,
  createVirtualNode,
  defineActor,
  defineMachineActor,
  dynamicSupervisor,
  ignore,
  keyFor,
  later,
  next,
  type Reason,
  refuse,
  reply,
  stop,
  supervisor,
  type VirtualNode,
} from "../../src/otp/index.ts";
import { must, startTop } from "./support.ts";

/** What plain JavaScript may return from any callback. */
interface Plan {
  readonly give: () => unknown;
}

const liar = defineActor({
  name: "test/liar",
  trapExit: true,
  init: (log: string[]) => ({ log }),
  calls: {
    answer: (_state, plan: Plan) => plan.give() as never,
    slow: async (_state, plan: Plan) => (await plan.give()) as never,
    get: (state) => reply(state, state.log.length),
  },
  casts: {
    take: (_state, plan: Plan) => plan.give() as never,
    later: async (_state, plan: Plan) => (await plan.give()) as never,
  },
  on: (state, info) => (info.type === "info" ? ((info.payload as Plan).give() as never) : state),
  terminate: (state) => {
    state.log.push("terminate");
    return reply(state, "ignored");
  },
});
const liarKey = keyFor(liar);

/** Exit reasons of the liar, in order; its log. */
async function startLiar(): Promise<{ node: VirtualNode; exits: Reason[]; log: string[] }> {
  const log: string[] = [];
  const node = await startTop([child(liar, log, { register: liarKey() })]);
  const exits: Reason[] = [];
  node.telemetry.attach("exits", "otp.exit", ({ fields }) => exits.push(fields.reason));
  return { node, exits, log };
}
const bad = (callback: string, value: unknown): Reason => ["bad_return_value", { callback, value }];
const state = { log: [] };

describe("a callback that returns nonsense ends its own process, by name and value:", () => {
  const nonsense: readonly (readonly [string, unknown, unknown])[] = [
    ["a reply to a cast", reply(state, 1), "reply(..)"],
    ["a caller kept waiting by a cast", later(state), "later(..)"],
    ["ignore outside init", ignore, "ignore"],
    ["refuse outside init", refuse("no"), "refuse(..)"],
    ["a forgotten return", undefined, "undefined"],
    ["a decision inside a decision", next(next(state)), "next(..)"],
    ["a timeout that is no number", next(state, { timeoutMs: "5" as never }), "next(..)"],
    ["a timeout below zero", next(state, { timeoutMs: -1 }), "next(..)"],
    ["a timeout that is NaN", next(state, { timeoutMs: Number.NaN }), "next(..)"],
  ];

  it.each(nonsense)("%s", async (_what, value, shown) => {
    const { node, exits, log } = await startLiar();
    const ref = must(node.whereis(liarKey()));
    const give = (): unknown => value;
    ref.cast.take({ give });
    await node.settle();
    must(node.whereis(liarKey())).cast.later({ give });
    await node.settle();
    must(node.whereis(liarKey())).send({ give });
    await node.settle();
    expect(exits).toEqual([
      bad("casts.take", shown),
      bad("casts.later", shown),
      bad("on.info", shown),
    ]);
    expect(log).toEqual(["terminate", "terminate", "terminate"]);
    expect(node.whereis(liarKey())?.isAlive).toBe(true);
  });

  const unanswered: readonly (readonly [string, unknown, unknown])[] = [
    ["a call without an answer", state, { log: [] }],
    ["a call that only goes on", next(state), "next(..)"],
    ["a call that forgets its return", undefined, "undefined"],
    ["an answer inside an answer", reply(reply(state, 1) as never, 2), "reply(..)"],
    ["a wait inside an answer", reply(later(state) as never, 2), "reply(..)"],
    ["an answer inside a wait", later(reply(state, 1) as never), "later(..)"],
    ["an answer that forgets the state", reply(undefined, 1), "reply(..)"],
    ["an answer with a bad timeout", reply(next(state, { timeoutMs: -5 }), 1), "reply(..)"],
  ];

  it.each(unanswered)("%s, and its caller hears the same reason", async (_what, value, shown) => {
    const { node, exits } = await startLiar();
    const reason = bad("calls.answer", shown);
    const ref = must(node.whereis(liarKey()));
    expect(await ref.try.answer({ give: () => value })).toEqual({ ok: false, reason });
    const again = must(node.whereis(liarKey()));
    const slow = again.try.slow({ give: async () => value });
    await node.settle();
    expect(await slow).toEqual({ ok: false, reason: bad("calls.slow", shown) });
    expect(exits).toEqual([reason, bad("calls.slow", shown)]);
  });

  it("an init, whose start fails with the reason", async () => {
    for (const [value, shown] of [
      [reply(0, 1), "reply(..)"],
      [stop(0), "stop(..)"],
      [next(ignore), "next(..)"],
      [next(0, { timeoutMs: -1 }), "next(..)"],
    ] as const) {
      const def = defineActor({ name: "test/bad", init: (_args: undefined) => value as never });
      const top = supervisor("top", { children: [child(def, undefined, { id: "x" })] });
      await expect(createVirtualNode().start(top)).rejects.toMatchObject({
        reason: { shutdown: ["failed_to_start_child", "x", bad("init", shown)] },
      });
    }
  });

  it("a machine's `on` that gives something else than an event", async () => {
    const machine = setup({ types: { events: {} as { type: "GO" } } }).createMachine({});
    const def = defineMachineActor(machine, {
      name: "test/machine",
      input: (_args: undefined) => undefined as never,
      on: () => 5 as never,
    });
    const key = keyFor(def);
    const node = await startTop([child(def, undefined, { register: key() })]);
    const exits: unknown[] = [];
    node.telemetry.attach("exits", "otp.exit", ({ fields }) => exits.push(fields["reason"]));
    must(node.whereis(key())).send("x");
    await node.settle();
    expect(exits).toEqual([bad("on.info", 5)]);
  });

  it("shows the value cut and redacted: reasons go to logs", async () => {
    const { node, exits } = await startLiar();
    const secretive = { password: "hunter2", list: Array.from({ length: 50 }, () => 1) };
    await must(node.whereis(liarKey())).try.answer({ give: () => secretive });
    expect(JSON.stringify(exits)).not.toContain("hunter2");
    expect(JSON.stringify(exits)).toContain("20 more");
  });

  it("next(undefined) says that no state is meant, and goes on", async () => {
    const def = defineActor({
      name: "test/void",
      init: (_args: undefined): number | undefined => 1,
      calls: { get: (held) => reply(next(held), held) },
      casts: { drop: () => next(undefined) },
    });
    const key = keyFor(def);
    const node = await startTop([child(def, undefined, { register: key() })]);
    const ref = must(node.whereis(key()));
    ref.cast.drop();
    expect(await ref.call.get()).toBeUndefined();
  });

  it("a template that gives no spec fails the start by value and harms nobody", async () => {
    const specs: unknown[] = [undefined, 5, { id: "x" }, { id: "x", start: 5 }];
    const spec = dynamicSupervisor<number>("many", {
      template: (index) => specs[index] as ChildSpec,
    });
    const node = await startTop([spec]);
    const many = must(node.supervisor<number>("many"));
    const reasons = [];
    for (const index of specs.keys()) reasons.push(await many.startChild(index));
    expect(reasons).toEqual([
      { ok: false, reason: ["invalid_child_spec", undefined] },
      { ok: false, reason: ["invalid_child_spec", 5] },
      { ok: false, reason: "missing_start" },
      { ok: false, reason: ["invalid_mfa", 5] },
    ]);
    expect(many.isAlive).toBe(true);
  });
});

describe("terminate", () => {
  it("replaces the reason by what it throws, at once or later", async () => {
    for (const isAsync of [false, true]) {
      const def = defineActor({
        name: "test/thrower",
        trapExit: true,
        init: (_args: undefined) => 0,
        casts: { stop: (held) => stop(held, "asked") },
        terminate: () => {
          if (isAsync) return Promise.reject(new Error("in terminate"));
          throw new Error("in terminate");
        },
      });
      const key = keyFor(def);
      const node = await startTop([child(def, undefined, { register: key() })]);
      must(node.whereis(key())).cast.stop();
      await node.settle();
      expect(node.inspector.tree()?.children[0]?.last_exit).toBe("Error: in terminate");
    }
  });

  it("runs with the parent's reason when its exit is trapped, without asking `on`", async () => {
    const seen: string[] = [];
    const def = defineActor({
      name: "test/heir",
      trapExit: true,
      init: (_args: undefined) => 0,
      on: (held, info) => {
        seen.push(`on ${info.type}`);
        return held;
      },
      terminate: (_held, reason) => void seen.push(`terminate ${JSON.stringify(reason)}`),
    });
    const node = await startTop([child(def, undefined, { id: "x" })]);
    await node.stop(Number.POSITIVE_INFINITY, { shutdown: "over" });
    expect(seen).toEqual(['terminate "shutdown"']);
  });
});

describe("idle", () => {
  it("does not come when something lay in the mailbox as it was due", async () => {
    const def = defineActor({
      name: "test/idler",
      init: (_args: undefined) => [] as string[],
      calls: { seen: (held) => reply(held, held) },
      casts: { rest: (held, ms: number) => next(held, { timeoutMs: ms }) },
      on: (held, info) => [...held, info.type],
    });
    const key = keyFor(def);
    const node = await startTop([child(def, undefined, { register: key() })]);
    const ref = must(node.whereis(key()));
    ref.cast.rest(50);
    await node.settle();
    await node.drive(node.inspector.suspend(ref));
    ref.send("waiting");
    await node.advance(100);
    await node.drive(node.inspector.resume(ref));
    expect(await ref.call.seen()).toEqual(["info"]);
  });
});
