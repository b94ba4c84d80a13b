/** What is said of a ranking: real counts whether it was kept or made, picks with stake and place. */
import type { Binding } from "../matching/binding.ts";
import type { FilterReport } from "../matching/explain/survivors.ts";
import type { Ranking } from "../matching/match.ts";
import { componentsOf } from "../matching/picks.ts";
import type { ProviderStore } from "./provider-store.ts";
import type { ConsumerPolicy, PairedProvider, PairingResult, ScorerFailure } from "./protocol.ts";

/** What a ranking shows; made once, and kept as long as the ranking is. */
export interface Outcome {
  readonly left: number;
  readonly picks: readonly PairedProvider[];
  readonly survivors: readonly FilterReport[] | undefined;
  readonly blockedBy: string | undefined;
  readonly scorerErrors: readonly ScorerFailure[] | undefined;
}

/** What was found: by this thread or by another. */
export type Found = Omit<Outcome, "blockedBy">;

/** One pick by its row, with what each scorer gave it. */
export const pickOf = (
  binding: Binding,
  row: number,
  { score, components, u, key }: Pick<PairedProvider, "score" | "components" | "u" | "key">,
): PairedProvider => ({
  address: binding.index.ids[row] as string,
  score,
  ...(u === undefined || key === undefined ? {} : { u, key }),
  components: components ?? componentsOf(binding, row),
  stake: binding.index.stakes.at(row),
  location: binding.index.locationAt(row),
});

/** Makes what is shown of picks of this very store. */
export const outcomeOf = (store: ProviderStore, found: Found): Outcome => ({
  ...found,
  blockedBy: found.left > 0 ? undefined : blockerOf(store.size, found.survivors ?? []),
});

/** The result of a request. */
export const resultOf = (
  market: string,
  policy: ConsumerPolicy,
  { version }: Pick<Ranking, "version">,
  { left, picks, survivors, blockedBy, scorerErrors }: Outcome,
  cache: PairingResult["cache"],
  processingTimeUs: number,
): PairingResult => ({
  market,
  policy,
  filteredCount: left,
  rankedCount: left,
  topProviders: picks,
  // The clock counts nanoseconds; what is finer is noise of the subtraction.
  processingTimeUs: Math.round(processingTimeUs * 1_000) / 1_000,
  cache,
  version,
  ...(blockedBy === undefined ? {} : { blockedBy }),
  ...(survivors === undefined ? {} : { survivors }),
  ...(scorerErrors === undefined ? {} : { scorerErrors }),
  error: null,
});

/** The result of a request that could not be answered. */
export const failedResult = (
  market: string,
  policy: ConsumerPolicy | null,
  error: string,
): PairingResult => ({
  market,
  policy,
  filteredCount: 0,
  rankedCount: 0,
  topProviders: [],
  processingTimeUs: 0,
  cache: "off",
  version: 0,
  error,
});

/** A result in the six keys of the contract, its time in ms. */
export const contractResult = (
  result: PairingResult,
): Readonly<Record<(typeof CONTRACT_KEYS)[number], unknown>> => ({
  policy: result.policy,
  filteredCount: result.filteredCount,
  rankedCount: result.rankedCount,
  topProviders: result.topProviders,
  processingTime: result.processingTimeUs / 1_000,
  error: result.error,
});

/** The keys of a result that the contract names. */
export const CONTRACT_KEYS = [
  "policy",
  "filteredCount",
  "rankedCount",
  "topProviders",
  "processingTime",
  "error",
] as const;

/** Whose refusal most would come by giving up; else the first filter that leaves nobody. */
function blockerOf(size: number, survivors: readonly FilterReport[]): string | undefined {
  if (size === 0) return "market";
  const bySole = survivors.toSorted((a, b) => b.sole - a.sole);
  const [first] = bySole;
  if (first !== undefined && first.sole > 0) return first.filter;
  return survivors.find(({ left }) => left === 0)?.filter;
}
