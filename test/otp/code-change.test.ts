/** Code change (otp.md 1.15): running processes take other code, or refuse it and run on. */
import { assign, setup } from "xstate";
import { describe, expect, it } from "vitest";
import {
  type AnyDef,
  child,
  type ChildSpec,
  defineActor,
  defineMachineActor,
  dynamicSupervisor,
  keyFor,
  refuse,
  reply,
  supervisor,
  type SupervisorOptions,
  type VirtualNode,
} from "../../src/otp/index.ts";
import type { Kernel } from "../../src/otp/process/kernel.ts";
import { placeSys } from "../../src/otp/sys/commands.ts";
import { must, probe, type ProbeArgs, probeKey, probeRef, startTop } from "./support.ts";

const one = defineActor({
  name: "test/counter",
  version: 1,
  init: (count: number) => ({ count }),
  calls: { get: (state) => reply(state, state.count) },
  casts: {
    add: (state, by: number) => ({ count: state.count + by }),
    crash: () => {
      throw new Error("crash");
    },
  },
});
const key = keyFor(one);
const NAME = key().name;

const two = defineActor({
  name: "test/counter",
  version: 2,
  init: (count: number) => ({ total: count, adds: 0 }),
  calls: {
    get: (state) => reply(state, state.total),
    adds: (state) => reply(state, state.adds),
  },
  casts: {
    add: (state, by: number) => ({ total: state.total + by * 10, adds: state.adds + 1 }),
    crash: () => {
      throw new Error("crash");
    },
  },
  migrate: (state, fromVersion) => {
    if (fromVersion !== 1) return refuse(["unknown_version", fromVersion]);
    return { total: (state as { readonly count: number }).count, adds: 0 };
  },
});

const start = (): Promise<VirtualNode> => startTop([child(one, 5, { register: key() })]);

/** The same actor with another way to migrate. */
const withMigrate = (migrate: (state: unknown) => { readonly count: number }): AnyDef =>
  defineActor({
    name: "test/counter",
    version: 9,
    init: (count: number) => ({ count }),
    calls: { get: (state) => reply(state, -state.count) },
    migrate,
  });

