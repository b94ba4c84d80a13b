/**
 * The ways a fake provider fails, and when: a pure function of profile, seed, request count and time.
 * The same seed gives the same faults for the same sequence of requests.
 */
import { noiseRatio } from "./noise.ts";

/** How one provider behaves; every part is optional and its absence means perfect. */
export interface FaultProfile {
  /** Time added to each answer, ms. */
  readonly latencyMs?: number;
  /** Up to this much more, uniform, ms. */
  readonly jitterMs?: number;
  /** Age of a block when this provider first tells of it, ms; must stay below the block time. */
  readonly headDelayMs?: number;
  /** Up to this much more per block, ms. */
  readonly headJitterMs?: number;
  /** Blocks that this provider is behind the chain. */
  readonly lagBlocks?: number;
  /** Share of requests that fail, per kind, 0..1. */
  readonly ratios?: Partial<Record<RandomFault, number>>;
  readonly rateLimit?: RateLimit;
  readonly outage?: Outage;
  /** Chain id that this provider claims. */
  readonly wrongChainId?: number;
  /** WebSocket connections are cut when they are this old, ms. */
  readonly wsDropAfterMs?: number;
  /** Whether it keeps old state. Default false. */
  readonly isArchival?: boolean;
  /** Largest eth_getLogs span, blocks. Default 2,000. */
  readonly maxLogBlocks?: number;
}

/** Faults that strike by chance. */
export type RandomFault =
  | "status500"
  | "rpcError"
  | "garbage"
  | "truncate"
  | "hang"
  | "reset"
  | "drip"
  /** A state read is answered with something else, well formed. */
  | "lie";

/** A token bucket, and how the refusal looks: a 429, or a 200 whose body carries the code. */
export interface RateLimit {
  readonly requestsPerSec: number;
  readonly burst: number;
  readonly retryAfterSec: number;
  readonly style: "status" | "body429" | "body32005";
}

/** A repeating window in which the provider is gone. */
export interface Outage {
  readonly everyMs: number;
  readonly durationMs: number;
  /** When the first one begins, ms after the start of the world. */
  readonly offsetMs: number;
  readonly style: "refuse" | "hang" | "status503";
}

/** What becomes of one request. */
export type FaultVerdict =
  | {
      readonly kind:
        | "serve"
        | "hang"
        | "reset"
        | "garbage"
        | "truncate"
        | "drip"
        | "rpcError"
        | "lie";
    }
  | { readonly kind: "status"; readonly status: 500 | 503; readonly retryAfterSec?: number }
  | {
      readonly kind: "limited";
      readonly style: RateLimit["style"];
      readonly retryAfterSec: number;
    };

/** Decides the fate of each request of one provider; holds a request counter and a token bucket. */
export class FaultDice {
  readonly #profile: FaultProfile;
  readonly #seed: number;
  readonly #startMs: number;
  #count = 0;
  #tokens: number;
  #refilledMs: number;

  /** `startMs` is the start of the world in the clock whose readings are passed later. */
  constructor(profile: FaultProfile, seed: number, startMs: number) {
    this.#profile = profile;
    this.#seed = seed;
    this.#startMs = startMs;
    this.#refilledMs = startMs;
    this.#tokens = profile.rateLimit?.burst ?? 0;
  }

  /** Whether the provider is in an outage at a time. */
  isDown(nowMs: number): boolean {
    const { outage } = this.#profile;
    if (outage === undefined) return false;
    const since = nowMs - this.#startMs - outage.offsetMs;
    return since >= 0 && since % outage.everyMs < outage.durationMs;
  }

  /** When the next outage begins or the present one ends, for a driver that closes connections. */
  nextOutageEdgeMs(nowMs: number): number {
    const { outage } = this.#profile;
    if (outage === undefined) return Number.POSITIVE_INFINITY;
    const since = nowMs - this.#startMs - outage.offsetMs;
    if (since < 0) return nowMs - since;
    const phase = since % outage.everyMs;
    const rest = phase < outage.durationMs ? outage.durationMs - phase : outage.everyMs - phase;
    return nowMs + rest;
  }

  /** The verdict and the delay of the next request. */
  next(nowMs: number): { verdict: FaultVerdict; delayMs: number } {
    const { latencyMs = 0, jitterMs = 0 } = this.#profile;
    const count = ++this.#count;
    const delayMs = latencyMs + noiseRatio(this.#seed, TAG_JITTER, count) * jitterMs;
    return { verdict: this.#verdict(nowMs, count), delayMs };
  }

  #verdict(nowMs: number, count: number): FaultVerdict {
    const { rateLimit, outage, ratios } = this.#profile;
    if (outage !== undefined && this.isDown(nowMs)) {
      if (outage.style === "status503") return { kind: "status", status: 503, retryAfterSec: 1 };
      return { kind: outage.style === "hang" ? "hang" : "reset" };
    }
    if (rateLimit !== undefined && !this.#takeToken(rateLimit, nowMs)) {
      return { kind: "limited", style: rateLimit.style, retryAfterSec: rateLimit.retryAfterSec };
    }
    if (ratios === undefined) return { kind: "serve" };
    let draw = noiseRatio(this.#seed, TAG_FAULT, count);
    for (const kind of RANDOM_FAULTS) {
      draw -= ratios[kind] ?? 0;
      if (draw < 0) return kind === "status500" ? { kind: "status", status: 500 } : { kind };
    }
    return { kind: "serve" };
  }

  #takeToken(limit: RateLimit, nowMs: number): boolean {
    const refill = (Math.max(0, nowMs - this.#refilledMs) / 1000) * limit.requestsPerSec;
    this.#tokens = Math.min(limit.burst, this.#tokens + refill);
    this.#refilledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

const RANDOM_FAULTS: readonly RandomFault[] = [
  "status500",
  "rpcError",
  "garbage",
  "truncate",
  "hang",
  "reset",
  "drip",
  "lie",
];
const TAG_JITTER = 61;
const TAG_FAULT = 62;
