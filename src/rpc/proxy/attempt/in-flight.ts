/** The attempts in flight: their deadlines, and the list that the stall rule walks. */
import type { Attempt } from "./attempt.ts";
import type { DeadlineWheel } from "./deadline-wheel.ts";

/** All attempts that run now. */
export class InFlight {
  readonly #wheel: DeadlineWheel;
  #first: Attempt | undefined;

  constructor(wheel: DeadlineWheel) {
    this.#wheel = wheel;
  }

  /** Arms an attempt's deadline and lists it among those in flight. */
  track(attempt: Attempt, expiresAtMs: number): void {
    const first = this.#first;
    attempt.next = first;
    if (first !== undefined) first.previous = attempt;
    this.#first = attempt;
    attempt.row.budget?.charge(attempt.method, attempt.startMs);
    this.#wheel.add(attempt, expiresAtMs);
  }

  /** Forgets an attempt that ended. */
  untrack(attempt: Attempt): void {
    this.#wheel.remove(attempt);
    const { next, previous } = attempt;
    if (previous !== undefined) previous.next = next;
    else if (this.#first === attempt) this.#first = next;
    if (next !== undefined) next.previous = previous;
    attempt.next = undefined;
    attempt.previous = undefined;
  }

  /** Visits every attempt in flight; the visitor may end the one it is given. */
  each(visit: (attempt: Attempt) => void): void {
    let attempt = this.#first;
    while (attempt !== undefined) {
      const { next } = attempt;
      visit(attempt);
      attempt = next;
    }
  }
}