describe("upgrading an actor", () => {
  it("migrates the state and gives what waited to the new handlers, in the same process", async () => {
    const node = await start();
    const pid = node.inspector.resolve(NAME);
    const ref = node.via(key());
    ref.cast.add(1);
    const upgraded = node.inspector.upgrade(NAME, two);
    ref.cast.add(1);
    expect(await upgraded).toEqual({ pid, from: 1, to: 2 });
    expect(await ref.call.get()).toBe(16);
    expect(node.inspector.resolve(NAME)).toBe(pid);
    expect((await node.inspector.getStatus(NAME)).version).toBe(2);
    expect((await node.inspector.getStatus(NAME)).status).toBe("running");
  });

  it("speaks the new protocol through refs made afterwards", async () => {
    const node = await start();
    const old = must(node.whereis(key()));
    await node.inspector.upgrade(NAME, two);
    const now = must(node.whereis(keyFor(two)()));
    now.cast.add(1);
    expect(await now.call.adds()).toBe(1);
    expect(await old.call.get()).toBe(15);
  });

  it("restarts with the new code", async () => {
    const node = await start();
    await node.inspector.upgrade(NAME, two);
    node.via(key()).cast.crash();
    await node.settle();
    expect(await node.inspector.getState(NAME)).toEqual({ total: 5, adds: 0 });
  });

  it("leaves a process suspended that an operator had suspended", async () => {
    const node = await start();
    await node.inspector.suspend(NAME);
    await node.inspector.upgrade(NAME, two);
    expect(await node.inspector.getStatus(NAME)).toMatchObject({ status: "suspended", version: 2 });
  });

  it("is refused by a process that is not suspended", async () => {
    const node = await start();
    const { kernel } = node as unknown as { readonly kernel: Kernel };
    const process = kernel.registry.get(NAME);
    const change = placeSys(process, NAME, { op: "change_code", next: two.behaviour });
    await expect(change).rejects.toMatchObject({ reason: ["upgrade_failed", "not_suspended"] });
    expect((await node.inspector.getStatus(NAME)).version).toBe(1);
  });

  const boom = new Error("cannot");
  const refusals: [string, AnyDef, unknown][] = [
    [
      "migrate throws",
      withMigrate(() => {
        throw boom;
      }),
      { error: boom },
    ],
    ["migrate refuses", withMigrate(() => refuse("too old") as never), "too old"],
    [
      "migrate gives a promise",
      withMigrate(() => Promise.resolve() as never),
      ["bad_return_value", { callback: "migrate", value: "[Promise]" }],
    ],
    [
      "there is no migrate",
      defineActor({ name: "test/counter", version: 3, init: () => 0 }),
      ["no_migrate", 1, 3],
    ],
    ["it is another actor", probe, ["other_actor", "test/counter", "test/probe"]],
  ];
  it.each(refusals)("runs on with the old code when %s", async (_name, next, why) => {
    const node = await start();
    const results: unknown[] = [];
    node.telemetry.attach("upgrades", "otp.upgrade", ({ fields }) =>
      results.push(fields["result"]),
    );
    const upgrade = node.inspector.upgrade(NAME, next);
    await expect(upgrade).rejects.toMatchObject({ reason: ["upgrade_failed", why] });
    node.via(key()).cast.add(2);
    expect(await node.via(key()).call.get()).toBe(7);
    expect(results).toEqual(["refused"]);
    expect(await node.inspector.getStatus(NAME)).toMatchObject({ status: "running", version: 1 });
  });

  it("takes the same version without migrate, state untouched", async () => {
    const patched = defineActor({
      name: "test/counter",
      init: (count: number) => ({ count }),
      calls: { get: (state) => reply(state, state.count * 100) },
    });
    const node = await start();
    await node.inspector.upgrade(NAME, patched);
    expect(await node.via(key()).call.get()).toBe(500);
  });

  it("takes over whether exits are trapped", async () => {
    const trapping = defineActor({
      name: "test/counter",
      trapExit: true,
      init: (count: number) => ({ count }),
    });
    const node = await start();
    await node.inspector.upgrade(NAME, trapping);
    expect(node.inspector.info(NAME)?.trapExit).toBe(true);
  });
});

interface DoorContext {
  readonly opened: number;
}
type DoorEvent = { readonly type: "OPEN" } | { readonly type: "PING" };
const doorOne = setup({
  types: { context: {} as DoorContext, events: {} as DoorEvent },
  delays: { hold: 100 },
  actions: { count: assign({ opened: ({ context }) => context.opened + 1 }) },
}).createMachine({
  id: "door",
  context: { opened: 0 },
  initial: "shut",
  states: {
    shut: { on: { OPEN: { target: "open", actions: "count" } } },
    open: { after: { hold: "shut" } },
  },
});
/** "open" is now "ajar", which shuts later. */
const doorTwo = setup({
  types: {
    context: {} as DoorContext & { readonly name: string },
    events: {} as DoorEvent,
  },
  delays: { linger: ({ context }) => 200 + context.name.length },
}).createMachine({
  id: "door",
  context: { opened: 0, name: "" },
  initial: "shut",
  states: { shut: { on: { OPEN: "ajar" } }, ajar: { after: { linger: "shut" } } },
});
const door = defineMachineActor(doorOne, {
  name: "test/door",
  input: (_args: undefined) => undefined,
  calls: { at: (snapshot) => [snapshot.value, snapshot.context.opened] as const },
});
const doorKey = keyFor(door);
const DOOR = doorKey().name;

