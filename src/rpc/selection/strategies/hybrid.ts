/** The leaderboard's score mixed with the price: `cost_bias` is the share of the price. */
import { priceScorer } from "../../../matching/scorers/signals.ts";
import { compositeParts } from "./leaderboard.ts";
import type { Strategy } from "./strategy.ts";

/** The column has prices in medians already. */
const MEDIAN = 1;

/** 1 for free, a half for the median price of those that cost anything. */
export const cheapScorer = priceScorer(MEDIAN);

/** The `hybrid` strategy. */
export const hybrid: Strategy = {
  name: "hybrid",
  description: "The leaderboard, mixed with the price",
  usesEvidence: true,
  isSticky: true,
  profile: [
    ...compositeParts.map((part) => ({
      ...part,
      weight: (rules: Parameters<typeof part.weight>[0]) =>
        part.weight(rules) * (1 - rules.costBias),
    })),
    {
      name: "cost",
      scorer: cheapScorer,
      weight: ({ costBias }) => costBias,
      raw: ({ cost }) => cost,
    },
  ],
  orderBy: ["score", "priority"],
};
