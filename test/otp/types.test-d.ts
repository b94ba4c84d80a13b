/** What the compiler refuses (otp.md 3.3): each line marked below must not type-check. */
import { assertType, describe, expectTypeOf, it } from "vitest";
import {
  type CallResult,
  child,
  type Ctx,
  createNode,
  defineActor,
  defineMachineActor,
  dynamicSupervisor,
  type From,
  keyFor,
  later,
  reply,
  type Ref,
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

describe("nodes", () => {
  it("refuses a profile that does not exist", () => {
    createNode({ profile: "otp" });
    // @ts-expect-error no such profile
    createNode({ profile: "beam" });
  });
});
