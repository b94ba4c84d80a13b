/** All filters in the order of reports: location, features, stake, then the rest. */
import type { CanonicalDemand } from "../canonical.ts";
import type { ProviderIndex } from "../index/provider-index.ts";
import { bindCustom } from "./custom.ts";
import type { BoundFilter, CustomFilter, FilterRule } from "./filter.ts";
import { featureFilter, healthFilter, locationFilter } from "./labels.ts";
import { excludeFilter, idFilter, ownerFilter } from "./names.ts";
import { resourceFilters, signalFilters, stakeFilter } from "./numbers.ts";

const CHAIN: readonly FilterRule[] = [
  locationFilter,
  featureFilter,
  stakeFilter,
  idFilter,
  ownerFilter,
  excludeFilter,
  resourceFilters,
  healthFilter,
  signalFilters,
];

/** The filters of a demand on a market. The order cannot change a ranking, only its report. */
export const filtersOf = (
  demand: CanonicalDemand,
  index: ProviderIndex,
  custom: readonly CustomFilter[],
): BoundFilter[] => [
  ...CHAIN.flatMap((rule) => rule(demand, index) ?? []),
  ...custom.map((filter) => bindCustom(filter, demand, index)),
];
