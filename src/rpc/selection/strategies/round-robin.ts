/** All available providers in turn, in proportion to their weights. */
import { columnScorer } from "../../../matching/scorers/signals.ts";
import { rotate } from "../rotation.ts";
import type { Strategy } from "./strategy.ts";

const weightScorer = columnScorer("weight", "Share of the largest weight", "weight", {
  shape: "asIs",
});

/** The `round-robin` strategy. */
export const roundRobin: Strategy = {
  name: "round-robin",
  description: "In turn, in proportion to the weights",
  usesEvidence: false,
  isSticky: false,
  profile: [
    { name: "weight", scorer: weightScorer, weight: () => 1, raw: ({ view }) => view.weight },
  ],
  orderBy: ["priority"],
  vary: (leading, _demand, memory) => rotate(leading, memory, "round-robin"),
};
