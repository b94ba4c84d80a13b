/** Outcome counts and latencies of one provider x transport x method. */
import type { DecayClock } from "../../lib/decay-clock.ts";
import { LatencySketch } from "../../lib/latency-sketch.ts";
import { wilsonLowerBound } from "../../lib/wilson.ts";
import type { ErrorClass } from "../errors/classes.ts";
import type { CallSummary } from "../selection/snapshot.ts";

/** What an attempt was for the score. */
export type CallResult = "ok" | "failure" | "timeout" | "capacity" | "neutral";

/** Results by code, as raw rows store them. */
export const callResults: readonly CallResult[] = [
  "ok",
  "failure",
  "timeout",
  "capacity",
  "neutral",
];

/** How each error class counts (json-rpc reference 7.3, column Score). */
export const resultOf: Readonly<Record<ErrorClass, CallResult>> = {
  ok: "ok",
  empty: "neutral",
  transport: "failure",
  server: "failure",
  malformed: "failure",
  wrong_chain: "failure",
  timeout: "timeout",
  auth: "failure",
  rate_limit: "capacity",
  capability: "neutral",
  block_unavailable: "neutral",
  node_syncing: "neutral",
  revert: "ok",
  invalid_params: "ok",
  tx_rejected: "ok",
  tx_known: "ok",
  user: "neutral",
  cancelled: "neutral",
  unmatched: "neutral",
};

/** Above this share of timeouts the slow tail is not known: q95 is the limit they ran into. */
const censoredRatio = 0.05;
/** A summary may be this old before it is made anew, ms. */
const summaryAgeMs = 250;

/** Decayed counts of one cell, for snapshots. */
export interface CellCounts {
  readonly ok: number;
  readonly failure: number;
  readonly timeout: number;
  readonly capacity: number;
}

/** Counts of one cell; weights come from the book's decay clock. */
export class CallCell {
  /** Made at the first sample: most cells of a chain with many providers never see one. */
  sketch: LatencySketch | undefined;
  readonly #makeSketch: () => LatencySketch;
  ok = 0;
  failure = 0;
  timeout = 0;
  capacity = 0;
  /** Longest time a call was given before it timed out, ms. */
  timeoutLimitMs = 0;
  #isChanged = true;
  #summary: CallSummary | undefined;
  #summaryAtMs = 0;

  constructor(makeSketch: () => LatencySketch) {
    this.#makeSketch = makeSketch;
  }

  /** Counts one outcome with its weight. */
  count(result: CallResult, weight: number, durationMs: number): void {
    this.#isChanged = true;
    if (result === "ok") this.ok += weight;
    else if (result === "failure") this.failure += weight;
    else if (result === "capacity") this.capacity += weight;
    else if (result === "timeout") {
      this.timeout += weight;
      if (durationMs > this.timeoutLimitMs) this.timeoutLimitMs = durationMs;
    }
  }

  /** Adds a latency sample. */
  time(durationMs: number, bucket: number, nowMs: number): void {
    this.#isChanged = true;
    this.sketch ??= this.#makeSketch();
    this.sketch.add(durationMs, bucket, nowMs);
  }

  /** Adds the latencies that a snapshot remembers. */
  restoreLatencies(pairs: readonly (readonly [number, number])[], nowMs: number): void {
    if (pairs.length === 0) return;
    this.#isChanged = true;
    this.sketch ??= this.#makeSketch();
    this.sketch.addPairs(pairs, nowMs);
  }

  /** Multiplies all counts, when the clock's weights are rescaled. */
  rescale(factor: number): void {
    this.ok *= factor;
    this.failure *= factor;
    this.timeout *= factor;
    this.capacity *= factor;
  }

  /** Adds what a snapshot remembers. */
  restore(counts: CellCounts, factor: number, timeoutLimitMs: number): void {
    this.#isChanged = true;
    this.ok += counts.ok * factor;
    this.failure += counts.failure * factor;
    this.timeout += counts.timeout * factor;
    this.capacity += counts.capacity * factor;
    this.timeoutLimitMs = Math.max(this.timeoutLimitMs, timeoutLimitMs);
  }

  /** The counts at `nowMs`. */
  counts(clock: DecayClock, nowMs: number): CellCounts {
    const scale = clock.scaleAt(nowMs);
    return {
      ok: this.ok * scale,
      failure: this.failure * scale,
      timeout: this.timeout * scale,
      capacity: this.capacity * scale,
    };
  }

  /** What the cell says at `nowMs`; made anew when something was counted, or a quarter second later. */
  summary(clock: DecayClock, nowMs: number): CallSummary {
    const ageMs = nowMs - this.#summaryAtMs;
    const isFresh = !this.#isChanged && ageMs >= 0 && ageMs < summaryAgeMs;
    if (this.#summary !== undefined && isFresh) return this.#summary;
    this.#summary = this.#summarize(clock, nowMs);
    this.#summaryAtMs = nowMs;
    this.#isChanged = false;
    return this.#summary;
  }

  #summarize(clock: DecayClock, nowMs: number): CallSummary {
    const { ok, failure, timeout } = this.counts(clock, nowMs);
    const n = ok + failure + timeout;
    const timeoutRatio = n > 0 ? timeout / n : 0;
    const q95Ms = this.sketch?.quantileMs(0.95, nowMs);
    const q99Ms = this.sketch?.quantileMs(0.99, nowMs);
    const isCensored = timeoutRatio > censoredRatio;
    const atLeast = (value: number | undefined): number | undefined =>
      isCensored ? Math.max(value ?? 0, this.timeoutLimitMs) : value;
    return {
      n,
      reliabilityLb: n > 0 ? wilsonLowerBound(ok / n, n) : 0,
      failureRatio: n > 0 ? (failure + timeout) / n : 0,
      timeoutRatio,
      samples: this.sketch?.count(nowMs) ?? 0,
      meanMs: this.sketch?.meanMs(nowMs),
      p50Ms: this.sketch?.quantileMs(0.5, nowMs),
      q95Ms: atLeast(q95Ms),
      q99Ms: atLeast(q99Ms),
      answeredQ99Ms: q99Ms,
    };
  }
}
