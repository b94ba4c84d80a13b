/** Lets 10 equal lines a second through and counts the rest, so that a storm stays readable. */

const WINDOW_MS = 1_000;
const MAX_PER_WINDOW = 10;
const MAX_KEYS = 1_000;

interface Window {
  startedAtMs: number;
  count: number;
  suppressed: number;
}

/** Rate limit by key; time is an argument. */
export class LogLimiter {
  readonly #windows = new Map<string, Window>();
  #suppressedTotal = 0;

  /** Lines left out since the start. */
  get suppressedTotal(): number {
    return this.#suppressedTotal;
  }

  /** `write` with the number of equal lines left out before this one, or false: leave it out. */
  admit(key: string, nowMs: number): { readonly suppressed: number } | false {
    const window = this.#windows.get(key);
    if (window === undefined) {
      // The oldest key has the least to say; losing its count costs a number in one line.
      if (this.#windows.size >= MAX_KEYS) this.#dropOldest();
      this.#windows.set(key, { startedAtMs: nowMs, count: 1, suppressed: 0 });
      return { suppressed: 0 };
    }
    if (nowMs - window.startedAtMs >= WINDOW_MS) {
      const { suppressed } = window;
      this.#windows.delete(key);
      this.#windows.set(key, { startedAtMs: nowMs, count: 1, suppressed: 0 });
      return { suppressed };
    }
    window.count += 1;
    if (window.count <= MAX_PER_WINDOW) return { suppressed: 0 };
    window.suppressed += 1;
    this.#suppressedTotal += 1;
    return false;
  }

  #dropOldest(): void {
    for (const key of this.#windows.keys()) {
      this.#windows.delete(key);
      return;
    }
  }
}
