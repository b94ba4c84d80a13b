/** The leaderboard's score mixed with the price: `cost_bias` is the share of the price. */
import { cheapScores, compositeScores } from "../components.ts";
import { byPriority } from "../entry.ts";
import type { Strategy } from "./strategy.ts";

/** The `hybrid` strategy. */
export const hybrid: Strategy = {
  name: "hybrid",
  usesEvidence: true,
  isSticky: true,
  order: (entries, snapshot) => {
    const bias = snapshot.rules.costBias;
    const composite = compositeScores(snapshot, entries);
    const cheap = cheapScores(entries);
    const scored = entries.map((entry) => ({
      entry,
      score: (1 - bias) * (composite.get(entry) ?? 0) + bias * (cheap.get(entry) ?? 0),
    }));
    return { scored: scored.sort((a, b) => b.score - a.score || byPriority(a.entry, b.entry)) };
  },
};
