/** What the compiler refuses (otp.md 3.3): each line marked below must not type-check. */
import { assertType, describe, expectTypeOf, it } from "vitest";
import {
  type CallFault,
  type CallResult,
  child,
  type Ctx,
  createNode,
  defineActor,
  defineMachineActor,
  dynamicSupervisor,
  type From,
  groupFor,
  keyFor,
  later,
  type Member,
  partitionSupervisor,
  type Reason,
  reply,
  type Ref,
  supervisor,
  task,
  type TaskResult,
  taskSupervisor,
} from "../../src/otp/index.ts";
import { breaker, breakerKey } from "./example/breaker.ts";
import { breakerMachine, type BreakerInput } from "./example/breaker.machine.ts";
import { head, headKey } from "./example/head.ts";

const counter = defineActor({
  name: "test/counter",
  init: (start: number) => ({ count: start, waiting: [] as From<string>[] }),
  calls: {
    add: (state, by: number) => reply({ ...state, count: state.count + by }, state.count + by),
    get: (state) => reply(state, state.count),
    wait: (state, _arg: undefined, _ctx, from: From<string>) =>
      later({ ...state, waiting: [...state.waiting, from] }),
    slow: async (state, word: string) => reply(state, word.length),
  },
  casts: {
    set: (state, to: { readonly count: number }) => ({ ...state, ...to }),
    reset: (state) => state,
  },
});
const counterKey = keyFor(counter, "name");
const ref = {} as Ref<typeof counter>;
const ctx = {} as Ctx;

describe("refs", () => {
  it("types arguments and answers of calls", () => {
    expectTypeOf(ref.call.add).parameter(0).toEqualTypeOf<number>();
    expectTypeOf(ref.call.add(1)).resolves.toEqualTypeOf<number>();
    expectTypeOf(ref.call.get()).resolves.toEqualTypeOf<number>();
    expectTypeOf(ref.call.wait()).resolves.toEqualTypeOf<string>();
    expectTypeOf(ref.call.slow("x")).resolves.toEqualTypeOf<number>();
    expectTypeOf(ref.try.add(1, { timeoutMs: 5 })).resolves.toEqualTypeOf<CallResult<number>>();
    expectTypeOf(ref.cast.set({ count: 1 })).toEqualTypeOf<void>();
  });

  it("refuses an unknown call", () => {
    // @ts-expect-error unknown call
    void ref.call.nope();
  });

  it("refuses a wrong argument", () => {
    // @ts-expect-error wrong argument
    void ref.call.add("1");
    // @ts-expect-error missing argument
    void ref.call.add();
    // @ts-expect-error wrong argument of a cast
    ref.cast.set({ count: "1" });
  });

  it("refuses a call as a cast and a cast as a call", () => {
    // @ts-expect-error add is a call
    ref.cast.add(1);
    // @ts-expect-error set is a cast
    void ref.call.set({ count: 1 });
  });
});

describe("keys", () => {
  it("gives the ref of the definition it was made from", () => {
    expectTypeOf(ctx.whereis(counterKey("a"))).toEqualTypeOf<Ref<typeof counter> | undefined>();
  });

  it("refuses a foreign key", () => {
    // @ts-expect-error key of another protocol
    child(counter, 1, { register: headKey("eth", "a") });
    // @ts-expect-error key of another protocol
    child(head, {} as never, { register: breakerKey("eth", "a") });
  });

  it("refuses a wrong number of parts", () => {
    // @ts-expect-error one part missing
    headKey("eth");
    // @ts-expect-error one part too many
    counterKey("a", "b");
  });
});

describe("children", () => {
  it("refuses a missing or wrong init argument, and a child without a name", () => {
    // @ts-expect-error missing init argument
    child(counter, { id: "a" });
    // @ts-expect-error wrong init argument
    child(counter, "1", { id: "a" });
    // @ts-expect-error neither id nor key
    child(counter, 1, {});
  });

  it("types what a dynamic supervisor starts", async () => {
    const spec = dynamicSupervisor("many", {
      template: (start: number) => child(counter, start, { id: "one" }),
    });
    const many = await createNode().start(spec);
    void many.startChild(1);
    // @ts-expect-error the template takes a number
    void many.startChild("1");
  });
});

describe("definitions", () => {
  it("refuses a handler that changes the type of the state", () => {
    defineActor({
      name: "test/bad-cast",
      init: (_args: undefined) => ({ count: 0 }),
      // @ts-expect-error the state is a record
      casts: { set: () => 5 },
    });
    defineActor({
      name: "test/bad-call",
      init: (_args: undefined) => ({ count: 0 }),
      // @ts-expect-error the state has a count
      calls: { get: () => reply({ other: 1 }, 5) },
    });
  });
});

