/**
 * Calls of one provider, folded into steps: a slow tail, a share of failures, a share of refusals.
 *
 * Durations are taken relative to what is usual for their method and transport, so that a change of
 * what clients ask does not look like a provider that slows down. What is usual follows in minutes,
 * so that a ramp of a minute stays one. Fixed memory, about 9 KB.
 */
import type { CallResult } from "../evidence/call-cell.ts";
import { MAX_STEPS, StepRing } from "./step-ring.ts";
import type { Trend } from "./signals.ts";

/** A step takes this long at least, and longer while it has too few calls, ms. */
const STEP_MS = 2_000;
const LONGEST_STEP_MS = 10_000;
const LEAST_CALLS = 5;
/** Good calls that are added to each step: one failure among few says little. */
const GOOD_CALLS = 4;
/** Steps older than this say nothing, ms. */
const KEEP_MS = 4 * MAX_STEPS * 1_000;
/** Half-life of what is usual, ms; a tail that grows becomes usual much later than one that shrinks. */
const USUAL_HALF_LIFE_MS = 600_000;
const WORSE_HALF_LIFE_MS = 3_600_000;
/** What is usual begins as the mean of so many steps. */
const FIRST_STEPS = 10;
const LEAST_DURATION_MS = 0.1;

/** Kinds of calls: 128 methods on each of two transports, as raw rows number them. */
const KINDS = 256;

/** Log buckets of a duration over the usual one: base 1.05, from 1/100 to 1,000 times. */
const BASE = Math.log(1.05);
const LOWEST = Math.log(0.01);
const BUCKETS = Math.ceil((Math.log(1_000) - LOWEST) / BASE) + 1;
const TAIL = 0.95;

/** Steps of calls. */
export class CallSteps {
  /** Usual logarithm of the duration by kind; NaN: never seen. */
  readonly #usual = new Float64Array(KINDS).fill(Number.NaN);
  /** Usual share of the kind among all calls. */
  readonly #mix = new Float64Array(KINDS);
  readonly #sums = new Float64Array(KINDS);
  readonly #counts = new Uint32Array(KINDS);
  readonly #buckets = new Uint32Array(BUCKETS);
  readonly #tails = new StepRing();
  readonly #failures = new StepRing();
  readonly #refusals = new StepRing();
  #ok = 0;
  #failed = 0;
  #refused = 0;
  #startMs = Number.NaN;
  /** Steps in which calls were answered. */
  #steps = 0;
  #usualTailMs = Number.NaN;

  /** Counts one call. */
  add(kind: number, result: CallResult, durationMs: number): void {
    if (result === "ok") {
      this.#ok++;
      this.#time(kind & (KINDS - 1), Math.log(Math.max(durationMs, LEAST_DURATION_MS)));
    } else if (result === "failure" || result === "timeout") this.#failed++;
    else if (result === "capacity") this.#refused++;
  }

  /** Ends the step when it is due. */
  look(nowMs: number): void {
    if (Number.isNaN(this.#startMs)) this.#startMs = nowMs;
    const ageMs = nowMs - this.#startMs;
    const calls = this.#ok + this.#failed + this.#refused;
    if (ageMs < STEP_MS || (calls < LEAST_CALLS && ageMs < LONGEST_STEP_MS)) return;
    if (calls > 0) this.#end(nowMs, ageMs);
    this.#startMs = nowMs;
  }

  /** 95th percentile of the duration of a typical call, ms. */
  latency(nowMs: number): Trend | undefined {
    return this.#tails.trend(nowMs, KEEP_MS);
  }

  /** Failed and timed out over judged calls, 0..1. */
  failures(nowMs: number): Trend | undefined {
    return this.#failures.trend(nowMs, KEEP_MS);
  }

  /** Calls refused for their rate over all, 0..1. */
  refusals(nowMs: number): Trend | undefined {
    return this.#refusals.trend(nowMs, KEEP_MS);
  }

  /** What the 95th percentile usually is, ms; 0 while unknown. */
  get usualTailMs(): number {
    return Number.isNaN(this.#usualTailMs) ? 0 : this.#usualTailMs;
  }

  #time(kind: number, log: number): void {
    this.#sums[kind] = (this.#sums[kind] as number) + log;
    this.#counts[kind] = (this.#counts[kind] as number) + 1;
    const usual = this.#usual[kind] as number;
    // The first calls of a kind say what is usual for it.
    const relative = Number.isNaN(usual) ? 0 : log - usual;
    const bucket = Math.round((relative - LOWEST) / BASE);
    const at = Math.max(0, Math.min(BUCKETS - 1, bucket));
    this.#buckets[at] = (this.#buckets[at] as number) + 1;
  }

  #end(nowMs: number, ageMs: number): void {
    const judged = this.#ok + this.#failed;
    this.#failures.push(nowMs, this.#failed / (judged + GOOD_CALLS));
    this.#refusals.push(nowMs, this.#refused / (judged + this.#refused + GOOD_CALLS));
    if (this.#ok > 0) {
      const least = ++this.#steps > FIRST_STEPS ? 0 : 1 / this.#steps;
      const shareOf = (halfLifeMs: number) => Math.max(least, 1 - 2 ** (-ageMs / halfLifeMs));
      // Before the kinds follow: the durations were measured against what was usual then.
      const tail = this.#tail();
      const typical = this.#learnKinds(shareOf(USUAL_HALF_LIFE_MS));
      const tailMs = Math.exp(typical + tail);
      this.#tails.push(nowMs, tailMs);
      const isWorse = tailMs > this.#usualTailMs;
      const share = shareOf(isWorse ? WORSE_HALF_LIFE_MS : USUAL_HALF_LIFE_MS);
      this.#usualTailMs = moved(this.#usualTailMs, tailMs, share);
    }
    this.#ok = 0;
    this.#failed = 0;
    this.#refused = 0;
    this.#sums.fill(0);
    this.#counts.fill(0);
    this.#buckets.fill(0);
  }

  /**
   * What is usual follows the step a little; a kind of which nothing was known takes its mean. Returns
   * the logarithm of a typical call's usual duration, as it was before.
   */
  #learnKinds(share: number): number {
    let typical = 0;
    let known = 0;
    for (let kind = 0; kind < KINDS; kind++) {
      const count = this.#counts[kind] as number;
      const mix = moved(this.#mix[kind] as number, count / this.#ok, share);
      this.#mix[kind] = mix;
      if (count === 0 && mix === 0) continue;
      const mean = count === 0 ? Number.NaN : (this.#sums[kind] as number) / count;
      const usual = Number.isNaN(this.#usual[kind]) ? mean : (this.#usual[kind] as number);
      typical += mix * usual;
      known += mix;
      this.#usual[kind] = count === 0 ? usual : moved(usual, mean, share);
    }
    return known > 0 ? typical / known : 0;
  }

  /** Logarithm of the slow tail over the usual duration. */
  #tail(): number {
    const rank = Math.max(1, Math.ceil(TAIL * this.#ok));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#buckets[bucket] as number;
      if (seen >= rank) return LOWEST + bucket * BASE;
    }
    return 0;
  }
}

const moved = (from: number, to: number, share: number): number =>
  Number.isNaN(from) ? to : from + (to - from) * share;
