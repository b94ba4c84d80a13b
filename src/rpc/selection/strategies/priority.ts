/** Lowest configured priority number first; equals take turns. */
import { priorityScorer } from "../../../matching/scorers/signals.ts";
import { rotateEquals } from "../rotation.ts";
import type { Strategy } from "./strategy.ts";

/** The `priority` strategy. */
export const priority: Strategy = {
  name: "priority",
  description: "The configured order",
  usesEvidence: false,
  isSticky: false,
  profile: [
    { name: "priority", scorer: priorityScorer, weight: () => 1, raw: ({ view }) => view.priority },
  ],
  orderBy: ["priority"],
  vary: (leading, _demand, memory) => rotateEquals(leading, memory, "priority"),
};
