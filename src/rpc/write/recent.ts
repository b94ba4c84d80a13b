/** Remembers what was sent lately, bounded in number and age. */

/** Something that is remembered. */
export interface Remembered {
  /** Monotonic ms. */
  readonly startMs: number;
}

/** A table by key whose entries leave by age, the oldest first. */
export class Recent<T extends Remembered> {
  readonly #entries = new Map<string, T>();
  readonly #maxEntries: number;
  readonly #maxAgeMs: number;

  constructor(maxEntries: number, maxAgeMs: number) {
    this.#maxEntries = maxEntries;
    this.#maxAgeMs = maxAgeMs;
  }

  /** The entry, unless it is too old. */
  get(key: string, nowMs: number): T | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || this.#isOver(entry, nowMs) ? undefined : entry;
  }

  /** Remembers `entry`; the oldest give way when the table is full. */
  put(key: string, entry: T, nowMs: number): void {
    // Behind the younger ones: the order of the map is the order of age.
    this.#entries.delete(key);
    this.sweep(nowMs);
    if (this.#entries.size >= this.#maxEntries) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    this.#entries.set(key, entry);
  }

  /** Forgets `entry`, unless another one has its key now. */
  forget(key: string, entry: T): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }

  /** Forgets what is too old. */
  sweep(nowMs: number): void {
    for (const [key, entry] of this.#entries) {
      if (!this.#isOver(entry, nowMs)) return;
      this.#entries.delete(key);
    }
  }

  #isOver(entry: T, nowMs: number): boolean {
    return nowMs - entry.startMs >= this.#maxAgeMs;
  }
}
