/** Lowest cost of the method first, public before paid; equal costs take turns. */
import { columnScorer } from "../../../matching/scorers/signals.ts";
import { rotateEquals } from "../rotation.ts";
import { cheapScorer } from "./hybrid.ts";
import type { Strategy } from "./strategy.ts";

/** Tells equal costs of a public and a paid provider apart, and nothing else. */
const publicBonus = 1e-9;

/** The `cheapest` strategy. */
export const cheapest: Strategy = {
  name: "cheapest",
  description: "The lowest cost, public before paid",
  usesEvidence: false,
  isSticky: false,
  profile: [
    { name: "cost", scorer: cheapScorer, weight: () => 1, raw: ({ cost }) => cost },
    {
      name: "type",
      scorer: columnScorer("type", "1 for public, else 0", "paid", { shape: "rest" }),
      weight: () => publicBonus,
      raw: ({ view }) => view.type,
    },
  ],
  orderBy: ["cost", "paid", "priority"],
  vary: (leading, _demand, memory) => rotateEquals(leading, memory, "cheapest"),
};
