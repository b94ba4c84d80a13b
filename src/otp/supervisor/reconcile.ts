/**
 * Reconciling a running supervisor with a new spec (otp.md 1.15): the plan, as a pure function.
 *
 * ```ts
 * import {
 *   child,
 *   createVirtualNode,
 *   defineActor,
 *   linesOfPlan,
 *   type SupervisorOptions,
 *   supervisor,
 * } from "paceline/otp";
 *
 * const part = defineActor({ name: "demo/part", init: (_size: number) => 0 });
 * const spec = (children: SupervisorOptions["children"], intensity = 1) =>
 *   supervisor("top", { children, intensity });
 *
 * const node = createVirtualNode();
 * await node.start(spec([child(part, 1, { id: "a" }), child(part, 1, { id: "b" })]));
 * const wanted = spec([child(part, 2, { id: "b" }), child(part, 1, { id: "c" })], 5);
 * const result = await node.inspector.reconcile("top", wanted, { dryRun: true });
 * if (result.ok) console.log(linesOfPlan(result.plan), result.isApplied);
 * await node.stop();
 * ```
 *
 * ```text
 * [ 'flag intensity', 'stop a', 'restart b', 'start c' ] false
 * ```
 *
 * A child is known by its id. One whose start is the same keeps its process whatever else about it
 * changes; one whose start is another is started anew; supervisors inside are compared child by
 * child. Nothing here touches a process: `applyPlan` does.
 */
import { sameData } from "./same.ts";
import type { ChildSpec, StartPlan, SupervisorSetup } from "./spec.ts";

/** A running supervisor as the plan needs it. */
export interface RunningSupervisor {
  readonly setup: SupervisorSetup;
  /** In start order. */
  readonly children: readonly RunningChild[];
}

/** One child of it. */
export interface RunningChild {
  readonly spec: ChildSpec;
  /** Undefined while it does not run. */
  readonly pid: string | undefined;
  readonly isRestarting: boolean;
  /** What runs below, when it is a supervisor and runs. */
  readonly nested: RunningSupervisor | undefined;
}

