/**
 * Which scenarios have no total order in OTP, by rule.
 *
 * OTP promises the order of signals between two processes and nothing else. A supervisor makes one
 * total order out of that, because it starts and stops one child at a time and waits for each. It
 * does not where several processes run at once without waiting for one another:
 *
 * - a killed supervisor: its children end by its link while its parent already starts the next one;
 * - a link or a monitor between children: one death reaches the supervisor and the partner at once;
 * - a parallel stop (simple_one_for_one) of children that take their time over it, or of which some
 *   trap exits and have a turn of their own while the others end as the signal reaches them.
 *
 * What each process does and hears is the same in every such order.
 */
import type { NodeSpec, Scenario, Step } from "./scenario.ts";

/** More than the stops of a small subtree take. */
const UNHURRIED_MS = 1000;

/** Why only the order per process is comparable; undefined: the total order is. */
export function whyUnordered(scenario: Scenario): string | undefined {
  const supervisors = new Set<string>();
  let hasParallelStop = false;
  let hasSlowParallelStop = false;
  let hasBrutalSupervisor = false;
  const walk = (node: NodeSpec, path: string): void => {
    if (!isSupervisor(node)) return;
    supervisors.add(path);
    if (isHasty(node.shutdown)) hasBrutalSupervisor = true;
    if (node.template !== undefined) hasParallelStop = true;
    const end = node.template?.on_terminate;
    if (end !== undefined && end !== "ok") hasSlowParallelStop = true;
    for (const inner of node.children ?? []) walk(inner, `${path}/${inner.id}`);
  };
  walk(scenario.tree, scenario.tree.id);
  const steps = allSteps(scenario.steps);
  for (const { spec, sup } of steps) {
    if (spec !== undefined) walk(spec, `${sup ?? ""}/${spec.id}`);
  }
  const isKilled = (step: Step): boolean =>
    step.op === "exit" && step.reason === "kill" && supervisors.has(step.target ?? "");
  if (hasBrutalSupervisor || steps.some(isKilled)) return "a killed supervisor";
  if (steps.some(({ op }) => op === "link" || op === "monitor")) return "a link or a monitor";
  const isMixing = ({ op }: Step): boolean => op === "trap_exit" || op === "upgrade";
  const isMixed = hasParallelStop && steps.some(isMixing);
  if (hasSlowParallelStop || isMixed) return "a parallel stop of unlike or slow children";
  return undefined;
}

/** All steps, those inside batches included. */
export function allSteps(steps: readonly Step[]): Step[] {
  return steps.flatMap((step) => [step, ...allSteps(step.ops ?? [])]);
}

/** A supervisor stopped like this may be killed before its children are gone. */
function isHasty(shutdown: NodeSpec["shutdown"]): boolean {
  return shutdown === "brutal_kill" || (typeof shutdown === "number" && shutdown < UNHURRIED_MS);
}

function isSupervisor(node: NodeSpec): boolean {
  return node.strategy !== undefined || node.children !== undefined;
}
