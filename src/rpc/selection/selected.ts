/**
 * One selection as it was made for a request: the demand, the ranking, and what the admission cells
 * said at that moment. Kept so that the request can be explained later with the same numbers.
 */
import type { EndpointBudget, EndpointRow } from "../chain-view.ts";
import type { ExclusionRule, Ranking, RoutingSnapshot, SelectionDemand } from "./snapshot.ts";

/** The selection behind a request. */
export interface Selected {
  readonly snapshot: RoutingSnapshot;
  readonly demand: SelectionDemand;
  readonly ranking: Ranking;
  /** The block that a provider should have reached; 0 when none is named. */
  readonly minHead: number;
  /** Row faults of the first candidates (`packFaults`), and of the next ones. */
  readonly faults: number;
  readonly moreFaults: number;
  readonly atMs: number;
  readonly tookMs: number;
}

/** Rules of an admission cell, a bit each; the weightiest first. */
const ROW_RULES = ["cordoned", "breaker_open", "cooldown", "suspect", "rate", "quota"] as const;
const BITS = ROW_RULES.length;
/** Candidates whose faults fit one small integer. */
const PER_WORD = 5;

/** Bits of the rules that a row breaks now. */
const bitsOf = (row: EndpointRow, nowMs: number): number =>
  (row.isUsable ? 0 : 1) |
  (row.state === "closed" ? 0 : 2) |
  (row.cooldownUntilMs > nowMs ? 4 : 0) |
  (row.suspect ? 8 : 0) |
  (row.budget === undefined ? 0 : budgetBits(row.budget, nowMs));

const budgetBits = (budget: EndpointBudget, nowMs: number): number => {
  const rule = budget.spent(nowMs)?.rule;
  return rule === undefined ? 0 : rule === "rate" ? 16 : 32;
};

/** What the cells of up to five candidates from `from` on say now, as one small integer. */
export const packFaults = ({ candidates }: Ranking, from: number, nowMs: number): number => {
  const end = Math.min(candidates.length, from + PER_WORD);
  let packed = 0;
  for (let i = from; i < end; i++) {
    const row = candidates[i]?.row;
    if (row !== undefined) packed |= bitsOf(row, nowMs) << ((i - from) * BITS);
  }
  return packed;
};

/** The same for the candidates behind those of `packFaults`; nearly always there are none. */
export const packMore = (ranking: Ranking, nowMs: number): number =>
  ranking.candidates.length > PER_WORD ? packFaults(ranking, PER_WORD, nowMs) : 0;

/** The same selection in another order. */
export const reselected = (selected: Selected, ranking: Ranking, nowMs: number): Selected => ({
  ...selected,
  ranking,
  faults: packFaults(ranking, 0, nowMs),
  moreFaults: packMore(ranking, nowMs),
});

/** The rules that the candidate at `index` broke when it was selected; none are known beyond the tenth. */
export const faultsAt = (
  { faults, moreFaults }: Pick<Selected, "faults" | "moreFaults">,
  index: number,
): readonly ExclusionRule[] => {
  const word = index < PER_WORD ? faults : index < 2 * PER_WORD ? moreFaults : 0;
  return rulesOf((word >> ((index % PER_WORD) * BITS)) & ((1 << BITS) - 1));
};

/** The rules that a row breaks now; the first says why it does not admit a call. */
export const faultsOf = (row: EndpointRow, nowMs: number): readonly ExclusionRule[] =>
  rulesOf(bitsOf(row, nowMs));

const rulesOf = (bits: number): readonly ExclusionRule[] =>
  bits === 0 ? [] : ROW_RULES.filter((_, at) => (bits & (1 << at)) !== 0);
