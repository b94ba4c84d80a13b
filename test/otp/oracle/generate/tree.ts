/** Arbitrary supervision trees: depth up to three, every flag, every way of starting and ending. */
import fc from "fast-check";
import type { Json, NodeSpec } from "../scenario.ts";

const MAX_CHILDREN = 4;
const MAX_DEPTH = 3;
/** Long enough that no scenario crosses it: windows across seconds have scenarios of their own. */
const PERIOD_S = 60;

/** Names that workers hold: few, so that they collide. */
export const NAMES = ["one", "two", "three"];

/** Choices of a node, before its place in the tree gives it a name and its parent allows significance. */
export interface NodeChoice {
  readonly restart: string;
  readonly isSignificant: boolean;
  readonly worker: Omit<NodeSpec, "id" | "restart" | "significant">;
  readonly supervisor: SupervisorChoice | undefined;
}

interface SupervisorChoice {
  readonly flags: Omit<NodeSpec, "id" | "children" | "template" | "restart" | "significant">;
  readonly isDynamic: boolean;
  readonly template: NodeChoice;
  readonly children: readonly NodeChoice[];
}

const restart = fc.constantFrom("permanent", "permanent", "transient", "temporary");

/** One start: mostly fine, else one of the ways in which a start can fail, be refused or be slow. */
const startItem: fc.Arbitrary<Json> = fc.oneof(
  { arbitrary: fc.constant("ok"), weight: 6 },
  {
    arbitrary: fc.constantFrom<Json>(
      "ignore",
      { stop: "nope" },
      { stop: ["shutdown", "late"] },
      { stop: "normal" },
      { throw: "oops" },
      { error: "err" },
      { extra: "more" },
    ),
    weight: 6,
  },
  { arbitrary: fc.constantFrom<Json>({ sleep: 15 }, { sleep: 15, stop: "slow" }), weight: 1 },
);

/** Mostly a good first start: a tree that does not boot shows little. */
const startPlan: fc.Arbitrary<Json> = fc.oneof(
  {
    arbitrary: fc
      .array(startItem, { minLength: 1, maxLength: 3 })
      .map((later): Json => ["ok", ...later]),
    weight: 12,
  },
  { arbitrary: fc.array(startItem, { minLength: 1, maxLength: 3 }), weight: 1 },
  { arbitrary: fc.constantFrom<Json>({ extra: "always" }, { sleep: 5 }), weight: 1 },
);

const onTerminate: fc.Arbitrary<Json> = fc.oneof(
  {
    arbitrary: fc.constantFrom<Json>(
      { exit: "normal" },
      { exit: "other" },
      { exit: "shutdown" },
      { exit: ["shutdown", "z"] },
    ),
    weight: 5,
  },
  // Below and above the short shutdown time.
  { arbitrary: fc.constantFrom<Json>({ sleep: 5 }, { sleep: 80 }), weight: 2 },
);

const worker = fc.record(
  {
    shutdown: fc.constantFrom<number | string>("brutal_kill", 1000, "infinity", 25),
    trap_exit: fc.constantFrom(true, true, true, false),
    init: startPlan,
    on_terminate: onTerminate,
    state: fc.constantFrom<Json>(1, "s"),
    type: fc.constant("supervisor"),
    register: fc.constantFrom(...NAMES),
  },
  { requiredKeys: [] },
);

/** Fields that are rarely there: most workers are plain, so that a difference is one of few things. */
const plainWorker = fc
  .tuple(
    worker,
    fc.record({
      init: chance(35),
      end: chance(15),
      trap: chance(20),
      type: chance(5),
      name: chance(8),
    }),
  )
  .map(([all, keep]) => {
    const { init, on_terminate, trap_exit, type, state, shutdown, register } = all;
    return {
      ...(shutdown === undefined ? {} : { shutdown }),
      ...(keep.init && init !== undefined ? { init } : {}),
      ...(keep.end && on_terminate !== undefined ? { on_terminate } : {}),
      ...(keep.trap && trap_exit !== undefined ? { trap_exit } : {}),
      ...(keep.name && register !== undefined ? { register } : {}),
      ...(keep.type && type !== undefined ? { type } : {}),
      ...(state === undefined ? {} : { state }),
    };
  });

