/** Whether errors come too often: so many within a sliding window. */

/** When to say so. */
export interface ErrorThreshold {
  /** More errors than this are too many; 0 means any. */
  readonly count: number;
  readonly windowMs: number;
}

/** The times of the last errors, no more than matter. */
export class ErrorWindow {
  readonly #threshold: ErrorThreshold;
  #timesMs: number[] = [];

  constructor(threshold: ErrorThreshold) {
    this.#threshold = threshold;
  }

  /** Takes an error in; true when it is one too many, after which the window is empty again. */
  add(nowMs: number): boolean {
    const { count, windowMs } = this.#threshold;
    this.#timesMs.push(nowMs);
    while ((this.#timesMs[0] as number) <= nowMs - windowMs) this.#timesMs.shift();
    if (this.#timesMs.length <= count) return false;
    this.#timesMs = [];
    return true;
  }
}
