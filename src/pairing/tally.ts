/** What a market did since its counts began. */
import { DurationCells } from "../lib/duration-cells.ts";
import type { PairingResult } from "./protocol.ts";

/** What one scorer did for picks. */
export interface ScorerTally {
  picks: number;
  /** Sum of its scores. */
  points: number;
  failures: number;
}

/** Sums over results; they stand still while counting is off. */
export class Tally {
  isOn = true;
  processed = 0;
  filtered = 0;
  ranked = 0;
  hits = 0;
  misses = 0;
  /** Times of all results, ms; never begun anew, for whoever draws them. */
  readonly durations = new DurationCells();
  /** Results of nobody by the filter that keeps most away; never begun anew. */
  readonly emptyBy = new Map<string, number>();
  /** Providers that filters refused, in results that say so; never begun anew. */
  readonly refusedBy = new Map<string, number>();
  /** What scorers gave the picks; never begun anew. */
  readonly scoredBy = new Map<string, ScorerTally>();
  #timeUs = 0;

  /** Takes a result in. */
  add(result: PairingResult): void {
    if (!this.isOn) return;
    const { filteredCount, rankedCount, cache, processingTimeUs, blockedBy } = result;
    this.processed++;
    this.filtered += filteredCount;
    this.ranked += rankedCount;
    if (cache === "hit") this.hits++;
    else if (cache === "miss") this.misses++;
    this.#timeUs += processingTimeUs;
    this.durations.record(processingTimeUs / 1_000);
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
