/** How a ranking would be with another demand: other weights, a lower minimum, one more feature. */
import type { Demand, DemandFault } from "../demand.ts";
import { compile } from "../compile.ts";
import type { ProviderIndex } from "../index/provider-index.ts";
import { type MatchOptions, match, type Ranking } from "../match.ts";
import type { Profiles } from "../scorers/profiles.ts";

/** Where a pick stands before and after; `undefined` where it is none. */
export interface Shift {
  readonly id: string;
  readonly before: number | undefined;
  readonly after: number | undefined;
}

/** Both rankings and what moved between them. */
export type WhatIf =
  | {
      readonly ok: true;
      readonly before: Ranking;
      readonly after: Ranking;
      readonly shifts: readonly Shift[];
    }
  | { readonly ok: false; readonly faults: readonly DemandFault[] };

/** Picks in their order, as a ranking has them. */
export interface Picked {
  readonly picks: readonly { readonly id: string }[];
}

/** Ranks for a demand and for the same with `changes`, and compares. */
export function whatIf(
  demand: Demand,
  changes: Partial<Demand>,
  index: ProviderIndex,
  profiles: Profiles,
  options: MatchOptions = {},
): WhatIf {
  const now = compile(demand, profiles);
  if (!now.ok) return now;
  const then = compile({ ...demand, ...changes }, profiles);
  if (!then.ok) return then;
  const before = match(now.plan, index, options);
  const after = match(then.plan, index, options);
  return { ok: true, before, after, shifts: shiftsBetween(before, after) };
}

/** Every pick of either ranking whose place differs, in the order of the places. */
export function shiftsBetween(before: Picked, after: Picked): Shift[] {
  const placesOf = ({ picks }: Picked) => new Map(picks.map(({ id }, i) => [id, i + 1]));
  const old = placesOf(before);
  const now = placesOf(after);
  return [...new Set([...now.keys(), ...old.keys()])]
    .map((id) => ({ id, before: old.get(id), after: now.get(id) }))
    .filter((shift) => shift.before !== shift.after);
}
