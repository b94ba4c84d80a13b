/**
 * Lowest median latency of the method among qualified providers; medians within 5 % are told apart
 * by the 95th percentile. Without a qualified, measured provider: by priority, and it says so.
 */
import { columnScorer } from "../../../matching/scorers/signals.ts";
import { isMeasured } from "../market/columns.ts";
import type { Strategy } from "./strategy.ts";

/** A half at 1 ms, so that the ratio of two scores is about that of the medians. */
const perMs = { shape: "falling", half: 1 } as const;
/** Who was not measured has no claim to the first place. */
const unmeasured = 0;

/** The `fastest` strategy. */
export const fastest: Strategy = {
  name: "fastest",
  description: "The lowest median, then the lowest 95th percentile",
  usesEvidence: true,
  isSticky: true,
  profile: [
    {
      name: "latency",
      scorer: columnScorer("latency", "A half at 1 ms, falling", "latencyMs", perMs, unmeasured),
      weight: () => 1,
      raw: ({ call }) => call?.p50Ms,
    },
    {
      // Decides between medians within 5 %, but is no part of the score.
      name: "latency_q95",
      scorer: columnScorer("latency_q95", "A half at 1 ms, falling", "tailMs", perMs, unmeasured),
      weight: () => 0,
      raw: ({ call }) => call?.q95Ms,
    },
  ],
  orderBy: ["levelMs", "tailMs", "medianMs", "priority"],
  fallback: (entries) => (entries.some(isMeasured) ? undefined : "no_qualified"),
};