const flags = fc.record(
  {
    strategy: fc.constantFrom("one_for_one", "one_for_all", "rest_for_one"),
    intensity: fc.nat(4),
    period: fc.constant(PERIOD_S),
    auto_shutdown: fc.constantFrom("never", "never", "any_significant", "all_significant"),
    shutdown: fc.constantFrom<number | string>("infinity", "infinity", 1000),
    init: fc.constantFrom<Json>(["ok", "ignore"], ["ok", { error: "sup_err" }]),
  },
  { requiredKeys: ["strategy", "intensity", "period", "auto_shutdown"] },
);

const someFlags = fc.tuple(flags, chance(10), chance(10)).map(([all, hasInit, isTimed]) => {
  const { init, shutdown, ...rest } = all;
  return {
    ...rest,
    ...(hasInit && init !== undefined ? { init } : {}),
    ...(isTimed && shutdown !== undefined ? { shutdown } : {}),
  };
});

function node(depth: number): fc.Arbitrary<NodeChoice> {
  const leaf = fc.record({
    restart,
    isSignificant: chance(60),
    worker: plainWorker,
    supervisor: fc.constant(undefined),
  });
  if (depth >= MAX_DEPTH) return leaf;
  return fc.oneof({ arbitrary: leaf, weight: 7 }, { arbitrary: branch(depth), weight: 3 });
}

function branch(depth: number): fc.Arbitrary<NodeChoice> {
  const template = fc.record({
    restart,
    isSignificant: chance(40),
    worker: plainWorker,
    supervisor: fc.constant(undefined),
  });
  return fc.record({
    restart,
    isSignificant: chance(50),
    worker: fc.constant({}),
    supervisor: fc.record({
      flags: someFlags,
      isDynamic: chance(15),
      template,
      children: fc.array(node(depth + 1), { minLength: 1, maxLength: MAX_CHILDREN }),
    }),
  });
}

/** A root with everything below it. */
export const treeChoice: fc.Arbitrary<NodeChoice> = branch(1);
/** A worker to be added at run time. */
export const workerChoice: fc.Arbitrary<NodeChoice> = node(MAX_DEPTH);
/** A supervisor of a few workers to be added at run time. */
export const subtreeChoice: fc.Arbitrary<NodeChoice> = branch(MAX_DEPTH - 1);

/** Names the nodes by their place and drops significance that the parent would refuse. */
export function place(choice: NodeChoice, id: string, parentAuto: string | undefined): NodeSpec {
  const isSignificant =
    choice.isSignificant &&
    parentAuto !== undefined &&
    parentAuto !== "never" &&
    choice.restart !== "permanent";
  const own = {
    id,
    ...(parentAuto === undefined ? {} : { restart: choice.restart }),
    ...(isSignificant ? { significant: true } : {}),
  };
  const { supervisor } = choice;
  if (supervisor === undefined) return { ...own, ...choice.worker };
  const auto = supervisor.flags.auto_shutdown;
  if (supervisor.isDynamic) {
    const template = withoutIgnore(place(supervisor.template, "tpl", auto));
    return { ...own, ...supervisor.flags, strategy: "simple_one_for_one", template };
  }
  const children = supervisor.children.map((inner, i) =>
    place(inner, `${inner.supervisor === undefined ? "w" : "s"}${i}`, auto),
  );
  return { ...own, ...supervisor.flags, children };
}

/** OTP 25 itself crashes when a restart under simple_one_for_one says ignore (otp.md 1.13). */
function withoutIgnore(spec: NodeSpec): NodeSpec {
  if (!Array.isArray(spec.init)) return spec;
  return { ...spec, init: (spec.init as Json[]).filter((item) => item !== "ignore") };
}

/** True in `percent` of a hundred cases. */
export function chance(percent: number): fc.Arbitrary<boolean> {
  return fc.nat(99).map((roll) => roll >= 100 - percent);
}
