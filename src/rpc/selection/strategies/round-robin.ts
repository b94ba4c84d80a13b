/** All available providers in turn, in proportion to their weights. */
import { byPriority } from "../entry.ts";
import { rotate } from "../rotation.ts";
import type { Strategy } from "./strategy.ts";

/** The `round-robin` strategy. */
export const roundRobin: Strategy = {
  name: "round-robin",
  usesEvidence: false,
  isSticky: false,
  order: (entries) => ({
    scored: [...entries].sort(byPriority).map((entry) => ({ entry, score: entry.view.weight })),
  }),
  parts: (entries) =>
    entries.map(({ view: { weight: raw } }) => [{ name: "weight", raw, value: raw, weight: 1 }]),
  vary: (leading, _demand, memory) => rotate(leading, memory, "round-robin"),
};
