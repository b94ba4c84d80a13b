/**
 * Runs the start plan of one spec, for supervisors and for a node's root.
 */
import type { Kernel } from "../process/kernel.ts";
import type { Process, StartOutcome } from "../process/process.ts";
import { behaviourOf, type ChildSpec } from "./spec.ts";

/** Starts a child of `parent`, or a root; sync as long as its init is. */
export function startSpec(
  kernel: Kernel,
  spec: ChildSpec,
  parent: Process | undefined,
): StartOutcome | Promise<StartOutcome> {
  const { start } = spec;
  const before = start.before?.();
  if (before !== undefined) return before;
  const outcome = kernel.spawn({
    behaviour: behaviourOf(start),
    args: start.args,
    parent,
    isLinked: true,
    name: spec.name,
    childId: spec.id,
    startTimeoutMs: spec.startTimeoutMs,
  });
  const { extra } = start;
  if (extra === undefined) return outcome;
  const withExtra = (done: StartOutcome): StartOutcome =>
    done.ok ? { ...done, extra: extra() } : done;
  return outcome instanceof Promise ? outcome.then(withExtra) : withExtra(outcome);
}
