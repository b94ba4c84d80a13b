/** Machine actors (otp.md 2.2, 5). */
import { describe, expect, it } from "vitest";
import { assign, emit, raise, sendTo, setup } from "xstate";
import { child, defineMachineActor, keyFor, type VirtualNode } from "../../src/otp/index.ts";
import { must, startTop } from "./support.ts";

const lamp = setup({
  types: {
    context: {} as { readonly onMs: number; readonly times: number },
    events: {} as
      | { type: "PRESS" }
      | { type: "DIM"; level: number }
      | { type: "BREAK" }
      | { type: "END" },
    input: {} as { readonly onMs: number },
    emitted: {} as { type: "lamp.changed"; on: boolean },
  },
  delays: { onMs: ({ context }) => context.onMs },
  actions: {
    count: assign({ times: ({ context }) => context.times + 1 }),
    glow: (_args, _params: { readonly level: number }) => {},
    tell: emit({ type: "lamp.changed", on: true }),
    fail: () => {},
  },
}).createMachine({
  context: ({ input }) => ({ ...input, times: 0 }),
  initial: "off",
  states: {
    off: { on: { PRESS: "on" } },
    on: {
      entry: ["count", "tell", { type: "glow", params: { level: 10 } }],
      after: { onMs: "off" },
      on: {
        PRESS: "off",
        DIM: { actions: { type: "glow", params: ({ event }) => ({ level: event.level }) } },
        BREAK: { actions: "fail" },
      },
    },
    ended: { type: "final" },
  },
  on: { END: ".ended" },
});

const levels: number[] = [];
const lampActor = defineMachineActor(lamp, {
  name: "test/lamp",
  input: (onMs: number) => ({ onMs }),
  calls: {
    state: (snapshot) => ({ value: snapshot.value, times: snapshot.context.times }),
    press: (_snapshot, _arg: undefined, send) => send({ type: "PRESS" }).value,
  },
  effects: {
    glow: ({ level }) => levels.push(level),
    fail: () => {
      throw new Error("effect");
    },
  },
});
const lampKey = keyFor(lampActor);

async function startLamp(): Promise<{ node: VirtualNode; lamp: ReturnType<typeof ref> }> {
  levels.length = 0;
  const node = await startTop([
    child(lampActor, 500, { register: lampKey(), restart: "transient" }),
  ]);
  return { node, lamp: ref(node) };
}
const ref = (node: VirtualNode) => must(node.whereis(lampKey()));

describe("a machine actor", () => {
  it("takes its events as casts, runs effects after the state is committed, and answers calls", async () => {
    const { node, lamp: it } = await startLamp();
    it.cast.PRESS();
    it.cast.DIM({ level: 3 });
    await node.settle();
    expect(levels).toEqual([10, 3]);
    expect(await it.call.state()).toEqual({ value: "on", times: 1 });
    expect(await it.call.press()).toBe("off");
  });

  it("turns delays into process timers, which leaving the state cancels", async () => {
    const { node, lamp: it } = await startLamp();
    it.cast.PRESS();
    await node.advance(400);
    it.cast.PRESS();
    it.cast.PRESS();
    await node.advance(400);
    expect(await it.call.state()).toEqual({ value: "on", times: 2 });
    await node.advance(100);
    expect(await it.call.state()).toEqual({ value: "off", times: 2 });
    expect(node.inspector.info(it)?.timers).toEqual([]);
  });

  it("emits what the machine emits as telemetry", async () => {
    const { node, lamp: it } = await startLamp();
    const seen: unknown[] = [];
    node.telemetry.attach("lamp", "lamp.changed", (event) =>
      seen.push(event.process, event.fields["on"]),
    );
    it.cast.PRESS();
    await node.settle();
    expect(seen).toEqual(["test/lamp", true]);
  });

  it("ignores an event that its state does not take", async () => {
    const { node, lamp: it } = await startLamp();
    it.cast.DIM({ level: 1 });
    await node.settle();
    expect(levels).toEqual([]);
    expect(it.isAlive).toBe(true);
  });

  it("counts and tells a message that it has no handler for, as any actor does", async () => {
    const { node, lamp: it } = await startLamp();
    const told: unknown[] = [];
    node.telemetry.attach("unknown", "otp.unknown", ({ fields }) => told.push(fields));
    it.send("hello");
    await node.settle();
    expect(told).toEqual([{ pid: it.id, type: "info" }]);
    expect(node.inspector.info(it)?.unknownMessages).toBe(1);
    expect(node.inspector.counters()["unknown"]).toBe(1);
  });

  it("crashes when an effect throws, and is restarted in its initial state", async () => {
    const { node, lamp: it } = await startLamp();
    it.cast.PRESS();
    it.cast.BREAK();
    await node.settle();
    expect(it.isAlive).toBe(false);
    expect(await ref(node).call.state()).toEqual({ value: "off", times: 0 });
    expect(node.inspector.tree()?.children[0]?.last_exit).toBe("Error: effect");
  });

  it("ends normally in a final state", async () => {
    const { node, lamp: it } = await startLamp();
    it.cast.END();
    await node.settle();
    expect(it.isAlive).toBe(false);
    expect(node.inspector.tree()?.children[0]).toMatchObject({
      status: "undefined",
      last_exit: "normal",
    });
  });
});

