/**
 * A token bucket in one number: the time at which it will be full again (the generic cell rate
 * algorithm, ITU-T I.371). Nothing is refilled, so nothing drifts, and a taker pays one comparison.
 */

/** How fast, and how much at once. */
export interface RateLimit {
  /** Tokens that come back each second. */
  readonly perSec: number;
  /** Tokens of a full bucket; at least 1. */
  readonly burst: number;
}

/** Sums of fractions miss a whole number by this share of a token. */
const ROUNDING = 1e-6;

/** One bucket, full at first. Time is monotonic milliseconds; a step back takes nothing away. */
export class RateBucket {
  #intervalMs = 0;
  #spanMs = 0;
  #fullAtMs = Number.NEGATIVE_INFINITY;

  constructor(limit: RateLimit) {
    this.configure(limit);
  }

  /** Changes the limit; what was taken stays taken. */
  configure({ perSec, burst }: RateLimit): void {
    this.#intervalMs = 1000 / perSec;
    this.#spanMs = (Math.max(1, burst) + ROUNDING) * this.#intervalMs;
  }

  /** Tokens that come back each second. */
  get perSec(): number {
    return 1000 / this.#intervalMs;
  }

  /** Takes `cost` tokens, or none; what costs more than the burst needs a full bucket. */
  take(nowMs: number, cost = 1): boolean {
    const fromMs = Math.max(this.#fullAtMs, nowMs);
    const toMs = fromMs + cost * this.#intervalMs;
    if (toMs - nowMs > this.#spanMs && fromMs > nowMs) return false;
    this.#fullAtMs = toMs;
    return true;
  }

  /** Takes `cost` tokens whether they are there or not: the next one waits the longer. */
  spend(nowMs: number, cost = 1): void {
    this.#fullAtMs = Math.max(this.#fullAtMs, nowMs) + cost * this.#intervalMs;
  }

  /** Whether `take` would succeed. */
  has(nowMs: number, cost = 1): boolean {
    return this.waitMs(nowMs, cost) <= 0;
  }

  /** Time until `cost` tokens can be taken, ms; 0 when they are there. */
  waitMs(nowMs: number, cost = 1): number {
    const aheadMs = this.#fullAtMs - nowMs;
    if (aheadMs <= 0) return 0;
    const roomMs = Math.max(0, this.#spanMs - cost * this.#intervalMs);
    return Math.max(0, aheadMs - roomMs);
  }

  /** How full the bucket is, 0..1. */
  fill(nowMs: number): number {
    return Math.min(1, Math.max(0, 1 - (this.#fullAtMs - nowMs) / this.#spanMs));
  }
}

/** A bucket under another limit, or under none: what was taken from a known one stays taken. */
export function renewBucket(
  known: RateBucket | undefined,
  limit: RateLimit | undefined,
): RateBucket | undefined {
  if (limit === undefined) return undefined;
  if (known === undefined) return new RateBucket(limit);
  known.configure(limit);
  return known;
}
