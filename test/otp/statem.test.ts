/** Machines as gen_statem: postponed events, timeouts, order, ends and crashes (otp.md 2.2, 5). */
import fc from "fast-check";
import { assign, cancel, raise, setup } from "xstate";
import { describe, expect, it } from "vitest";
import { child, defineMachineActor, keyFor, type VirtualNode } from "../../src/otp/index.ts";
import { isSameValue } from "../../src/otp/actor/postponed.ts";
import { must, startTop } from "./support.ts";

interface Job {
  readonly n: number;
}

/** A worker that takes jobs only when open; a job closes it, DONE opens it. */
const desk = setup({
  types: {
    context: {} as { readonly log: string[]; readonly taps: number },
    events: {} as
      | { type: "OPEN" }
      | { type: "DONE" }
      | { type: "TAP" }
      | { type: "END" }
      | { type: "WAIT" }
      | ({ type: "JOB" } & Job)
      | ({ type: "NOTE" } & Job),
    input: {} as string[],
  },
  actions: {
    note: (_args, _params: { readonly text: string }) => {},
    tap: assign({ taps: ({ context }) => context.taps + 1 }),
  },
}).createMachine({
  context: ({ input }) => ({ log: input, taps: 0 }),
  initial: "shut",
  states: {
    shut: { on: { OPEN: "open", TAP: { actions: "tap" }, WAIT: "later" } },
    open: {
      on: {
        JOB: {
          target: "busy",
          actions: { type: "note", params: ({ event }) => ({ text: `job ${event.n}` }) },
        },
        NOTE: { actions: { type: "note", params: ({ event }) => ({ text: `note ${event.n}` }) } },
      },
    },
    later: {
      after: { 0: "open" },
      on: { JOB: { actions: { type: "note", params: { text: "in later" } } } },
    },
    busy: { on: { DONE: "open" } },
    ended: { type: "final" },
  },
  on: { END: ".ended" },
});

const defineDesk = () =>
  defineMachineActor(desk, {
    name: "test/desk",
    input: (log: string[]) => log,
    postpone: ["JOB", "NOTE"],
    maxPostponed: 3,
    calls: {
      value: (snapshot) => snapshot.value,
      open: (_snapshot, _arg: undefined, send) => send({ type: "OPEN" }).value,
    },
    effects: { note: ({ text }, after) => void after.context.log.push(text) },
  });
const deskActor = defineDesk();
const deskKey = keyFor(deskActor);

async function startDesk() {
  const log: string[] = [];
  const node = await startTop([child(deskActor, log, { register: deskKey() })]);
  return { node, log, ref: must(node.whereis(deskKey())) };
}

describe("postponed events", () => {
  it("wait for a state that takes them, and come oldest first", async () => {
    const { node, log, ref } = await startDesk();
    ref.cast.JOB({ n: 1 });
    ref.cast.NOTE({ n: 2 });
    ref.cast.JOB({ n: 3 });
    await node.settle();
    expect(log).toEqual([]);
    ref.cast.OPEN();
    await node.settle();
    // The first job closed the desk again: what follows waits on.
    expect(log).toEqual(["job 1"]);
    ref.cast.DONE();
    await node.settle();
    expect(log).toEqual(["job 1", "note 2", "job 3"]);
    expect(await ref.call.value()).toBe("busy");
  });

  it("are not tried again when only the context changes", async () => {
    const { node, log, ref } = await startDesk();
    ref.cast.JOB({ n: 1 });
    ref.cast.TAP();
    ref.cast.TAP();
    await node.settle();
    expect(log).toEqual([]);
    expect(await ref.call.value()).toBe("shut");
  });

  it("come before what lies in the mailbox, and before a zero delay", async () => {
    const { node, log, ref } = await startDesk();
    ref.cast.NOTE({ n: 1 });
    ref.cast.JOB({ n: 2 });
    ref.cast.WAIT();
    ref.cast.NOTE({ n: 3 });
    await node.settle();
    expect(log).toEqual(["in later", "note 1", "note 3"]);
  });

  it("are taken after a call has changed the state too", async () => {
    const { log, ref } = await startDesk();
    ref.cast.JOB({ n: 1 });
    expect(await ref.call.open()).toBe("open");
    expect(log).toEqual(["job 1"]);
    expect(await ref.call.value()).toBe("busy");
  });

  it("beyond their bound are dropped, with one event until there is room", async () => {
    const { node, log, ref } = await startDesk();
    const full: unknown[] = [];
    node.telemetry.attach("full", "otp.postponed.full", ({ fields }) => full.push(fields));
    for (let n = 1; n <= 5; n += 1) ref.cast.NOTE({ n });
    await node.settle();
    expect(full).toEqual([{ pid: ref.id, type: "NOTE", limit: 3 }]);
    ref.cast.OPEN();
    await node.settle();
    expect(log).toEqual(["note 1", "note 2", "note 3"]);
  });

  it("are forgotten at a restart: a new machine owes nothing to the old one", async () => {
    const { node, log, ref } = await startDesk();
    ref.cast.NOTE({ n: 1 });
    await node.settle();
    node.inspector.exit(ref, "kill");
    await node.settle();
    must(node.whereis(deskKey())).cast.OPEN();
    await node.settle();
    expect(log).toEqual([]);
  });

  it("live on when the definition is upgraded", async () => {
    const { node, log, ref } = await startDesk();
    ref.cast.NOTE({ n: 1 });
    await node.settle();
    await node.drive(node.inspector.upgrade(ref, defineDesk()));
    ref.cast.OPEN();
    await node.settle();
    expect(log).toEqual(["note 1"]);
  });

  it("that the machine does not know are refused at definition", () => {
    expect(() =>
      defineMachineActor(desk, {
        name: "test/desk",
        input: (log: string[]) => log,
        postpone: ["NOPE" as "JOB"],
        effects: { note: () => {} },
      }),
    ).toThrow("postponed NOPE is no event of it");
  });

  it("agree with a model: a queue that is walked from its start at every new state", async () => {
    const step = fc.constantFrom("OPEN", "DONE", "TAP", "JOB", "NOTE");
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (plan) => {
        const { node, log, ref } = await startDesk();
        const model = new Model();
        for (const [n, type] of plan.entries()) {
          (ref.cast as unknown as Record<string, (arg: Job) => void>)[type]?.({ n });
          model.feed(type, n);
        }
        await node.settle();
        expect(log).toEqual(model.log);
        expect(await ref.call.value()).toBe(model.state);
      }),
      { numRuns: 60 },
    );
  });
});

