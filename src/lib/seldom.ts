/** Lets each kind of thing through once in a while, such as what is told in a log but counted each time. */

/** Admits each key once in `everyMs`, and no more than `maxKeys` keys in that time. */
export class Seldom {
  readonly #everyMs: number;
  readonly #maxKeys: number;
  /** When each was admitted; oldest first. */
  readonly #atMs = new Map<string, number>();

  constructor(everyMs: number, maxKeys: number) {
    this.#everyMs = everyMs;
    this.#maxKeys = maxKeys;
  }

  /** Whether it is due; then it is not for a while. Time is monotonic milliseconds. */
  admits(key: string, nowMs: number): boolean {
    for (const [old, atMs] of this.#atMs) {
      if (nowMs - atMs < this.#everyMs) break;
      this.#atMs.delete(old);
    }
    // Whoever makes keys up cannot make us talk: beyond the most nothing is due.
    if (this.#atMs.has(key) || this.#atMs.size >= this.#maxKeys) return false;
    this.#atMs.set(key, nowMs);
    return true;
  }
}
