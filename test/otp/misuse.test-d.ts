/** More of what the compiler refuses (otp.md 3.3): supervision, decisions, names and tables. */
import { assertType, describe, expectTypeOf, it } from "vitest";
import {
  type AdminResult,
  type CallResult,
  child,
  type Ctx,
  createNode,
  createVirtualNode,
  defineActor,
  defineMachineActor,
  dynamicSupervisor,
  exit,
  type From,
  ignore,
  type Info,
  type Key,
  keyFor,
  later,
  next,
  type Reason,
  type Ref,
  refuse,
  reply,
  type RowKey,
  type StartedChild,
  stop,
  supervisor,
  type SupervisorRef,
  type SupervisorSpec,
  Table,
} from "../../src/otp/index.ts";
import { breakerMachine, type BreakerInput } from "./example/breaker.machine.ts";

const plain = defineActor({
  name: "test/plain",
  init: (start: number) => ({ count: start }),
  calls: { get: (state) => reply(state, state.count) },
  casts: { add: (state, by: number) => ({ count: state.count + by }) },
});
const plainKey = keyFor(plain, "n");
const idle = defineActor({ name: "test/idle", init: (_args: undefined) => 0 });
const ctx = {} as Ctx;

describe("supervisor options", () => {
  it("refuse unknown words", () => {
    // @ts-expect-error unknown strategy
    supervisor("s", { strategy: "one_for_two", children: [] });
    // @ts-expect-error simple_one_for_one is dynamicSupervisor
    supervisor("s", { strategy: "simple_one_for_one", children: [] });
    // @ts-expect-error unknown auto shutdown
    supervisor("s", { autoShutdown: "always", children: [] });
    // @ts-expect-error unknown clock
    supervisor("s", { clock: "us", children: [] });
    // @ts-expect-error unknown option
    supervisor("s", { maxRestarts: 3, children: [] });
    // @ts-expect-error unknown restart type
    child(idle, undefined, { id: "a", restart: "always" });
    // @ts-expect-error unknown shutdown
    child(idle, undefined, { id: "a", shutdown: "brutal_kill" });
    // @ts-expect-error a backoff has both ends
    child(idle, undefined, { id: "a", backoff: { minMs: 10 } });
  });

  it("refuse wrong units and shapes", () => {
    // @ts-expect-error intensity is a number
    supervisor("s", { intensity: "3", children: [] });
    // @ts-expect-error children are specs, not definitions
    supervisor("s", { children: [plain] });
    // @ts-expect-error a supervisor has children
    supervisor("s", {});
    // @ts-expect-error a supervisor is a spec already
    child(supervisor("s", { children: [] }), undefined, { id: "s" });
  });

  it("refuse a template that makes no spec, and a dynamic supervisor without one", () => {
    // @ts-expect-error the template gives back its argument
    dynamicSupervisor("d", { template: (start: number) => start });
    // @ts-expect-error no template
    dynamicSupervisor("d", { maxChildren: 3 });
    // @ts-expect-error static children belong to supervisor()
    dynamicSupervisor("d", { template: () => child(idle, undefined, { id: 1 }), children: [] });
  });

  it("know what a supervisor starts", () => {
    const fixed = supervisor("s", { children: [] });
    expectTypeOf(fixed).toEqualTypeOf<SupervisorSpec>();
    const many = dynamicSupervisor("d", {
      template: (at: { readonly host: string }) => child(plain, at.host.length, { id: at.host }),
    });
    expectTypeOf(many).toEqualTypeOf<SupervisorSpec<{ readonly host: string }>>();
    const ref = {} as SupervisorRef<{ readonly host: string }>;
    void ref.startChild({ host: "a" });
    // @ts-expect-error a spec where the template's argument is wanted
    void ref.startChild(child(plain, 1, { id: "a" }));
  });

  it("make nodes start trees only", () => {
    // @ts-expect-error a worker is no root
    void createNode().start(child(plain, 1, { id: "a" }));
    // @ts-expect-error a definition is no spec
    void createNode().start(plain);
    // @ts-expect-error unknown profile
    createNode({ profile: "elixir" });
    // @ts-expect-error a virtual node has no other clock
    createVirtualNode({ clock: undefined });
  });

  it("make outcomes be looked at before they are used", () => {
    const result = {} as AdminResult<StartedChild>;
    // @ts-expect-error only a success has a pid
    void result.pid;
    if (result.ok) expectTypeOf(result.pid).toEqualTypeOf<string | undefined>();
    const answer = {} as CallResult<number>;
    // @ts-expect-error only a success has a value
    void answer.value;
    if (answer.ok) assertType<number>(answer.value);
  });
});