/** The desk and its postponed events, written plainly. */
class Model {
  readonly log: string[] = [];
  state = "shut";
  private queue: (readonly [string, number])[] = [];

  feed(type: string, n: number): void {
    const before = this.state;
    const isWaiting = (type === "JOB" || type === "NOTE") && this.state !== "open";
    if (isWaiting) {
      if (this.queue.length < 3) this.queue.push([type, n]);
      return;
    }
    this.take(type, n);
    while (this.state !== before && this.state === "open" && this.queue.length > 0) {
      const [next, ...rest] = this.queue;
      this.queue = rest;
      this.take(must(next)[0], must(next)[1]);
    }
  }

  private take(type: string, n: number): void {
    if (type === "OPEN" && this.state === "shut") this.state = "open";
    if (type === "DONE" && this.state === "busy") this.state = "open";
    if (type === "NOTE") this.log.push(`note ${n}`);
    if (type !== "JOB") return;
    this.log.push(`job ${n}`);
    this.state = "busy";
  }
}

const clock = setup({
  types: {
    context: {} as { readonly log: string[]; readonly bad: boolean },
    events: {} as
      | { type: "GO" }
      | { type: "BACK" }
      | { type: "AGAIN" }
      | { type: "TICK"; name: string }
      | { type: "STOP" }
      | { type: "SILENT" }
      | { type: "TWO" }
      | { type: "BAD" }
      | { type: "GUARDED" },
    input: {} as string[],
  },
  guards: {
    broken: () => {
      throw new Error("guard");
    },
  },
  actions: {
    note: (_args, _params: { readonly text: string }) => {},
    spoil: assign({
      bad: () => {
        throw new Error("assign");
      },
    }),
  },
}).createMachine({
  context: ({ input }) => ({ log: input, bad: false }),
  initial: "idle",
  on: {
    TICK: { actions: { type: "note", params: ({ event }) => ({ text: `tick ${event.name}` }) } },
    SILENT: { actions: { type: "note", params: { text: "silent" } } },
    STOP: { actions: cancel("named") },
    TWO: {
      actions: [
        raise({ type: "TICK", name: "one" }, { delay: 10 }),
        raise({ type: "TICK", name: "two" }, { delay: 20 }),
      ],
    },
    BAD: { actions: ["spoil", { type: "note", params: { text: "never" } }] },
    GUARDED: { guard: "broken", target: ".timed" },
  },
  states: {
    idle: { on: { GO: "timed" } },
    timed: {
      entry: raise({ type: "TICK", name: "named" }, { delay: 300, id: "named" }),
      after: { 100: { actions: { type: "note", params: { text: "state timeout" } } } },
      on: { BACK: "idle", AGAIN: { target: "timed", reenter: true } },
    },
  },
});

const clockActor = defineMachineActor(clock, {
  name: "test/clock",
  input: (log: string[]) => log,
  idleMs: (snapshot) => (snapshot.matches("idle") ? 1_000 : undefined),
  calls: { value: (snapshot) => snapshot.value },
  effects: { note: ({ text }, after) => void after.context.log.push(text) },
  on: (info) => (info.type === "idle" ? { type: "SILENT" } : undefined),
});
const clockKey = keyFor(clockActor);

