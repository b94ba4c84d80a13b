/** Everything that a prediction follows of one provider; fixed memory, time as an argument. */
import type { CallResult } from "../evidence/call-cell.ts";
import { CallSteps } from "./call-steps.ts";
import type { Signals, Trend } from "./signals.ts";
import { MAX_STEPS, StepRing } from "./step-ring.ts";

/** What a signal must not reach. */
export interface Limits {
  /** Slow tail of a typical call, ms; or `USUAL_TAILS` times the usual one, if that is more. */
  readonly latencyMs: number;
  readonly errorRatio: number;
  readonly rateLimitedRatio: number;
  readonly missRatio: number;
  /** Blocks behind the tip. */
  readonly lagBlocks: number;
  /** Lost connections within a minute. */
  readonly wsDrops: number;
}

/** A tail of so many times the usual one is a failure also where it is within the limit. */
const USUAL_TAILS = 4;
/** Races of one step at least, and how long it waits for them, ms. */
const LEAST_RACES = 4;
const RACE_STEP_MS = 2_000;
const LONGEST_RACE_STEP_MS = 30_000;
const RACE_KEEP_MS = 180_000;
/** A step of the lag, ms; at least half a block. */
const LAG_STEP_MS = 2_000;
/** Lost connections are remembered for a minute, the last 16 of them. */
const DROP_MS = 60_000;
const MAX_DROPS = 16;

/** The trends of one provider. */
export class ProviderTrends {
  readonly #calls = new CallSteps();
  readonly #misses = new StepRing();
  readonly #lags = new StepRing();
  readonly #dropsMs: number[] = [];
  #races = 0;
  #missed = 0;
  #raceStartMs = Number.NaN;
  #lagSum = 0;
  #lagCount = 0;
  #lagStartMs = Number.NaN;
  #lagStepMs = LAG_STEP_MS;

  /** A call ended; `kind` numbers its method and transport. */
  call(kind: number, result: CallResult, durationMs: number): void {
    this.#calls.add(kind, result, durationMs);
  }

  /** A race was settled in which the provider brought the event, or did not. */
  race(isMissed: boolean): void {
    this.#races++;
    if (isMissed) this.#missed++;
  }

  /** The provider's WebSocket went away or was found dead. */
  drop(nowMs: number): void {
    this.#dropsMs.push(nowMs);
    if (this.#dropsMs.length > MAX_DROPS) this.#dropsMs.shift();
  }

  /** Once a second: how far behind it is, and the steps that are due. */
  look(nowMs: number, lag: number | undefined, blockTimeMs: number): void {
    this.#calls.look(nowMs);
    this.#lookAtRaces(nowMs);
    this.#lookAtLag(nowMs, lag, blockTimeMs);
    while ((this.#dropsMs[0] ?? nowMs) < nowMs - DROP_MS) this.#dropsMs.shift();
  }

  /** Where each signal stands against its limit. */
  signals(nowMs: number, limits: Limits): Signals {
    const latencyMs = Math.max(limits.latencyMs, USUAL_TAILS * this.#calls.usualTailMs);
    const lags = this.#lags.trend(nowMs, 2 * MAX_STEPS * this.#lagStepMs);
    return {
      latency: against(this.#calls.latency(nowMs), latencyMs),
      errors: against(this.#calls.failures(nowMs), limits.errorRatio),
      rate_limits: against(this.#calls.refusals(nowMs), limits.rateLimitedRatio),
      misses: against(this.#misses.trend(nowMs, RACE_KEEP_MS), limits.missRatio),
      lag: against(lags, limits.lagBlocks),
      ws_drops: against(this.#drops(), limits.wsDrops),
    };
  }

  #drops(): Trend | undefined {
    const level = this.#dropsMs.length;
    return level === 0 ? undefined : { level, slopePerSec: 0, spanMs: DROP_MS };
  }

  #lookAtRaces(nowMs: number): void {
    if (Number.isNaN(this.#raceStartMs)) this.#raceStartMs = nowMs;
    const ageMs = nowMs - this.#raceStartMs;
    if (ageMs < RACE_STEP_MS) return;
    if (this.#races < LEAST_RACES && ageMs < LONGEST_RACE_STEP_MS) return;
    if (this.#races > 0) this.#misses.push(nowMs, this.#missed / this.#races);
    this.#races = 0;
    this.#missed = 0;
    this.#raceStartMs = nowMs;
  }

  #lookAtLag(nowMs: number, lag: number | undefined, blockTimeMs: number): void {
    if (lag !== undefined) {
      this.#lagSum += lag;
      this.#lagCount++;
    }
    if (Number.isNaN(this.#lagStartMs)) this.#lagStartMs = nowMs;
    this.#lagStepMs = Math.max(LAG_STEP_MS, blockTimeMs / 2);
    if (nowMs - this.#lagStartMs < this.#lagStepMs) return;
    if (this.#lagCount > 0) this.#lags.push(nowMs, this.#lagSum / this.#lagCount);
    this.#lagSum = 0;
    this.#lagCount = 0;
    this.#lagStartMs = nowMs;
  }
}

const against = (trend: Trend | undefined, limit: number) =>
  trend === undefined ? undefined : { ...trend, limit };