describe("upgrading a machine", () => {
  const open = async (): Promise<VirtualNode> => {
    const node = await startTop([child(door, undefined, { register: doorKey() })]);
    node.via(doorKey()).cast.OPEN();
    await node.advance(40);
    return node;
  };

  it("keeps state, context and running delays when the machine is as it was", async () => {
    const same = defineMachineActor(doorOne, {
      name: "test/door",
      input: (_args: undefined) => undefined,
      calls: { at: (snapshot) => ["now", snapshot.value, snapshot.context.opened] as const },
    });
    const node = await open();
    await node.inspector.upgrade(DOOR, same);
    expect(await node.via(doorKey()).call.at()).toEqual(["now", "open", 1]);
    await node.advance(59);
    expect(await node.via(doorKey()).call.at()).toEqual(["now", "open", 1]);
    await node.advance(1);
    expect(await node.via(doorKey()).call.at()).toEqual(["now", "shut", 1]);
  });

  it("ends delays of states that are no more and begins those of new ones", async () => {
    const next = defineMachineActor(doorTwo, {
      name: "test/door",
      version: 2,
      input: (_args: undefined) => undefined,
      calls: { at: (snapshot) => [snapshot.value, snapshot.context.name] as const },
      migrate: ({ value, context }) => ({
        value: value === "open" ? "ajar" : value,
        context: { ...(context as DoorContext), name: "front" },
      }),
    });
    const node = await open();
    await node.inspector.upgrade(DOOR, next);
    expect(node.inspector.info(DOOR)?.timers).toEqual([
      { key: "xstate:xstate.after.linger.door.ajar", inMs: 205 },
    ]);
    await node.advance(204);
    expect(await node.via(doorKey()).call.at()).toEqual(["ajar", "front"]);
    await node.advance(1);
    expect(await node.via(doorKey()).call.at()).toEqual(["shut", "front"]);
  });

  it("runs on when the new machine has no such state", async () => {
    const lost = defineMachineActor(doorTwo, {
      name: "test/door",
      input: (_args: undefined) => undefined,
    });
    const node = await open();
    const upgrade = node.inspector.upgrade(DOOR, lost);
    await expect(upgrade).rejects.toMatchObject({ reason: ["upgrade_failed", { error: {} }] });
    await node.advance(60);
    expect(await node.via(doorKey()).call.at()).toEqual(["shut", 1]);
  });
});

const worker = (n: string, policy: Partial<ChildSpec> = {}): ChildSpec => ({
  ...child(probe, { name: n }, { register: probeKey(n), id: n }),
  ...policy,
});
const top = (children: readonly ChildSpec[], flags: Omit<SupervisorOptions, "children"> = {}) =>
  supervisor("top", { intensity: 100, ...flags, children });
const ids = async (node: VirtualNode): Promise<string[]> =>
  (await must(node.supervisor("top")).whichChildren())
    .map(({ id, pid }) => `${String(id)}:${pid}`)
    .reverse();

