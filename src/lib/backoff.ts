/** Bounds of an exponential backoff. */
export interface BackoffBounds {
  /** Ceiling of the first delay, ms; it doubles with each attempt. */
  readonly baseMs: number;
  /** Ceiling of all delays, ms. */
  readonly capMs: number;
}

/**
 * Delay before retry number `attempt` (from 0) with full jitter: uniform between 0 and the doubled
 * base, so that clients cut off together do not return together (Brooker, AWS 2015). `random` in
 * [0, 1).
 */
export const fullJitterMs = (bounds: BackoffBounds, attempt: number, random: number): number =>
  random * Math.min(bounds.capMs, bounds.baseMs * 2 ** Math.min(attempt, 30));
