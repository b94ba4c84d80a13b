/** Best composite score first: races, reliability, latency, freshness. The default. */
import { compositeParts, compositeScores } from "../components.ts";
import { byPriority } from "../entry.ts";
import type { Strategy } from "./strategy.ts";

/** The `leaderboard` strategy. */
export const leaderboard: Strategy = {
  name: "leaderboard",
  usesEvidence: true,
  isSticky: true,
  order: (entries, snapshot) => {
    const scores = compositeScores(snapshot, entries);
    const scored = entries.map((entry) => ({ entry, score: scores.get(entry) ?? 0 }));
    return { scored: scored.sort((a, b) => b.score - a.score || byPriority(a.entry, b.entry)) };
  },
  parts: (entries, snapshot) => compositeParts(snapshot, entries),
};