describe("changing a supervisor's code", () => {
  it("merges children by id: kept pids, new ones not started, others running as they are", async () => {
    const node = await startTop([worker("a"), worker("b"), worker("c")]);
    await node.inspector.upgrade("top", top([worker("d"), worker("c"), worker("a")]));
    expect(await ids(node)).toEqual(["d:undefined", "c:#4", "a:#2", "b:#3"]);
    const restarted = await must(node.supervisor("top")).restartChild("d");
    expect(restarted).toMatchObject({ ok: true, pid: "#5" });
    probeRef(node, "b").cast.crash("x");
    await node.settle();
    expect(await ids(node)).toEqual(["d:#5", "c:#4", "a:#2", "b:#6"]);
  });

  it("acts by the new flags and specs from then on", async () => {
    const node = await startTop([worker("a"), worker("b")]);
    const next = top([worker("a"), worker("b", { restart: "temporary" })], {
      strategy: "one_for_all",
      intensity: 1,
    });
    await node.inspector.upgrade("top", next);
    probeRef(node, "a").cast.crash("x");
    await node.settle();
    expect(await ids(node)).toEqual(["a:#4"]);
    probeRef(node, "a").cast.crash("x");
    await node.settle();
    expect(node.inspector.tree()).toBeUndefined();
  });

  it("keeps what was counted in the restart window", async () => {
    const node = await startTop([worker("a")]);
    for (let n = 0; n < 3; n += 1) {
      probeRef(node, "a").cast.crash("x");
      await node.settle();
    }
    await node.inspector.upgrade("top", top([worker("a")], { intensity: 3 }));
    probeRef(node, "a").cast.crash("x");
    await node.settle();
    expect(node.inspector.tree()).toBeUndefined();
  });

  const bad: [string, ReturnType<typeof top>, unknown][] = [
    [
      "a bad strategy",
      top([], { strategy: "all_for_none" as never }),
      ["invalid_strategy", "all_for_none"],
    ],
    ["a bad intensity", top([], { intensity: -1 }), ["invalid_intensity", -1]],
    ["a bad period", top([], { period: 0 }), ["invalid_period", 0]],
    [
      "a bad restart type",
      top([worker("z", { restart: "often" as never })]),
      ["invalid_restart_type", "often"],
    ],
    ["an id twice", top([worker("z"), worker("z")]), ["duplicate_child_name", "z"]],
    [
      "another kind of supervisor",
      dynamicSupervisor("top", { template: () => worker("z") }) as never,
      ["invalid_strategy", "simple_one_for_one"],
    ],
    [
      "significant without auto_shutdown",
      top([worker("z", { restart: "transient", significant: true })]),
      [
        "bad_combination",
        [
          ["auto_shutdown", "never"],
          ["significant", true],
        ],
      ],
    ],
  ];
  it.each(bad)("refuses %s and changes nothing", async (_name, next, why) => {
    const node = await startTop([worker("a")], { intensity: 7 });
    const upgrade = node.inspector.upgrade("top", next);
    await expect(upgrade).rejects.toMatchObject({ reason: ["upgrade_failed", why] });
    expect(await ids(node)).toEqual(["a:#2"]);
    expect(node.inspector.tree()?.restarts.intensity).toBe(7);
  });

  it("lets a child become significant, and its end then ends the supervisor", async () => {
    const node = await startTop([worker("a", { restart: "transient" }), worker("b")]);
    const significant = { restart: "transient", significant: true } as const;
    const next = top([worker("a", significant), worker("b")], { autoShutdown: "any_significant" });
    await node.inspector.upgrade("top", next);
    probeRef(node, "a").cast.stop("normal");
    await node.settle();
    expect(node.inspector.tree()).toBeUndefined();
  });

  it("one template stays one: running children keep their pids, and their arguments at a restart", async () => {
    const many = (version: string) =>
      dynamicSupervisor("many", {
        intensity: 9,
        template: ({ name }: ProbeArgs) =>
          child(
            probe,
            { name: `${name}/${version}` },
            { id: name, restart: version === "v1" ? "permanent" : "transient" },
          ),
      });
    const node = await startTop([many("v1")]);
    const ref = must(node.supervisor<ProbeArgs>("many"));
    const started = await ref.startChild({ name: "x" });
    if (!started.ok) throw new Error("not started");
    const pid = must(started.pid);
    await node.inspector.upgrade("many", many("v2"));
    expect(await node.inspector.getState(pid)).toMatchObject({ name: "x/v1" });
    node.inspector.exit(pid, "boom");
    await node.settle();
    const rows = await ref.whichChildren();
    const again = must(must(rows[0]).pid);
    expect(await node.inspector.getState(again)).toMatchObject({ name: "x/v1" });
    expect(await ref.getChildSpec(again)).toMatchObject({ spec: { restart: "transient" } });
    const fresh = await ref.startChild({ name: "y" });
    if (!fresh.ok) throw new Error("not started");
    expect(await node.inspector.getState(must(fresh.pid))).toMatchObject({ name: "y/v2" });
  });

  it("survives the supervisor's own restart", async () => {
    const inner = (names: readonly string[]) =>
      supervisor("inner", { children: names.map((name) => worker(name)) });
    const node = await startTop([inner(["a"])]);
    await node.inspector.upgrade("inner", inner(["a", "b"]));
    expect(node.whereis(probeKey("b"))).toBeUndefined();
    node.inspector.exit("inner", "kill");
    await node.settle();
    expect(node.whereis(probeKey("b"))?.isAlive).toBe(true);
  });
});
