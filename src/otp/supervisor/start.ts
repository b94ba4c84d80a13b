/**
 * Runs the start plan of one spec, for supervisors and for a node's root.
 */
import { IsolateHost } from "../isolate/host.ts";
import type { Profile } from "../node/profile.ts";
import type { Kernel } from "../process/kernel.ts";
import type { Behaviour, Process, StartOutcome } from "../process/process.ts";
import type { ChildSpec, StartPlan } from "./spec.ts";
import { SupervisorBehaviour } from "./supervisor.ts";

/** Starts a child of `parent`, or a root; sync as long as its init is. */
export function startSpec(
  kernel: Kernel,
  spec: ChildSpec,
  parent: Process | undefined,
): StartOutcome | Promise<StartOutcome> {
  const { start } = spec;
  const before = start.before?.();
  if (before !== undefined) return before;
  const { profile } = kernel;
  const behaviour = behaviourOf(start);
  const outcome = kernel.spawn({
    behaviour: behaviour.under?.(profile) ?? behaviour,
    args: start.args,
    parent,
    isLinked: true,
    name: spec.name,
    childId: spec.id,
    startTimeoutMs: spec.startTimeoutMs ?? startTimeoutOf(spec, profile),
  });
  const { extra } = start;
  if (extra === undefined) return outcome;
  const withExtra = (done: StartOutcome): StartOutcome =>
    done.ok ? { ...done, extra: extra() } : done;
  return outcome instanceof Promise ? outcome.then(withExtra) : withExtra(outcome);
}

/** What the profile says of a spec that is silent; a supervisor's start takes as long as its children's. */
function startTimeoutOf(spec: ChildSpec, profile: Profile): number {
  return spec.type === "worker" ? profile.startTimeoutMs : Number.POSITIVE_INFINITY;
}

/** What a plan runs this time: a supervisor has a behaviour of its own at each start. */
function behaviourOf({ behaviour }: StartPlan): Behaviour {
  if (!("children" in behaviour)) return behaviour;
  const { isolation } = behaviour;
  return isolation === undefined
    ? new SupervisorBehaviour(behaviour)
    : new IsolateHost(behaviour, isolation);
}
