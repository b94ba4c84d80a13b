/** Arbitrary steps. Each choice becomes steps once the tree is known. */
import fc from "fast-check";
import type { Json, NodeSpec, Step } from "../scenario.ts";
import { batch, nestedBatch } from "./batches.ts";
import { calls, suspends, suspendsSupervisor, sys } from "./calls.ts";
import { type Move, pick, reason } from "./move.ts";
import { chance, NAMES, place, subtreeChoice, workerChoice } from "./tree.ts";
import { at, LABELS } from "./world.ts";

const dies = fc.tuple(pick, reason, chance(20)).map(
  ([n, why, isThrown]): Move =>
    (world) => [
      isThrown
        ? { op: "throw", target: world.worker(n).path, reason: "bad" }
        : { op: "stop", target: world.worker(n).path, reason: why },
    ],
);

const exits = fc.tuple(pick, fc.constantFrom("kill", "boom", "normal", "shutdown")).map(
  ([n, why]): Move =>
    (world) => [{ op: "exit", target: world.worker(n).path, reason: why }],
);

const killsSupervisor = fc.tuple(pick, fc.constantFrom("kill", "kill", "boom", "shutdown")).map(
  ([n, why]): Move =>
    (world) => {
      const { path } = world.supervisor(n);
      return path === "root" ? [] : [{ op: "exit", target: path, reason: why }];
    },
);

const admin = fc
  .tuple(
    pick,
    pick,
    fc.constantFrom(
      "terminate_child",
      "terminate_child",
      "restart_child",
      "restart_child",
      "delete_child",
      "get_childspec",
      "which_children",
      "count_children",
    ),
  )
  .map(
    ([n, m, op]): Move =>
      (world) => {
        const sup = world.supervisor(n);
        if (op === "which_children" || op === "count_children") return [{ op, sup: sup.path }];
        return [{ op, sup: sup.path, id: world.childId(sup, m) }];
      },
  );

/** Terminating a dynamic child goes by its process. */
const terminatesProcess = fc.tuple(pick, pick).map(
  ([n, m]): Move =>
    (world) => {
      const sup = world.supervisor(n);
      if (sup.spec.template === undefined) return [];
      return [{ op: "terminate_child", sup: sup.path, target: `${sup.path}/${at(LABELS, m)}` }];
    },
);

const faulty: fc.Arbitrary<Partial<NodeSpec>> = fc.constantFrom(
  { restart: "sometimes" },
  { shutdown: "soon" },
  { shutdown: -1 },
  { shutdown: 0 },
  { significant: true, restart: "permanent" },
);

const faultyFlags: fc.Arbitrary<Partial<NodeSpec>> = fc.constantFrom(
  { intensity: -1 },
  { period: 0 },
  { auto_shutdown: "perhaps" },
);

const starts = fc
  .tuple(
    pick,
    workerChoice,
    fc.constantFrom("w0", "w1", "n1", "n2", "x1", "x4"),
    fc.option(faulty, { freq: 8 }),
  )
  .map(
    ([n, choice, id, fault]): Move =>
      (world) => {
        const sup = world.supervisor(n);
        if (sup.spec.template !== undefined) {
          return [{ op: "start_child", sup: sup.path, args: [id] }];
        }
        // A taken name and a taken id are one error here; Erlang wraps the former with the child.
        const { register: _name, ...placed } = place(choice, id, sup.spec.auto_shutdown);
        const spec = { ...placed, ...fault };
        return [{ op: "start_child", sup: sup.path, spec }];
      },
  );

/** A subtree has an id of its own: steps that mean a worker must not meet a supervisor. */
const SUBTREE_ID = "t1";

const startsSubtree = fc.tuple(pick, subtreeChoice, pick).map(
  ([n, choice, m]): Move =>
    (world) => {
      const sup = world.supervisor(n);
      if (sup.spec.template !== undefined) return [];
      const spec = place(choice, SUBTREE_ID, sup.spec.auto_shutdown);
      const path = `${sup.path}/${SUBTREE_ID}`;
      const start: Step = { op: "start_child", sup: sup.path, spec };
      const inner = at(spec.children ?? [], m);
      if (inner === undefined) return [start];
      return [start, { op: "stop", target: `${path}/${inner.id}`, reason: "boom" }];
    },
);

