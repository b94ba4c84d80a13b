/** The leaderboard's score mixed with the price: `cost_bias` is the share of the price. */
import { cheapScores, compositeParts, compositeScores } from "../components.ts";
import { byPriority, type Entry } from "../entry.ts";
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
  parts: (entries, snapshot) => {
    const bias = snapshot.rules.costBias;
    const cheap = cheapScores(entries);
    return compositeParts(snapshot, entries).map((parts, i) => {
      const entry = entries[i] as Entry;
      return [
        ...parts.map((part) => ({ ...part, weight: part.weight * (1 - bias) })),
        { name: "cost", raw: entry.cost, value: cheap.get(entry) ?? 0, weight: bias },
      ];
    });
  },
};
