/** Smooth weighted round-robin (nginx 2012): even at every moment, and when the set changes. */
import type { StrategyName } from "../../../config/schema.ts";
import type { EndpointRow } from "../chain-view.ts";
import type { Candidate, SelectionMemory } from "./snapshot.ts";

/**
 * Turns `group` so that whose turn it is comes first. Each one's credit grows by its weight, the
 * richest is picked and pays the sum; one that joins starts at 0 and gets no burst.
 */
export const rotate = (
  group: readonly Candidate[],
  memory: SelectionMemory,
  strategy: StrategyName,
): readonly Candidate[] => {
  if (group.length < 2) return group;
  const credits = creditsOf(memory, strategy, group.length);
  let sum = 0;
  let best = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < group.length; i++) {
    const { row, view } = group[i] as Candidate;
    const weight = Math.max(0, view.weight);
    const credit = (credits.get(row) ?? 0) + weight;
    credits.set(row, credit);
    sum += weight;
    if (credit > most) {
      most = credit;
      best = i;
    }
  }
  credits.set((group[best] as Candidate).row, most - sum);
  return best === 0 ? group : [...group.slice(best), ...group.slice(0, best)];
};

/** Forgets the credits of a set that has shrunk a lot: rows of gone providers must not pile up. */
const creditsOf = (
  memory: SelectionMemory,
  strategy: StrategyName,
  groupSize: number,
): Map<EndpointRow, number> => {
  const known = memory.rotations.get(strategy);
  if (known !== undefined && known.size <= 4 * groupSize + 64) return known;
  const fresh = new Map<EndpointRow, number>();
  memory.rotations.set(strategy, fresh);
  return fresh;
};

/** Rotates the candidates at the front that score alike; the others keep their places. */
export const rotateEquals = (
  group: readonly Candidate[],
  memory: SelectionMemory,
  strategy: StrategyName,
): readonly Candidate[] => {
  const first = group[0]?.score;
  let equal = 0;
  while (equal < group.length && group[equal]?.score === first) equal++;
  if (equal < 2) return group;
  return [...rotate(group.slice(0, equal), memory, strategy), ...group.slice(equal)];
};