const asksName = fc.constantFrom(...NAMES).map(
  (name): Move =>
    () => [{ op: "whereis", name }],
);

/** Code change: other flags, other children; a template stays one. */
const upgrades = fc.tuple(pick, subtreeChoice, fc.option(faultyFlags, { freq: 8 })).map(
  ([n, choice, fault]): Move =>
    (world) => {
      const { path, spec: old } = world.supervisor(n);
      const isDynamic = old.template !== undefined;
      const supervisor = choice.supervisor && { ...choice.supervisor, isDynamic };
      const {
        restart: _r,
        significant: _s,
        init: _i,
        ...spec
      } = place({ ...choice, supervisor }, old.id, "never");
      const template = spec.template && sameKeeping(spec.template, old.template);
      const next = { ...spec, ...(template && { template }), ...fault };
      return [{ op: "upgrade", sup: path, spec: next }];
    },
);

/**
 * OTP keeps no arguments of temporary dynamic children and crashes when a template that has become
 * another kind restarts one: whether they are temporary stays as it was.
 */
function sameKeeping(next: NodeSpec, old: NodeSpec | undefined): NodeSpec {
  const wasTemporary = old?.restart === "temporary";
  if (wasTemporary === (next.restart === "temporary")) return next;
  return { ...next, restart: wasTemporary ? "temporary" : "transient" };
}

const setsInit = fc
  .tuple(
    pick,
    fc.constantFrom<Json>(
      [{ stop: "planned" }],
      [{ error: "err" }, { throw: "oops" }],
      ["ignore"],
      [{ sleep: 10 }],
      [{ extra: "now" }],
      { stop: "for_ever" },
    ),
  )
  .map(
    ([n, plan]): Move =>
      (world) => {
        const { path } = world.worker(n);
        const isDynamic = world.supervisors.some(
          (sup) => sup.spec.template !== undefined && path.startsWith(`${sup.path}/`),
        );
        if (isDynamic && Array.isArray(plan) && plan[0] === "ignore") return [];
        return [{ op: "set_init", target: path, plan }];
      },
  );

const monitors = fc.tuple(pick, pick, chance(15), fc.option(reason)).map(
  ([n, m, isSupervisor, why]): Move =>
    (world) => {
      const target = world.hearer(n)?.path;
      if (target === undefined) return [];
      const to = isSupervisor ? world.supervisor(m).path : world.worker(m).path;
      const steps: Step[] = [{ op: "monitor", target, to }];
      if (why !== null && !isSupervisor) steps.push({ op: "stop", target: to, reason: why });
      return steps;
    },
);

const links = fc.tuple(pick, pick, fc.option(reason)).map(
  ([n, m, why]): Move =>
    (world) => {
      const target = world.hearer(n)?.path;
      const to = world.partner(m)?.path;
      if (target === undefined || to === undefined) return [];
      const steps: Step[] = [{ op: "link", target, to }];
      if (why !== null) steps.push({ op: "stop", target: to, reason: why });
      return steps;
    },
);

const traps = fc.tuple(pick, fc.boolean()).map(
  ([n, value]): Move =>
    (world) => [{ op: "trap_exit", target: world.worker(n).path, value }],
);

/** Any step; what shows most comes most often. */
export const move: fc.Arbitrary<Move> = fc.oneof(
  { arbitrary: dies, weight: 10 },
  { arbitrary: exits, weight: 4 },
  { arbitrary: admin, weight: 9 },
  { arbitrary: terminatesProcess, weight: 2 },
  { arbitrary: starts, weight: 4 },
  { arbitrary: startsSubtree, weight: 1 },
  { arbitrary: setsInit, weight: 3 },
  { arbitrary: batch, weight: 5 },
  { arbitrary: nestedBatch, weight: 2 },
  { arbitrary: calls, weight: 4 },
  { arbitrary: sys, weight: 2 },
  { arbitrary: suspends, weight: 2 },
  { arbitrary: suspendsSupervisor, weight: 2 },
  { arbitrary: monitors, weight: 2 },
  { arbitrary: links, weight: 1 },
  { arbitrary: traps, weight: 1 },
  { arbitrary: killsSupervisor, weight: 1 },
  { arbitrary: upgrades, weight: 2 },
  { arbitrary: asksName, weight: 1 },
);
