/** What a market did since its counts began. */
import { DurationCells } from "../lib/duration-cells.ts";
import type { MatchPath } from "../matching/binding.ts";
import type { PairingResult } from "./protocol.ts";

/** What one scorer did for picks. */
export interface ScorerTally {
  picks: number;
  /** Sum of its scores. */
  points: number;
  failures: number;
}

/** How a ranking came about: kept, made by another thread, or by which path of the kernel. */
export type FoundBy = MatchPath | "kept" | "thread";

/** A result with how it was found. */
export interface MatchSample {
  readonly result: PairingResult;
  readonly foundBy: FoundBy;
}

/** Sums over results; they stand still while counting is off. */
export class Tally {
  isOn = true;
  processed = 0;
  filtered = 0;
  ranked = 0;
  hits = 0;
  misses = 0;
  /** Times of all results by how they were found, ms; never begun anew, for whoever draws them. */
  readonly durations = new Map<FoundBy, DurationCells>();
  /** The last result, until somebody looks at it. */
  sample: MatchSample | undefined;
  /** Results of nobody by the filter that keeps most away; never begun anew. */
  readonly emptyBy = new Map<string, number>();
  /** Providers that filters refused, in results that say so; never begun anew. */
  readonly refusedBy = new Map<string, number>();
  /** What scorers gave the picks; never begun anew. */
  readonly scoredBy = new Map<string, ScorerTally>();
  #timeUs = 0;

  /** Takes a result in. */
  add(result: PairingResult, foundBy: FoundBy): void {
    if (!this.isOn) return;
    const { filteredCount, rankedCount, cache, processingTimeUs, blockedBy } = result;
    this.processed++;
    this.filtered += filteredCount;
    this.ranked += rankedCount;
    if (cache === "hit") this.hits++;
    else if (cache === "miss") this.misses++;
    this.#timeUs += processingTimeUs;
    this.#durationsOf(foundBy).record(processingTimeUs / 1_000);
    this.sample = { result, foundBy };
    if (blockedBy !== undefined) {
      this.emptyBy.set(blockedBy, (this.emptyBy.get(blockedBy) ?? 0) + 1);
    }
    for (const { filter, alone } of result.survivors ?? []) {
      this.refusedBy.set(filter, (this.refusedBy.get(filter) ?? 0) + alone);
    }
    for (const { components } of result.topProviders) {
      for (const scorer in components) this.#score(scorer, components[scorer] ?? null);
    }
  }

  #durationsOf(foundBy: FoundBy): DurationCells {
    let cells = this.durations.get(foundBy);
    if (cells === undefined) this.durations.set(foundBy, (cells = new DurationCells()));
    return cells;
  }

  #score(scorer: string, score: number | null): void {
    let tally = this.scoredBy.get(scorer);
    if (tally === undefined) {
      tally = { picks: 0, points: 0, failures: 0 };
      this.scoredBy.set(scorer, tally);
    }
    tally.picks++;
    if (score === null) tally.failures++;
    else tally.points += score;
  }

  /** Mean time of a result, µs; 0 without any. */
  get meanUs(): number {
    return this.processed === 0 ? 0 : this.#timeUs / this.processed;
  }

  /** Begins anew. */
  reset(): void {
    this.processed = this.filtered = this.ranked = this.hits = this.misses = this.#timeUs = 0;
  }
}