describe("decisions", () => {
  it("refuse a reply where nobody waits", () => {
    defineActor({
      name: "test/a",
      init: (_args: undefined) => 0,
      // @ts-expect-error a cast has no caller
      casts: { set: (state: number) => reply(state, 1) },
    });
    defineActor({
      name: "test/b",
      init: (_args: undefined) => 0,
      // @ts-expect-error a cast has nobody to keep waiting
      casts: { set: (state: number) => later(state) },
    });
    defineActor({
      name: "test/c",
      init: (_args: undefined) => 0,
      // @ts-expect-error nor has an info
      on: (state) => reply(state, 1),
    });
  });

  it("refuse a call without an answer", () => {
    defineActor({
      name: "test/d",
      init: (_args: undefined) => 0,
      // @ts-expect-error a call replies, now or later
      calls: { get: (state: number) => state },
    });
  });

  it("keep init's own decisions in init", () => {
    const starts = defineActor({
      name: "test/e",
      init: (args: number) => {
        if (args === 0) return ignore;
        if (args < 0) return refuse("negative");
        return next({ count: args }, { continueWith: "warm up", timeoutMs: 10 });
      },
      calls: { get: (state) => reply(state, state.count) },
    });
    expectTypeOf(({} as Ref<typeof starts>).call.get()).resolves.toEqualTypeOf<number>();
    defineActor({
      name: "test/f",
      init: (_args: undefined) => 0,
      // @ts-expect-error ignore belongs to init
      casts: { set: () => ignore },
    });
    defineActor({
      name: "test/g",
      init: (_args: undefined) => 0,
      // @ts-expect-error refuse belongs to init
      on: () => refuse("late"),
    });
  });

  it("take any payload for continueWith, and numbers of ms only", () => {
    assertType(
      next(1, { continueWith: { any: ["payload"] }, timeoutMs: Number.POSITIVE_INFINITY }),
    );
    // @ts-expect-error ms are a number
    next(1, { timeoutMs: "5s" });
    // @ts-expect-error unknown option
    next(1, { hibernate: true });
    const info = {} as Info;
    // @ts-expect-error only some infos have a payload
    void info.payload;
    if (info.type === "continue") expectTypeOf(info.payload).toEqualTypeOf<unknown>();
    // @ts-expect-error there is no such message
    void (info.type === "timeout");
  });

  it("keep the state's type through every step", () => {
    defineActor({
      name: "test/h",
      // @ts-expect-error init and the handler disagree about the state
      init: (_args: undefined) => ({ count: 0 }),
      on: () => next({ other: 1 }),
    });
    defineActor({
      name: "test/i",
      init: (_args: undefined) => ({ count: 0 }),
      // @ts-expect-error the last state has a count too
      casts: { end: () => stop({ other: 1 }) },
    });
  });

  it("answer late with the promised type only", () => {
    const from = {} as From<number>;
    from.reply(1);
    // @ts-expect-error a number was promised
    from.reply("1");
  });

  it("take reasons, not errors", () => {
    stop(0, { error: new Error("a") });
    stop(0, ["tag", 1]);
    // @ts-expect-error a bare Error is no reason: { error }
    stop(0, new Error("a"));
    // @ts-expect-error a reason is no number
    stop(0, 1);
    expectTypeOf(exit).returns.toEqualTypeOf<never>();
    expectTypeOf<"killed">().toExtend<Reason>();
  });
});