/** A flag that will be another. */
export interface FlagChange {
  readonly flag: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** What becomes of one child. */
export type ReconcileStep =
  | { readonly action: "stop"; readonly id: unknown; readonly pid: string | undefined }
  | { readonly action: "start"; readonly id: unknown }
  | {
      readonly action: "restart";
      readonly id: unknown;
      readonly pid: string | undefined;
      /** What cannot be changed in a process that runs. */
      readonly because: "start" | "name" | "type";
    }
  | {
      readonly action: "keep";
      readonly id: unknown;
      readonly pid: string | undefined;
      /** Parts of the spec that change under the running process. */
      readonly changes: readonly string[];
      /** A supervisor: what becomes of its own children. */
      readonly plan?: ReconcilePlan;
    };

/** What reconciling does: stops from the last child to the first, then the rest in start order. */
export interface ReconcilePlan {
  readonly supervisor: string;
  readonly flags: readonly FlagChange[];
  readonly steps: readonly ReconcileStep[];
  /** Kept children change their places. */
  readonly isReordered: boolean;
  /** True when the supervisor is as wanted, all the way down. */
  readonly isEmpty: boolean;
}

const FLAGS = [
  "strategy",
  "intensity",
  "period",
  "autoShutdown",
  "clock",
  "orphans",
  "maxChildren",
] as const;
const POLICIES = ["restart", "shutdown", "significant", "backoff", "startTimeoutMs"] as const;

/** Compares a running supervisor with what is wanted of it. */
export function planReconcile(current: RunningSupervisor, wanted: SupervisorSetup): ReconcilePlan {
  const flags = FLAGS.filter((flag) => current.setup[flag] !== wanted[flag]).map((flag) => ({
    flag,
    from: current.setup[flag],
    to: wanted[flag],
  }));
  // A dynamic supervisor's children are its users' doing, not its spec's.
  const isDynamic = wanted.strategy === "simple_one_for_one";
  const steps = isDynamic ? [] : stepsOf(current.children, wanted.children);
  const isReordered = !isDynamic && hasMoved(current.children, wanted.children);
  const isEmpty = flags.length === 0 && !isReordered && steps.every(isNothing);
  return { supervisor: wanted.id, flags, steps, isReordered, isEmpty };
}

/** Names of what a plan does, for events and logs: "start a", "restart b/c". */
export function linesOfPlan(plan: ReconcilePlan, prefix = ""): string[] {
  const lines = plan.flags.map(({ flag }) => `flag ${prefix}${flag}`);
  if (plan.isReordered) lines.push(`reorder ${prefix}${plan.supervisor}`);
  for (const step of plan.steps) {
    const name = prefix + (typeof step.id === "string" ? step.id : JSON.stringify(step.id));
    if (step.action !== "keep") lines.push(`${step.action} ${name}`);
    else if (step.changes.length > 0) lines.push(`change ${name}: ${step.changes.join(", ")}`);
    if (step.action === "keep" && step.plan !== undefined) {
      lines.push(...linesOfPlan(step.plan, `${name}/`));
    }
  }
  return lines;
}

function stepsOf(
  current: readonly RunningChild[],
  wanted: readonly ChildSpec[],
): readonly ReconcileStep[] {
  const running = new Map(current.map((child) => [child.spec.id, child]));
  const ids = new Set(wanted.map((spec) => spec.id));
  const stops = current
    .filter((child) => !ids.has(child.spec.id))
    .reverse()
    .map(({ spec, pid }): ReconcileStep => ({ action: "stop", id: spec.id, pid }));
  return [...stops, ...wanted.map((spec) => stepFor(running.get(spec.id), spec))];
}

function stepFor(child: RunningChild | undefined, wanted: ChildSpec): ReconcileStep {
  const { id } = wanted;
  if (child === undefined) return { action: "start", id };
  const { spec, pid } = child;
  const because = reasonToRestart(spec, wanted);
  if (because !== undefined) {
    // What an operator stopped stays stopped, but a child that is now another has its chance.
    const isUp = pid !== undefined || child.isRestarting;
    return isUp ? { action: "restart", id, pid, because } : { action: "start", id };
  }
  const changes = POLICIES.filter((policy) => !sameData(spec[policy], wanted[policy]));
  const setup = setupOf(wanted.start);
  if (setup === undefined) return { action: "keep", id, pid, changes };
  if (child.nested !== undefined) {
    return { action: "keep", id, pid, changes, plan: planReconcile(child.nested, setup) };
  }
  return { action: "keep", id, pid, changes };
}

function reasonToRestart(from: ChildSpec, to: ChildSpec): "start" | "name" | "type" | undefined {
  if (from.type !== to.type) return "type";
  if (from.name !== to.name) return "name";
  return sameStart(from.start, to.start) ? undefined : "start";
}

/** True when a process that was started with the one is as good as one started with the other. */
function sameStart(from: StartPlan, to: StartPlan): boolean {
  if (from.before !== to.before || from.extra !== to.extra) return false;
  const before = setupOf(from);
  const after = setupOf(to);
  if (before === undefined || after === undefined) {
    return from.behaviour === to.behaviour && sameData(from.args, to.args);
  }
  // A thread is told where its subtree comes from once, when it starts.
  if (!sameData(before.isolation, after.isolation)) return false;
  const wasDynamic = before.strategy === "simple_one_for_one";
  return before.id === after.id && wasDynamic === (after.strategy === "simple_one_for_one");
}

/** The setup of a supervisor's start, undefined for others. */
export function setupOf(start: StartPlan): SupervisorSetup | undefined {
  return "children" in start.behaviour ? start.behaviour : undefined;
}

function hasMoved(current: readonly RunningChild[], wanted: readonly ChildSpec[]): boolean {
  const places = new Map(current.map((child, place) => [child.spec.id, place]));
  let last = -1;
  for (const { id } of wanted) {
    const place = places.get(id);
    if (place === undefined) continue;
    if (place < last) return true;
    last = place;
  }
  return false;
}

function isNothing(step: ReconcileStep): boolean {
  if (step.action !== "keep") return false;
  return step.changes.length === 0 && step.plan?.isEmpty !== false;
}
