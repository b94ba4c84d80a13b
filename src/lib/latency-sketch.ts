/**
 * Quantiles of recent durations in fixed memory: counts in log buckets of base 1.1 from 1 ms to
 * 120 s (5 % relative error), in ten slices that rotate over five minutes.
 */

const base = 1.1;
const invLogBase = 1 / Math.log(base);
const longestMs = 120_000;
/** Bucket 0 holds everything up to 1 ms, the last one everything above 120 s. */
const buckets = Math.ceil(Math.log(longestMs) * invLogBase) + 2;
const slices = 10;
const sliceMs = 30_000;
/** What the ten slices cover together, ms. */
export const latencyWindowMs = slices * sliceMs;

/** Representative duration of each bucket, ms: its geometric middle. */
const middles = Float64Array.from({ length: buckets }, (_, i) =>
  i === 0 ? 0.5 : base ** (i - 0.5),
);

/** A sketch of the durations of the last five minutes. */
export class LatencySketch {
  readonly #counts = new Uint32Array(buckets * slices);
  readonly #merged = new Uint32Array(buckets);
  /** Exact sum of durations by slice, for the mean. */
  readonly #sumsMs = new Float64Array(slices);
  #total = 0;
  #slice = Number.NaN;

  /** Bytes of one sketch. */
  static readonly sizeBytes = buckets * (slices + 1) * 4 + slices * 8;

  /** Adds a duration; `bucket` is `latencyBucket(durationMs)`, shared by several sketches. */
  add(durationMs: number, bucket: number, nowMs: number): void {
    this.#turn(nowMs);
    const slot = this.#slice % slices;
    const at = slot * buckets + bucket;
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#merged[bucket] = (this.#merged[bucket] as number) + 1;
    // Never 0, since an empty sum marks an empty slice.
    this.#sumsMs[slot] = (this.#sumsMs[slot] as number) + Math.max(durationMs, 1e-6);
    this.#total++;
  }

  /** Samples of the last five minutes. */
  count(nowMs: number): number {
    this.#turn(nowMs);
    return this.#total;
  }

  /** Mean of the last five minutes in ms; `undefined` without samples. */
  meanMs(nowMs: number): number | undefined {
    this.#turn(nowMs);
    if (this.#total === 0) return undefined;
    let sum = 0;
    for (const sliceSum of this.#sumsMs) sum += sliceSum;
    return sum / this.#total;
  }

  /** The `q`-quantile (0..1) of the last five minutes in ms; `undefined` without samples. */
  quantileMs(q: number, nowMs: number): number | undefined {
    this.#turn(nowMs);
    if (this.#total === 0) return undefined;
    const rank = Math.max(1, Math.ceil(q * this.#total));
    let seen = 0;
    for (let bucket = 0; bucket < buckets; bucket++) {
      seen += this.#merged[bucket] as number;
      if (seen >= rank) return middles[bucket];
    }
    return middles[buckets - 1];
  }

  /** Non-empty buckets as [bucket, count] pairs, for a snapshot. */
  toPairs(nowMs: number): [number, number][] {
    this.#turn(nowMs);
    return [...this.#merged.entries()].filter(([, count]) => count > 0);
  }

  /** Adds counts of a snapshot as if they had come at `nowMs`; unknown buckets are ignored. */
  addPairs(pairs: readonly (readonly [number, number])[], nowMs: number): void {
    this.#turn(nowMs);
    const slot = this.#slice % slices;
    for (const [bucket, count] of pairs) {
      const middle = middles[bucket];
      if (middle === undefined || !Number.isInteger(count) || count < 0) continue;
      const at = slot * buckets + bucket;
      this.#counts[at] = (this.#counts[at] as number) + count;
      this.#merged[bucket] = (this.#merged[bucket] as number) + count;
      this.#sumsMs[slot] = (this.#sumsMs[slot] as number) + count * middle;
      this.#total += count;
    }
  }

  /** Empties the slices whose five minutes are over. Time that runs backwards turns nothing. */
  #turn(nowMs: number): void {
    const slice = Math.floor(nowMs / sliceMs);
    if (slice === this.#slice) return;
    if (Number.isNaN(this.#slice)) {
      this.#slice = slice;
      return;
    }
    const steps = Math.min(slice - this.#slice, slices);
    for (let i = 1; i <= steps; i++) this.#empty((this.#slice + i) % slices);
    this.#slice = Math.max(slice, this.#slice);
  }

  #empty(slot: number): void {
    if (this.#sumsMs[slot] === 0) return;
    for (let bucket = 0; bucket < buckets; bucket++) {
      const count = this.#counts[slot * buckets + bucket] as number;
      if (count === 0) continue;
      this.#counts[slot * buckets + bucket] = 0;
      this.#merged[bucket] = (this.#merged[bucket] as number) - count;
      this.#total -= count;
    }
    this.#sumsMs[slot] = 0;
  }
}

/** The log bucket of a duration; anything that is no number counts as 0 ms. */
export const latencyBucket = (durationMs: number): number => {
  if (!(durationMs > 1)) return 0;
  const bucket = Math.ceil(Math.log(durationMs) * invLogBase);
  return bucket < buckets ? bucket : buckets - 1;
};
