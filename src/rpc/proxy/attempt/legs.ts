/** The attempts of one call that run at the same time: two at most, a hedge beside what is slow. */
import type { Attempt } from "./attempt.ts";

/** The running attempts of a call. */
export class Legs {
  #first: Attempt | undefined = undefined;
  #second: Attempt | undefined = undefined;

  get isEmpty(): boolean {
    return this.#first === undefined && this.#second === undefined;
  }

  /** Any leg. */
  get one(): Attempt | undefined {
    return this.#first ?? this.#second;
  }

  add(leg: Attempt): void {
    if (this.#first === undefined) this.#first = leg;
    else this.#second = leg;
  }

  remove(leg: Attempt): void {
    if (this.#first === leg) this.#first = undefined;
    if (this.#second === leg) this.#second = undefined;
  }

  /** The leg that runs beside `leg`. */
  beside(leg: Attempt): Attempt | undefined {
    if (this.#second !== undefined && this.#second !== leg) return this.#second;
    return this.#first === leg ? undefined : this.#first;
  }

  /** The client took what was written: providers may go on. */
  resume(): void {
    this.#first?.call?.resume();
    this.#second?.call?.resume();
  }
}
