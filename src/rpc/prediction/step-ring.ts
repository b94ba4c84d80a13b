/**
 * The last values of one signal, a step each, and the line through them.
 *
 * The slope is a lower confidence bound (one-sided 95 %) of the median of all pairwise slopes (Theil
 * 1950, Sen 1968), of all steps or of the newest ones: a spike, a short burst or noise has none, a ramp
 * has one after a few steps, and raising the newest value never lowers it. A signal that rose and then
 * stays has none either: the very newest steps must rise as well.
 */
import type { Trend } from "./signals.ts";

/** Steps that are kept. */
export const MAX_STEPS = 15;
/** With fewer steps nothing is said of a trend. */
const LEAST_STEPS = 6;
/** Steps that the level is the mean of. */
const LEVEL_STEPS = 3;
/** A steep ramp that has just begun shows in the newest steps before it shows in all of them. */
const SHORT_STEPS = 11;
/** Newest steps that must rise too. */
const RECENT_STEPS = 6;
/** Quantile of the normal distribution for the bound. */
const Z = 1.645;

/** A ring of steps. */
export class StepRing {
  readonly #atMs = new Float64Array(MAX_STEPS);
  readonly #values = new Float64Array(MAX_STEPS);
  /** All that were ever pushed. */
  #pushed = 0;

  /** Adds a step that ended at `atMs`. */
  push(atMs: number, value: number): void {
    const at = this.#pushed++ % MAX_STEPS;
    this.#atMs[at] = atMs;
    this.#values[at] = value;
  }

  /** The trend of the steps that are no older than `keepMs`; undefined while there are too few. */
  trend(nowMs: number, keepMs: number): Trend | undefined {
    const size = this.#sizeSince(nowMs - keepMs);
    if (size < LEVEL_STEPS) return undefined;
    let sum = 0;
    for (let age = 0; age < LEVEL_STEPS; age++) sum += this.#value(age);
    const level = sum / LEVEL_STEPS;
    if (size < LEAST_STEPS) return { level, slopePerSec: 0, spanMs: 0 };
    const sure = Math.max(this.#sureSlope(size), this.#sureSlope(Math.min(size, SHORT_STEPS)));
    const recent = sure > 0 ? middle(this.#slopes(Math.min(size, RECENT_STEPS))) : 0;
    return {
      level,
      slopePerSec: Math.max(0, Math.min(sure, recent)),
      spanMs: this.#time(0) - this.#time(size - 1),
    };
  }

  /** The lower bound of the slope of the newest `size` steps. */
  #sureSlope(size: number): number {
    return this.#slopes(size)[Math.max(0, Math.floor(lowRank(size)))] ?? 0;
  }

  #sizeSince(fromMs: number): number {
    const held = Math.min(this.#pushed, MAX_STEPS);
    let size = 0;
    while (size < held && this.#time(size) >= fromMs) size++;
    return size;
  }

  /** The slopes between all pairs of the newest `size` steps, ascending. */
  #slopes(size: number): Float64Array {
    const slopes = new Float64Array((size * (size - 1)) / 2);
    let count = 0;
    for (let older = 1; older < size; older++) {
      for (let newer = 0; newer < older; newer++) {
        const sec = Math.max(1, this.#time(newer) - this.#time(older)) / 1_000;
        slopes[count++] = (this.#value(newer) - this.#value(older)) / sec;
      }
    }
    return slopes.sort();
  }

  #time(age: number): number {
    return this.#atMs[(this.#pushed - 1 - age) % MAX_STEPS] as number;
  }

  #value(age: number): number {
    return this.#values[(this.#pushed - 1 - age) % MAX_STEPS] as number;
  }
}

/** Rank of the lower bound among the slopes of `n` steps: Kendall's variance without ties. */
const lowRank = (n: number): number =>
  ((n * (n - 1)) / 2 - Z * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18)) / 2;

const middle = (sorted: Float64Array): number => sorted[(sorted.length - 1) >> 1] ?? 0;
