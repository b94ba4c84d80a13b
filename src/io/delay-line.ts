/** Things to do after a delay, in the order in which they were put in, on one timer. */
import { CallbackScope } from "./callback-scope.ts";

/** A FIFO whose entries are due no earlier than those before them (due = max(due, last due)). */
export class DelayLine {
  readonly #queue: { readonly dueMs: number; readonly run: () => void }[] = [];
  #lastDueMs = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Entries that wait. */
  get size(): number {
    return this.#queue.length;
  }

  /** Runs at once when nothing waits and `delayMs` is below 1 ms, else when it is due. */
  push(delayMs: number, run: () => void): void {
    const nowMs = performance.now();
    const dueMs = Math.max(nowMs + delayMs, this.#lastDueMs);
    if (this.#queue.length === 0 && dueMs - nowMs < 1) {
      run();
      return;
    }
    this.#lastDueMs = dueMs;
    // One timer serves entries of many owners: each is run as its own, and none stops the next.
    const scope = new CallbackScope();
    this.#queue.push({ dueMs, run: () => scope.run(run) });
    this.#arm(nowMs);
  }

  /** Forgets everything that waits. */
  clear(): void {
    this.#queue.length = 0;
    this.#lastDueMs = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(nowMs: number): void {
    const first = this.#queue[0];
    if (first === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, first.dueMs - nowMs));
  }

  #fire(): void {
    this.#timer = undefined;
    const nowMs = performance.now();
    // Half a millisecond early is the timer's own rounding, not haste.
    while (this.#queue[0] !== undefined && this.#queue[0].dueMs <= nowMs + 0.5) {
      this.#queue.shift()?.run();
    }
    this.#arm(nowMs);
  }
}
