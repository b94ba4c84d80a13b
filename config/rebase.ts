/** A reload's plan, for chains that are further along than its maker knew. */
import { inOrder, planChains, type ReloadStep } from "./plan.ts";
import type { ChainConfig } from "./schema.ts";

/**
 * The same plan for chains that are not quite what it was made from: whoever planned may not have
 * lived to hear of an earlier reload. What it names is done, what it does not know of is added, and a
 * chain that runs already is changed instead of started.
 */
export function rebaseSteps(
  steps: readonly ReloadStep[],
  running: readonly ChainConfig[],
  wanted: readonly ChainConfig[],
): readonly ReloadStep[] {
  const names = new Set(running.map(({ name }) => name));
  const isStarted = ({ action, chain, provider }: ReloadStep): boolean =>
    action === "start" && provider === undefined && chain !== undefined && names.has(chain);
  const told = steps.filter((step) => !isStarted(step));
  const places = new Set(told.map(placeOf));
  const missing = planChains(running, wanted).filter((step) => !places.has(placeOf(step)));
  return inOrder([...told, ...missing]);
}

const placeOf = ({ action, chain, provider, process }: ReloadStep): string =>
  [action, chain, provider, process].join(" ");
