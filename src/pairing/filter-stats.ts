/** Survivors by filter under the names of the chain: location, features, stake, then the rest. */
import type { FilterReport } from "../matching/explain/survivors.ts";
import type { FilterStats } from "./protocol.ts";

/** The chain of a policy, and how reports call its filters. */
const CHAIN = [
  ["location", "LocationFilter"],
  ["features", "FeatureFilter"],
  ["stake", "StakeFilter"],
] as const;

/** `{ initial, LocationFilter, FeatureFilter, StakeFilter }`: a filter not asked for passes all. */
export function filterStatsOf(size: number, reports: readonly FilterReport[]): FilterStats {
  const stats: Record<string, number> = { initial: size };
  let left = size;
  for (const [filter, name] of CHAIN) {
    left = reports.find((report) => report.filter === filter)?.left ?? left;
    stats[name] = left;
  }
  for (const { filter, left: after } of reports) {
    if (CHAIN.every(([known]) => known !== filter)) stats[filter] = after;
  }
  return stats;
}