describe("the definition refuses", () => {
  const events = { types: { events: {} as { type: "GO" } } };
  const define =
    (machine: Parameters<typeof defineMachineActor>[0], effects = {}) =>
    () =>
      defineMachineActor(machine, { name: "test/m", input: () => undefined as never, effects });

  it("an action without an effect", () => {
    const machine = setup({ ...events, actions: { ring: () => {} } }).createMachine({
      entry: "ring",
    });
    expect(define(machine)).toThrow("action ring has no effect");
    expect(define(machine, { ring: () => {} })).not.toThrow();
  });

  it("inline functions, invokes and messages to other actors", () => {
    expect(define(setup(events).createMachine({ entry: () => {} }))).toThrow("inline action");
    expect(
      define(setup(events).createMachine({ on: { GO: { actions: sendTo("x", { type: "Y" }) } } })),
    ).toThrow("xstate.sendTo");
    const invoking = setup(events).createMachine({ invoke: { src: "nothing" } as never });
    expect(define(invoking)).toThrow("invoke");
  });

  it("nothing about raised and assigned actions", () => {
    const machine = setup(events).createMachine({ entry: [raise({ type: "GO" }), assign({})] });
    expect(define(machine)).not.toThrow();
  });
});

describe("inside one machine", () => {
  const order: string[] = [];
  const racer = setup({
    types: { events: {} as { type: "GO" } | { type: "NEXT" } | { type: "SPIN" } },
    actions: { note: (_args, _params: { readonly what: string }) => {} },
  }).createMachine({
    initial: "idle",
    states: {
      idle: { on: { GO: "a", SPIN: "spin" } },
      a: {
        entry: [{ type: "note", params: { what: "a" } }, raise({ type: "NEXT" })],
        on: { NEXT: "b" },
      },
      b: {
        entry: { type: "note", params: { what: "raised" } },
        after: { 0: "c" },
        on: { GO: { actions: { type: "note", params: { what: "queued in b" } } } },
      },
      c: {
        entry: { type: "note", params: { what: "zero delay" } },
        on: { GO: { actions: { type: "note", params: { what: "queued" } } } },
      },
      spin: { always: "spun" },
      spun: { always: "spin" },
    },
  });
  const racerActor = defineMachineActor(racer, {
    name: "test/racer",
    input: (_args: undefined) => undefined as never,
    effects: { note: ({ what }) => order.push(what) },
  });
  const key = keyFor(racerActor);

  it("raised events run first, then zero delays, then the mailbox", async () => {
    const node = await startTop([child(racerActor, undefined, { register: key() })]);
    const it = must(node.whereis(key()));
    it.cast.GO();
    it.cast.GO();
    await node.settle();
    expect(order).toEqual(["a", "raised", "zero delay", "queued"]);
  });

  it("an eternal always crashes the process, not the node", async () => {
    const node = await startTop([child(racerActor, undefined, { register: key() })]);
    must(node.whereis(key())).cast.SPIN();
    await node.settle();
    expect(node.inspector.tree()?.children[0]).toMatchObject({
      status: "running",
      restarts: { count: 1 },
    });
  });
});