async function startClock(): Promise<{
  node: VirtualNode;
  log: string[];
  send: (type: "GO" | "BACK" | "AGAIN" | "STOP" | "TWO" | "BAD" | "GUARDED") => Promise<void>;
}> {
  const log: string[] = [];
  const node = await startTop([child(clockActor, log, { register: clockKey() })]);
  const send = async (type: "GO" | "BACK" | "AGAIN" | "STOP" | "TWO" | "BAD" | "GUARDED") => {
    must(node.whereis(clockKey())).cast[type]();
    await node.settle();
  };
  return { node, log, send };
}

describe("timeouts of a machine", () => {
  it("of a state die with their state; named ones live on", async () => {
    const { node, log, send } = await startClock();
    await send("GO");
    await node.advance(50);
    await send("BACK");
    await node.advance(400);
    expect(log).toEqual(["tick named"]);
  });

  it("with a name end by that name only", async () => {
    const { node, log, send } = await startClock();
    await send("GO");
    await send("STOP");
    await node.advance(400);
    expect(log).toEqual(["state timeout"]);
  });

  it("start anew when their state is entered again: cancelled first, then raised", async () => {
    const { node, log, send } = await startClock();
    await send("GO");
    await node.advance(80);
    await send("AGAIN");
    await node.advance(80);
    expect(log).toEqual([]);
    await node.advance(20);
    expect(log).toEqual(["state timeout"]);
  });

  it("without a name do not replace each other", async () => {
    const { node, log, send } = await startClock();
    await send("TWO");
    await send("TWO");
    await node.advance(30);
    expect(log).toEqual(["tick one", "tick one", "tick two", "tick two"]);
  });

  it("of idleness die with any message, and are asked for after each", async () => {
    const { node, log, send } = await startClock();
    await node.advance(900);
    must(node.whereis(clockKey())).send("anything");
    await node.advance(900);
    expect(log).toEqual([]);
    await node.advance(100);
    expect(log).toEqual(["silent"]);
    await send("GO");
    await send("STOP");
    await node.advance(5_000);
    expect(log).toEqual(["silent", "state timeout"]);
  });
});

describe("a machine that fails", () => {
  const crash = async (type: "BAD" | "GUARDED") => {
    const { node, log, send } = await startClock();
    const crashes: unknown[] = [];
    node.telemetry.attach("crash", "otp.crash", ({ fields }) =>
      crashes.push([fields["reason"], fields["state"]]),
    );
    await send("GO");
    await send(type);
    return { crashes, log, value: await must(node.whereis(clockKey())).call.value() };
  };

  it("in an assignment crashes its process; the snapshot is still the old one", async () => {
    const { crashes, log, value } = await crash("BAD");
    expect(crashes).toEqual([["Error: assign", { value: "timed", status: "active" }]]);
    expect(log).toEqual([]);
    expect(value).toBe("idle");
  });

  it("in a guard does so too", async () => {
    const { crashes, value } = await crash("GUARDED");
    expect(crashes).toEqual([
      [expect.stringContaining("guard"), { value: "timed", status: "active" }],
    ]);
    expect(value).toBe("idle");
  });
});

describe("a machine that is over", () => {
  it("at its start ends normally, in a turn of its own", async () => {
    const machine = setup({ types: { events: {} as { type: "GO" } } }).createMachine({
      initial: "end",
      states: { end: { type: "final" } },
    });
    const def = defineMachineActor(machine, {
      name: "test/over",
      input: (_args: undefined) => undefined as never,
    });
    const node = await startTop([child(def, undefined, { id: "over", restart: "transient" })]);
    expect(node.inspector.tree()?.children[0]).toMatchObject({
      status: "undefined",
      last_exit: "normal",
    });
  });

  it("takes its postponed events along", async () => {
    const { node, log, ref } = await startDesk();
    ref.cast.NOTE({ n: 1 });
    ref.cast.END();
    await node.settle();
    expect(ref.isAlive).toBe(false);
    expect(log).toEqual([]);
  });
});

describe("state values", () => {
  it("are the same when their nested names are, whatever the order of their regions", () => {
    const value = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom("a", "b"),
        fc.dictionary(fc.constantFrom("x", "y", "z"), tie("value"), { maxKeys: 3 }),
      ),
    })).value;
    const textOf = (node: unknown): string =>
      typeof node === "object" && node !== null
        ? `{${Object.entries(node)
            .map(([k, v]) => `${k}:${textOf(v)}`)
            .sort()
            .join()}}`
        : String(node);
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(isSameValue(a, b)).toBe(textOf(a) === textOf(b));
        expect(isSameValue(a, structuredClone(a))).toBe(true);
      }),
    );
  });
});
