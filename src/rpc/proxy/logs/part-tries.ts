/** What was tried for each part, and who need not be asked for it again. */
import type { Part } from "../../logs/plan.ts";
import type { Attempt } from "../attempt/attempt.ts";
import type { Exchange } from "../exchange.ts";
import type { Takers } from "./takers.ts";

/** Exchanges for one part, apart from refusals that cut it. */
const MAX_RUNS = 4;
/** How long a provider that throttles without a word on it is spared. */
const REST_MS = 1000;

/** The tries for one part. */
interface Tries {
  runs: number;
  readonly attempts: Attempt[];
  last: Exchange | undefined;
}

/** The tries for the parts of one call that nobody has answered. */
export class PartTries {
  readonly #takers: Takers;
  readonly #tries = new Map<Part, Tries>();
  /** Answers that said "not so fast". */
  throttles = 0;

  constructor(takers: Takers) {
    this.#takers = takers;
  }

  /** An exchange brought nothing; true when it was the last that the part may have. */
  add(part: Part, exchange: Exchange, isFaulty: boolean, nowMs: number): boolean {
    const { attempts } = exchange;
    const tries = this.of(part);
    tries.attempts.push(...attempts);
    tries.last = exchange;
    // Waiting for those who throttle is no try: they are spared meanwhile.
    if (!attempts.every(({ errorClass }) => errorClass === "rate_limit")) tries.runs++;
    for (const attempt of attempts) this.#avoid(part, attempt, isFaulty, nowMs);
    return tries.runs >= MAX_RUNS || attempts.length === 0;
  }

  /** What was tried for a part. */
  of(part: Part): Tries {
    let tries = this.#tries.get(part);
    if (tries === undefined) {
      tries = { runs: 0, attempts: [], last: undefined };
      this.#tries.set(part, tries);
    }
    return tries;
  }

  /** The part is answered. */
  forget(part: Part): void {
    this.#tries.delete(part);
  }

  #avoid(part: Part, attempt: Attempt, isFaulty: boolean, nowMs: number): void {
    const { provider, errorClass, retryAfterMs } = attempt;
    if (errorClass === "rate_limit") {
      this.throttles++;
      this.#takers.rest(provider, nowMs + (retryAfterMs ?? REST_MS));
    } else if (errorClass === "ok" ? isFaulty : errorClass !== "cancelled") {
      if (!part.failed.includes(provider)) part.failed.push(provider);
    }
  }
}
