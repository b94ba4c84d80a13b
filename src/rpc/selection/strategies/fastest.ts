/**
 * Lowest median latency of the method among qualified providers; medians within 5 % are told apart
 * by the 95th percentile. Without a qualified, measured provider: by priority, and it says so.
 */
import { byPriority, type Entry } from "../entry.ts";
import type { Scored, Strategy } from "./strategy.ts";

const alikeRatio = 1.05;

/** The `fastest` strategy. */
export const fastest: Strategy = {
  name: "fastest",
  usesEvidence: true,
  isSticky: true,
  order: (entries) => {
    const measured = entries.filter(isMeasured).sort(byMedian);
    const rest = entries.filter((entry) => !isMeasured(entry)).sort(byPriority);
    const scored = [...inRuns(measured), ...rest].map(toScored);
    return measured.length > 0 ? { scored } : { scored, fallback: "no_qualified" };
  },
  parts: (entries) =>
    entries.map((entry) => [
      { name: "latency", raw: entry.call?.p50Ms ?? null, value: scoreOf(entry), weight: 1 },
      // Decides between medians within 5 %, but is no part of the score.
      { name: "latency_q95", raw: entry.call?.q95Ms ?? null, value: 0, weight: 0 },
    ]),
};

const isMeasured = ({ tier, call }: Entry): boolean =>
  tier === "qualified" && call?.p50Ms !== undefined;

const p50 = ({ call }: Entry): number => call?.p50Ms ?? Number.POSITIVE_INFINITY;
const q95 = ({ call }: Entry): number => call?.q95Ms ?? Number.POSITIVE_INFINITY;

const byMedian = (a: Entry, b: Entry): number => p50(a) - p50(b) || byPriority(a, b);

/** Runs begin at their fastest member, so "within 5 %" stays transitive. */
const inRuns = (sorted: readonly Entry[]): Entry[] => {
  const ordered: Entry[] = [];
  let run: Entry[] = [];
  for (const entry of sorted) {
    const first = run[0];
    if (first !== undefined && p50(entry) > p50(first) * alikeRatio) {
      ordered.push(...run.sort((a, b) => q95(a) - q95(b) || byMedian(a, b)));
      run = [];
    }
    run.push(entry);
  }
  return [...ordered, ...run.sort((a, b) => q95(a) - q95(b) || byMedian(a, b))];
};

const scoreOf = (entry: Entry): number => 1 / (1 + p50(entry));

const toScored = (entry: Entry): Scored => ({ entry, score: scoreOf(entry) });
