/** What a market did since its counts began. */
import { DurationCells } from "../lib/duration-cells.ts";
import type { PairingResult } from "./protocol.ts";

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
  #timeUs = 0;

  /** Takes a result in. */
  add({ filteredCount, rankedCount, cache, processingTimeUs, blockedBy }: PairingResult): void {
    if (!this.isOn) return;
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
