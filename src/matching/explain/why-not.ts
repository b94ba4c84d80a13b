/** Why one provider is, or is not, among the picks: all filters that refuse it, not the first alone. */
import { type Binding, bindingOf } from "../binding.ts";
import type { Plan } from "../compile.ts";
import { type BoundFilter, type Found, passes } from "../filters/filter.ts";
import type { ProviderIndex } from "../index/provider-index.ts";
import { type MatchOptions, match } from "../match.ts";
import { sortedRows } from "../paths/sorted.ts";
import { componentsOf } from "../picks.ts";
import { placeByScore } from "./place.ts";

/** A filter that refuses a provider. */
export interface Refusal {
  readonly filter: string;
  readonly need: string;
  readonly have: string;
  /** Whether it may end by itself. */
  readonly transient: boolean;
  /** The numbers behind it, where the filter tells them. */
  readonly found?: Found;
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
  /** What it lacks to the last pick's score. Only for survivors that are not picked for their score. */
  readonly gapToLast?: number;
}

/** All filters that refuse a row, in the order of reports. */
export const refusalsOf = (binding: Binding, row: number): Refusal[] =>
  binding.filters
    .filter((filter) => !passes(filter, row, binding.index))
    .map((filter) => refusalBy(filter, row));

/** The first filter that refuses a row; `undefined` for a survivor. */
export function firstRefusal(binding: Binding, row: number): Refusal | undefined {
  const { filters, index } = binding;
  for (let i = 0; i < filters.length; i++) {
    const filter = filters[i] as BoundFilter;
    if (!passes(filter, row, index)) return refusalBy(filter, row);
  }
  return undefined;
}

const refusalBy = (filter: BoundFilter, row: number): Refusal => {
  const found = filter.found?.(row);
  return {
    filter: filter.name,
    need: filter.need,
    have: filter.have(row),
    transient: filter.isTransient,
    ...(found === undefined ? {} : { found }),
  };
};

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
  const refusals = refusalsOf(binding, row);
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
  const rank = rankOf(plan, index, row, sum);
  return isPicked || last === undefined || plan.demand.orderBy !== undefined
    ? { ...known, isPicked, rank }
    : { ...known, isPicked, rank, gapToLast: last.score - known.score };
}

/** One more than the survivors before it. */
function rankOf(plan: Plan, index: ProviderIndex, row: number, sum: number): number {
  const binding = bindingOf(plan, index);
  if (plan.demand.orderBy !== undefined) {
    return sortedRows(binding).indexOf(row) + 1;
  }
  return placeByScore(binding, row, sum);
}
