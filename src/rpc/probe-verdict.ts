/** How the trial call of a half-open breaker ended, and what the breaker hears of it. */
import type { Answer } from "./ask.ts";
import { failureOf } from "./breaker.ts";
import type { BreakerEvent } from "./breaker-context.ts";
import type { FailureCategory } from "./breaker-rules.ts";

/** How a probe with a permit ended. */
export interface ProbeVerdict {
  readonly token: number;
  readonly failure: FailureCategory | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** The verdict of an answer: whoever answers at all is alive, whatever the answer says. */
export const verdictOf = (token: number, answer: Answer): ProbeVerdict =>
  answer.ok
    ? { token, failure: undefined }
    : { token, failure: failureOf(answer.errorClass), retryAfterMs: answer.retryAfterMs };

/** The event that a verdict is for its breaker; `random` in [0, 1). */
export const verdictEvent = (
  { token, failure: category, retryAfterMs }: ProbeVerdict,
  nowMs: number,
  random: number,
): BreakerEvent =>
  category === undefined
    ? { type: "probe.ok", token, nowMs }
    : { type: "probe.failed", token, category, retryAfterMs, nowMs, random };
