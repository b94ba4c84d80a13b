/**
 * When a second provider is asked before the first has answered (Dean and Barroso, The Tail at
 * Scale): once, after the time in which nearly all answers come, within a share of the requests.
 *
 * Hedges are for slow requests, not for dead providers: those are the stall rule's and the breaker's.
 */
import type { CallSummary } from "./selection/snapshot.ts";

/** Bounds of the wait, and the wait while too little is known, ms. */
const MIN_DELAY_MS = 100;
const MAX_DELAY_MS = 2000;
const COLD_DELAY_MS = 500;
/** Latency samples behind a quantile that can be relied on. */
const MIN_SAMPLES = 20;

/** How long to wait for the first provider: its q95 for the method, ms. */
export const hedgeDelayMs = (summary: CallSummary | undefined): number => {
  if (summary?.q95Ms === undefined || summary.samples < MIN_SAMPLES) return COLD_DELAY_MS;
  return Math.min(MAX_DELAY_MS, Math.max(MIN_DELAY_MS, summary.q95Ms));
};

/** Hedges that may be saved up. */
const MAX_TOKENS = 10;

/** The hedges of one chain: each request earns a share of one. */
export class HedgeBudget {
  #tokens = MAX_TOKENS;

  /** Hedges that are left. */
  get left(): number {
    return Math.floor(this.#tokens);
  }

  /** A request of a client has come; `share` is the extra load that is allowed, 0..1. */
  earn(share: number): void {
    const tokens = this.#tokens + share;
    this.#tokens = tokens > MAX_TOKENS ? MAX_TOKENS : tokens;
  }

  /** Spends one hedge, if there is one. */
  take(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
