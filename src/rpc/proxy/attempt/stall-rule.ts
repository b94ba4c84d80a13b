/**
 * Finds frozen providers within some ticks: attempts are in flight and none completes.
 *
 * What was given up, by a hedge or by its deadline, is no sign of life: only what the provider ended.
 *
 * Ticks that ran are counted, not wall time: after a pause of our own (garbage collection, a stopped
 * process) a clock would suspect everybody. Expensive methods do not count.
 */
import type { EndpointRow } from "../../chain-view.ts";

/** Attempts in flight that make silence suspicious. */
const MIN_IN_FLIGHT = 4;
/** Nominal milliseconds of one tick. */
export const TICK_MS = 5;
/** Shortest silence that counts. */
const MIN_SILENCE_MS = 50;

/**
 * How long silence is nothing unusual, ms: four times the q99 of the answers. Some slow minutes, such
 * as those after a start, raise the q99 for long; the median does not forget what is usual.
 */
export function patience(q99Ms: number, medianMs: number): number {
  const usualMs = 4 * q99Ms;
  return medianMs === 0 ? usualMs : Math.min(usualMs, MIN_SILENCE_MS + 20 * medianMs);
}

/** What is counted for one row. */
interface Watch {
  answered: number;
  ticks: number;
  stamp: number;
  inFlight: number;
}

/** Counts silent ticks per row. */
export class StallRule {
  readonly #watches = new Map<EndpointRow, Watch>();
  #stamp = 0;

  /**
   * One tick over the attempts in flight: `each` calls its argument once per cheap attempt; rows
   * that have been silent for too long are passed to `onStalled`.
   */
  tick(
    each: (visit: (row: EndpointRow) => void) => void,
    patienceMs: (row: EndpointRow) => number,
    onStalled: (row: EndpointRow) => void,
  ): void {
    const stamp = ++this.#stamp;
    each((row) => this.#see(row, stamp));
    for (const [row, watch] of this.#watches) {
      if (watch.stamp !== stamp || row.suspect) {
        this.#watches.delete(row);
        continue;
      }
      if (watch.inFlight < MIN_IN_FLIGHT || row.answered !== watch.answered) {
        watch.answered = row.answered;
        watch.ticks = 0;
        continue;
      }
      watch.ticks++;
      if (watch.ticks * TICK_MS > Math.max(MIN_SILENCE_MS, patienceMs(row))) {
        this.#watches.delete(row);
        onStalled(row);
      }
    }
  }

  #see(row: EndpointRow, stamp: number): void {
    const watch = this.#watches.get(row);
    if (watch === undefined) {
      this.#watches.set(row, { answered: row.answered, ticks: 0, stamp, inFlight: 1 });
    } else if (watch.stamp === stamp) {
      watch.inFlight++;
    } else {
      watch.stamp = stamp;
      watch.inFlight = 1;
    }
  }
}
