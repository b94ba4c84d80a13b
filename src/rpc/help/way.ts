/** The way to one region that helps a chain: its cell, its breaker, how far it was measured to be. */
import { type Breaker, breakerEvent, type BreakerEffect } from "../breaker.ts";
import type { AttemptOutcome, EndpointRow } from "../chain-view.ts";
import { restAgain, type Resting } from "../cooldown.ts";
import { DECISIONS } from "../errors/decisions.ts";
import { type ProbeVerdict, verdictEvent } from "../probe-verdict.ts";
import type { Neighbour } from "./ports.ts";

/** The time and the chance of one step. */
interface Moment {
  readonly nowMs: number;
  /** Uniform in [0, 1). */
  readonly random: number;
}

/** One way; `neighbours` holds it and does what it asks for. */
export class Way {
  readonly region: string;
  readonly url: string;
  readonly row: EndpointRow;
  readonly breaker: Breaker;
  /** When its round trip was last asked for. */
  measuredAtMs = Number.NEGATIVE_INFINITY;
  /** A connection stands: what takes long now is the way. */
  isWarm = false;
  #resting: Resting | undefined = undefined;

  constructor({ region, url }: Neighbour, breaker: Breaker) {
    this.region = region;
    this.url = url;
    this.breaker = breaker;
    this.row = breaker.row;
  }

  /** An attempt there ended; a region that is full rests. */
  outcome(outcome: AttemptOutcome, { nowMs, random }: Moment): readonly BreakerEffect[] {
    if (DECISIONS[outcome.errorClass].memory === "cooldown") {
      const { row } = this;
      this.#resting = restAgain(this.#resting, row.successes, nowMs, outcome.retryAfterMs, random);
      row.cooldownUntilMs = this.#resting.untilMs;
    }
    return this.breaker.feed(breakerEvent(outcome, nowMs, random));
  }

  /** The question that a half-open breaker has asked for came back. */
  probed(verdict: ProbeVerdict, { nowMs, random }: Moment): readonly BreakerEffect[] {
    return this.breaker.feed(verdictEvent(verdict, nowMs, random));
  }
}