describe("migrate", () => {
  it("is given a state of unknown shape and gives one of this version", () => {
    const migrated = defineActor({
      name: "test/migrated",
      version: 2,
      init: (_args: undefined) => ({ total: 0 }),
      calls: { get: (state) => reply(state, state.total) },
      migrate: (state, fromVersion) => {
        expectTypeOf(state).toEqualTypeOf<unknown>();
        return { total: fromVersion };
      },
    });
    expectTypeOf<Ref<typeof migrated>["call"]["get"]>().returns.resolves.toEqualTypeOf<number>();
    defineActor({
      name: "test/bad-migrate",
      init: (_args: undefined) => ({ total: 0 }),
      // @ts-expect-error the state has a total
      migrate: () => ({ count: 0 }),
    });
  });

  it("of a machine gives value and context of the new machine", () => {
    defineMachineActor(breakerMachine, {
      name: "test/migrated-machine",
      input: (args: BreakerInput) => args,
      effects: { announce: () => {} },
      migrate: ({ value }) => ({ value, context: { threshold: 1, cooldownMs: 1, failures: 0 } }),
    });
    defineMachineActor(breakerMachine, {
      name: "test/bad-machine",
      input: (args: BreakerInput) => args,
      effects: { announce: () => {} },
      // @ts-expect-error the context has failures
      migrate: ({ value }) => ({ value, context: { threshold: 1, cooldownMs: 1 } }),
    });
  });
});

describe("machine actors", () => {
  const machineRef = {} as Ref<typeof breaker>;

  it("casts the machine's events and answers its calls", () => {
    machineRef.cast.OK();
    expectTypeOf(machineRef.call.admit()).resolves.toEqualTypeOf<{ ok: boolean }>();
  });

  it("refuses an unknown event", () => {
    // @ts-expect-error the machine has no such event
    machineRef.cast.NOPE();
  });

  it("refuses to postpone what is no event of the machine", () => {
    defineMachineActor(breakerMachine, {
      name: "test/postpone",
      input: (args: BreakerInput) => args,
      effects: { announce: () => {} },
      // @ts-expect-error the machine has no such event
      postpone: ["OK", "NOPE"],
    });
  });

  it("refuses an unknown effect and wrong parameters", () => {
    defineMachineActor(breakerMachine, {
      name: "test/unknown-effect",
      input: (args: BreakerInput) => args,
      // @ts-expect-error the machine names no such action
      effects: { shout: () => {} },
    });
    defineMachineActor(breakerMachine, {
      name: "test/effect",
      input: (args: BreakerInput) => args,
      effects: {
        announce: (params, after) => {
          assertType<boolean>(params.open);
          assertType<number>(after.context.failures);
          // @ts-expect-error the action has no such parameter
          void params.nope;
        },
      },
    });
  });
});

describe("groups", () => {
  const counters = groupFor<{ readonly weight: number }>()(counter, "name");
  const plain = groupFor()(counter);

  it("gives refs of the definition, with their values", () => {
    const [first] = ctx.groups.members(counters("a"));
    expectTypeOf(first?.ref).toEqualTypeOf<Ref<typeof counter> | undefined>();
    expectTypeOf(first?.value).toEqualTypeOf<{ readonly weight: number } | undefined>();
    ctx.groups.join(counters("a"), { weight: 1 });
    ctx.groups.join(plain());
  });

  it("refuses a value of another type, a missing value and a wrong number of parts", () => {
    // @ts-expect-error the value is a record
    ctx.groups.join(counters("a"), 1);
    // @ts-expect-error the group holds values
    ctx.groups.join(counters("a"));
    // @ts-expect-error one part missing
    counters();
    // @ts-expect-error the weight is a number
    ctx.groups.update(counters("a"), () => ({ weight: "1" }));
  });

  it("refuses a foreign protocol", () => {
    // @ts-expect-error counters have no such cast
    ctx.groups.dispatch(counters("a"), ([one]) => one?.ref.cast.nope());
    // @ts-expect-error members of another definition
    const heads: readonly Member<typeof head>[] = ctx.groups.members(plain());
    void heads;
  });
});

describe("partitions", () => {
  const shards = partitionSupervisor("shards", {
    partitions: 2,
    child: (partition) => child(counter, partition, { id: "shard" }),
  });

  it("gives keys of the children's definition", () => {
    expectTypeOf(ctx.via(shards.keyOf("a"))).toEqualTypeOf<Ref<typeof counter>>();
    // @ts-expect-error no routing by objects
    shards.keyOf({});
    // @ts-expect-error key of another protocol
    child(head, {} as never, { register: shards.keyOf("a") });
  });
});

describe("tasks", () => {
  it("types the results of a stream", () => {
    const stream = ctx.taskStream([1, 2], async (n) => String(n));
    expectTypeOf(stream).toEqualTypeOf<AsyncGenerator<TaskResult<string>, void, undefined>>();
    // @ts-expect-error the items are numbers
    ctx.taskStream([1, 2], (item: string) => item);
  });

  it("refuses what is no task at a task supervisor, and another supervisor for a task", async () => {
    const jobs = await createNode().start(taskSupervisor("jobs"));
    void jobs.startChild(task(() => 1, { restart: "transient" }));
    ctx.task("k", () => 1, { supervisor: jobs });
    // @ts-expect-error a function is no task yet
    void jobs.startChild(() => 1);
    // @ts-expect-error no such restart type
    task(() => 1, { restart: "sometimes" });
    const plain = await createNode().start(supervisor("plain", { children: [] }));
    // @ts-expect-error it supervises children, not tasks
    ctx.task("k", () => 1, { supervisor: plain });
  });
});

describe("registration", () => {
  it("says who holds a key that is taken", () => {
    const held = ctx.register(counterKey("a"));
    if (!held.ok) expectTypeOf(held.reason).toEqualTypeOf<CallFault | Reason>();
  });
});

describe("nodes", () => {
  it("refuses a profile that does not exist", () => {
    createNode({ profile: "otp" });
    // @ts-expect-error no such profile
    createNode({ profile: "beam" });
  });
});
