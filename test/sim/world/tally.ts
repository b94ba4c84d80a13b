/** Named counters of a simulation: what came to pass, and the signs by which faults are known. */

/** Counts by name. */
export class Tally {
  readonly #counts = new Map<string, number>();

  count(name: string, by = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  /** Keeps the largest value. */
  peak(name: string, value: number): void {
    if (value > (this.#counts.get(name) ?? 0)) this.#counts.set(name, value);
  }

  get(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** All counters by name. */
  toRecord(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
