/** Picks the next endpoint for a call from a ranking, reading live cells only. */
import { isAdmissible } from "../admission.ts";
import type { Candidate, Ranking } from "../selection/snapshot.ts";

/** Providers of a ranking that were tried, by row index. */
export class TriedSet {
  #low = 0;
  #high: Set<number> | undefined;

  add(index: number): void {
    if (index < 31) this.#low |= 1 << index;
    else (this.#high ??= new Set()).add(index);
  }

  has(index: number): boolean {
    return index < 31 ? (this.#low & (1 << index)) !== 0 : this.#high?.has(index) === true;
  }
}

/** The best untried candidate that is admitted now. */
export function nextCandidate(
  ranking: Ranking,
  nowMs: number,
  tried: TriedSet,
): Candidate | undefined {
  const { candidates } = ranking;
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index] as Candidate;
    const { row } = candidate;
    if (!tried.has(row.index) && isAdmissible(row, nowMs)) return candidate;
  }
  return undefined;
}

/** The best untried, admitted candidate with a head above `head`; any other one failing that. */
export function nextWithHigherHead(
  ranking: Ranking,
  nowMs: number,
  tried: TriedSet,
  head: number,
): Candidate | undefined {
  for (const candidate of ranking.candidates) {
    const { row } = candidate;
    if (row.head > head && !tried.has(row.index) && isAdmissible(row, nowMs)) return candidate;
  }
  return nextCandidate(ranking, nowMs, tried);
}
