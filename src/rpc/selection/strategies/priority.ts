/** Lowest configured priority number first; equals take turns. */
import { byPriority } from "../entry.ts";
import { rotateEquals } from "../rotation.ts";
import type { Strategy } from "./strategy.ts";

/** The `priority` strategy. */
export const priority: Strategy = {
  name: "priority",
  usesEvidence: false,
  isSticky: false,
  order: (entries) => ({
    scored: [...entries].sort(byPriority).map((entry) => ({ entry, score: -entry.view.priority })),
  }),
  parts: (entries) =>
    entries.map(({ view: { priority: raw } }) => [
      { name: "priority", raw, value: raw, weight: -1 },
    ]),
  vary: (leading, _demand, memory) => rotateEquals(leading, memory, "priority"),
};
