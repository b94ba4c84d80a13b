/** The two named race scores (json-rpc reference 10.2). */
import { wilsonLowerBound } from "../../lib/wilson.ts";

/**
 * Livechain's formula, kept for compatibility: unbounded above, 0 for a first race.
 * `avgMarginMs` is the average over lost races.
 */
export const raceScore = (winRate: number, avgMarginMs: number, total: number): number => {
  const marginPenalty = avgMarginMs > 0 ? 1 / (1 + avgMarginMs / 100) : 1;
  return winRate * marginPenalty * Math.log10(Math.max(total, 1));
};

/** What one delivery earns: 1 for the first, less the later it comes. Missing earns 0. */
export const raceCredit = (marginMs: number): number => 1 / (1 + marginMs / 100);

/** The default score: a Wilson lower bound of the decayed credit ratio, always in [0, 1). */
export const paceScore = (creditRatio: number, races: number): number =>
  wilsonLowerBound(creditRatio, races);
