/** Why one provider is, or is not, among the picks: all filters that refuse it, not the first alone. */
import { bindingOf } from "../binding.ts";
import type { Plan } from "../compile.ts";
import { passes } from "../filters/filter.ts";
import type { ProviderIndex } from "../index/provider-index.ts";
import { type MatchOptions, match } from "../match.ts";
import { eachSurvivor } from "../paths/scan.ts";
import { componentsOf } from "../picks.ts";

/** A filter that refuses a provider. */
export interface Refusal {
  readonly filter: string;
  readonly need: string;
  readonly have: string;
  /** Whether it may end by itself. */
  readonly transient: boolean;
}

/** The answer. Score and components are there for whoever is in the market, refused or not. */
export interface WhyNot {
  readonly provider: string;
  readonly inMarket: boolean;
  readonly refusals: readonly Refusal[];
  readonly isPicked: boolean;
  readonly score?: number;
  readonly components?: Readonly<Record<string, number | null>>;
  /** Its place among the survivors by score, from 1 on. Only for survivors. */
  readonly rank?: number;
  /** What it lacks to the last pick's score. Only for survivors that are not picked. */
  readonly gapToLast?: number;
}

/** Explains one provider of a market for a plan; the options are those of the match. */
export function whyNot(
  plan: Plan,
  index: ProviderIndex,
  id: string,
  options: MatchOptions = {},
): WhyNot {
  const row = index.rowOf(id);
  if (row === undefined) return { provider: id, inMarket: false, refusals: [], isPicked: false };
  const binding = bindingOf(plan, index);
  const refusals = binding.filters
    .filter((filter) => !passes(filter, row, index))
    .map((filter) => ({
      filter: filter.name,
      need: filter.need,
      have: filter.have(row),
      transient: filter.isTransient,
    }));
  const sum = binding.sumOf(row);
  const known = {
    provider: id,
    inMarket: true,
    refusals,
    score: binding.shown(sum),
    components: componentsOf(binding, row),
  };
  if (refusals.length > 0) return { ...known, isPicked: false };
  const { picks } = match(plan, index, options);
  const isPicked = picks.some((pick) => pick.id === id);
  const last = picks.at(-1);
  const rank = rankOf(plan, index, id, sum);
  return isPicked || last === undefined
    ? { ...known, isPicked, rank }
    : { ...known, isPicked, rank, gapToLast: last.score - known.score };
}

/** One more than the survivors before it. */
function rankOf(plan: Plan, index: ProviderIndex, id: string, sum: number): number {
  const binding = bindingOf(plan, index);
  let rank = 1;
  eachSurvivor(binding, (row) => {
    const other = binding.sumOf(row);
    if (other > sum || (other === sum && (index.ids[row] as string) < id)) rank++;
  });
  return rank;
}
