/**
 * Carries out a reconcile plan inside one turn of the supervisor, its nested supervisors included.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, refuse, supervisor } from "paceline/otp";
 *
 * const part = defineActor({
 *   name: "demo/part",
 *   init: (size: number) => (size < 0 ? refuse("too small") : size),
 * });
 * const spec = (a: number, b: number) =>
 *   supervisor("top", { children: [child(part, a, { id: "a" }), child(part, b, { id: "b" })] });
 *
 * const node = createVirtualNode();
 * const top = await node.start(spec(1, 1));
 * const result = await node.inspector.reconcile("top", spec(1, -1));
 * console.log(result.ok && result.failures);
 * console.log(await top.whichChildren());
 * await node.stop();
 * ```
 *
 * ```text
 * [ { path: [ 'b' ], reason: 'too small' } ]
 * [
 *   { id: 'b', pid: undefined, type: 'worker' },
 *   { id: 'a', pid: '#2', type: 'worker' }
 * ]
 * ```
 */
import { placeCall } from "../process/calls.ts";
import { Kind } from "../process/message.ts";
import type { Reason } from "../reason.ts";
import type { Child } from "./child.ts";
import { changeSupervisor, checkChange } from "./code-change.ts";
import {
  linesOfPlan,
  planReconcile,
  type ReconcilePlan,
  type ReconcileStep,
  type RunningSupervisor,
  setupOf,
} from "./reconcile.ts";
import type { AdminResult } from "./ref.ts";
import type { SupervisorSetup } from "./spec.ts";
import { stopOne } from "./stopping.ts";
import { SupervisorBehaviour } from "./supervisor.ts";

/** A child that could not be brought in line; the others were. */
export interface ReconcileFailure {
  /** Ids from the reconciled supervisor down. */
  readonly path: readonly unknown[];
  readonly reason: Reason;
}

/** What reconciling did, or with `dryRun` would do. */
export interface Reconciled {
  readonly plan: ReconcilePlan;
  readonly isApplied: boolean;
  readonly failures: readonly ReconcileFailure[];
}

/** Plans, and unless it is a dry run applies; an invalid spec is refused before anything happens. */
export async function reconcile(
  owner: SupervisorBehaviour,
  wanted: SupervisorSetup,
  isDryRun: boolean,
): Promise<AdminResult<Reconciled>> {
  const current = runningOf(owner);
  const problem = refusalOf(current, wanted);
  if (problem !== undefined) return { ok: false, reason: problem };
  const plan = planReconcile(current, wanted);
  if (isDryRun) return { ok: true, plan, isApplied: false, failures: [] };
  const failures = await apply(owner, wanted, plan);
  owner.me.kernel.event("otp.reconcile", owner.me, {
    result: failures.length === 0 ? "ok" : "failed",
    changes: linesOfPlan(plan),
  });
  return { ok: true, plan, isApplied: true, failures };
}

/** The supervisor and what runs below it, as it is now. */
export function runningOf(owner: SupervisorBehaviour): RunningSupervisor {
  return {
    setup: owner.setup,
    children: [...owner.children].map((child) => {
      const { spec, process, isRestarting } = child;
      const below = process?.behaviour;
      const nested = below instanceof SupervisorBehaviour ? runningOf(below) : undefined;
      return { spec, pid: process?.pid, isRestarting, nested };
    }),
  };
}

function refusalOf(
  current: RunningSupervisor | undefined,
  wanted: SupervisorSetup,
): Reason | undefined {
  if (current !== undefined && current.setup.id !== wanted.id) {
    return ["other_supervisor", current.setup.id, wanted.id];
  }
  const problem = checkChange(current?.setup ?? wanted, wanted);
  if (problem !== undefined) return problem;
  for (const spec of wanted.children) {
    const setup = setupOf(spec.start);
    // Whatever runs there now: a change that means a restart is checked as a start.
    const refusal = setup === undefined ? undefined : refusalOf(undefined, setup);
    if (refusal !== undefined) return ["start_spec", spec.id, refusal];
  }
  return undefined;
}

async function apply(
  owner: SupervisorBehaviour,
  wanted: SupervisorSetup,
  plan: ReconcilePlan,
): Promise<ReconcileFailure[]> {
  const failures: ReconcileFailure[] = [];
  await stopAll(owner, plan.steps);
  const refusal = changeSupervisor(owner, wanted);
  if (refusal !== undefined) return [{ path: [], reason: refusal }];
  for (const step of plan.steps) {
    if (step.action === "stop") continue;
    const child = owner.byId.get(step.id);
    if (child === undefined) continue;
    if (step.action === "keep") {
      if (step.plan?.isEmpty === false) failures.push(...(await descend(child)));
      continue;
    }
    const failure = await owner.start(child);
    if (failure === undefined) continue;
    owner.report("start_error", failure.reason, child, undefined);
    failures.push({ path: [step.id], reason: failure.reason });
  }
  return failures;
}

/** Stops what goes and what is started anew, from the last child to the first. */
async function stopAll(owner: SupervisorBehaviour, steps: readonly ReconcileStep[]): Promise<void> {
  const stops = new Map(steps.map((step) => [step.id, step.action]));
  for (const child of [...owner.children].reverse()) {
    const action = stops.get(child.spec.id);
    if (action !== "stop" && action !== "restart") continue;
    owner.cancelDelay(child);
    await stopOne(owner, child);
    child.isRestarting = false;
    if (action === "stop") owner.remove(child);
  }
}

/** A nested supervisor reconciles itself: its own turn, its own order. */
async function descend(child: Child): Promise<readonly ReconcileFailure[]> {
  const { process, spec } = child;
  const failed = (reason: Reason): ReconcileFailure[] => [{ path: [spec.id], reason }];
  const setup = setupOf(spec.start);
  if (process === undefined || setup === undefined) return failed("noproc");
  // It would answer only after an operator's resume, and hold its parent until then.
  if (process.suspended) return failed("suspended");
  const command = { op: "reconcile", setup, isDryRun: false };
  const answer = (await placeCall(
    process,
    process.label,
    Kind.admin,
    "reconcile",
    command,
    Number.POSITIVE_INFINITY,
    true,
  )) as { ok: true; value: AdminResult<Reconciled> } | { ok: false; reason: Reason };
  const result = answer.ok ? answer.value : answer;
  if (!result.ok) return failed(result.reason);
  return result.failures.map(({ path, reason }) => ({ path: [spec.id, ...path], reason }));
}
