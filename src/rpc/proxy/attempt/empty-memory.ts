/**
 * Remembers which lookups were asked again elsewhere because nobody knew the answer yet, so that a
 * client that polls for a receipt is not multiplied: one second question per block time.
 */

/** Entries kept; the oldest tenth leaves in one pass. */
const MAX_ENTRIES = 10_000;

/** When each lookup was last asked twice. */
export class EmptyMemory {
  readonly #lastMs = new Map<string, number>();

  /** Whether `key` may be asked again now; a yes is remembered. */
  take(key: string, nowMs: number, intervalMs: number): boolean {
    const last = this.#lastMs.get(key);
    if (last !== undefined && nowMs - last < intervalMs) return false;
    this.#lastMs.delete(key);
    this.#lastMs.set(key, nowMs);
    if (this.#lastMs.size > MAX_ENTRIES) this.#evict();
    return true;
  }

  #evict(): void {
    let left = MAX_ENTRIES / 10;
    for (const key of this.#lastMs.keys()) {
      if (left-- <= 0) return;
      this.#lastMs.delete(key);
    }
  }
}