describe("definitions", () => {
  it("refuse unknown options and values", () => {
    // @ts-expect-error unknown option
    defineActor({ name: "test/j", init: (_args: undefined) => 0, handleInfo: () => 0 });
    defineActor({
      name: "test/k",
      init: (_args: undefined) => 0,
      // @ts-expect-error unknown overflow policy
      mailbox: { max: 10, overflow: "drop-newest" },
    });
    // @ts-expect-error no init
    defineActor({ name: "test/l" });
  });

  it("type a machine's arguments from its input", () => {
    const breaker = defineMachineActor(breakerMachine, {
      name: "test/m",
      input: (args: BreakerInput) => args,
    });
    // @ts-expect-error the input has a cooldown
    child(breaker, { threshold: 1 }, { id: "b" });
    defineMachineActor(breakerMachine, {
      name: "test/n",
      // @ts-expect-error the machine wants its input
      input: () => ({ limit: 1 }),
    });
    defineMachineActor(breakerMachine, {
      name: "test/o",
      input: (args: BreakerInput) => args,
      // @ts-expect-error the machine has no such event
      on: () => ({ type: "NOPE" }),
    });
    const heard = defineMachineActor(breakerMachine, {
      name: "test/p",
      input: (args: BreakerInput) => args,
      calls: { admit: (snapshot) => snapshot.value },
      on: (info) => (info.type === "idle" ? { type: "OK" } : undefined),
    });
    expectTypeOf(({} as Ref<typeof heard>).call.admit).toBeFunction();
  });
});

describe("keys", () => {
  it("take strings, one per part", () => {
    expectTypeOf(plainKey).toEqualTypeOf<(...values: readonly [string]) => Key<typeof plain>>();
    expectTypeOf(keyFor(plain)).toEqualTypeOf<() => Key<typeof plain>>();
    // @ts-expect-error parts are strings
    plainKey(1);
    // @ts-expect-error part names are strings
    keyFor(plain, 1);
    // @ts-expect-error a key is made from a definition
    keyFor("test/plain", "n");
  });

  it("carry the protocol through whereis and via", () => {
    expectTypeOf(ctx.via(plainKey("a"))).toEqualTypeOf<Ref<typeof plain>>();
    expectTypeOf(createNode().whereis(plainKey("a"))).toEqualTypeOf<
      Ref<typeof plain> | undefined
    >();
    // @ts-expect-error nobody may hold it
    ctx.whereis(plainKey("a")).cast.add(1);
    // @ts-expect-error a name is not a key
    ctx.via("test/n/a/plain");
  });
});

describe("tables", () => {
  const table = {} as Table<{ readonly score: number }>;
  const counters = {} as Table<number>;

  it("type their rows", () => {
    expectTypeOf(Table.open<number>(ctx, "t")).toEqualTypeOf<Table<number>>();
    expectTypeOf(table.get("a")).toEqualTypeOf<{ readonly score: number } | undefined>();
    expectTypeOf([...table.entries()]).toEqualTypeOf<
      (readonly [RowKey, { readonly score: number }])[]
    >();
    table.put("a", { score: 1 });
    // @ts-expect-error a row has a score
    table.put("a", { points: 1 });
    // @ts-expect-error a key is a string or a number
    table.put({ id: 1 }, { score: 1 });
    // @ts-expect-error a value read is readonly where its type says so
    table.get("a")!.score = 2;
  });

  it("count in numeric tables only", () => {
    expectTypeOf(counters.updateCounter("a", 1)).toEqualTypeOf<number>();
    // @ts-expect-error rows are records
    table.updateCounter("a", 1);
  });

  it("refuse unknown kinds, accesses and writers", () => {
    // @ts-expect-error unknown kind
    Table.open(ctx, "t", { kind: "duplicate_bag" });
    // @ts-expect-error unknown access
    Table.open(ctx, "t", { access: "read" });
    // @ts-expect-error an heir is a ref or a key
    Table.open(ctx, "t", { heir: "#12" });
    // @ts-expect-error a table is opened by a process
    Table.open(createNode(), "t");
  });
});
