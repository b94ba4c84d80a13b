/** The k-th largest of what was pushed so far. */

/** A falling list of at most k numbers. */
export class KthLargest {
  readonly #values: number[] = [];
  readonly #k: number;
  /** -Infinity until k numbers have come. */
  value = Number.NEGATIVE_INFINITY;

  constructor(k: number) {
    this.#k = k;
  }

  /** Takes a number in if it is among the k largest. */
  push(value: number): void {
    const values = this.#values;
    let at = values.length;
    if (at === this.#k) {
      if (value <= this.value) return;
      at--;
    }
    while (at > 0 && (values[at - 1] as number) < value) {
      values[at] = values[at - 1] as number;
      at--;
    }
    values[at] = value;
    if (values.length === this.#k) this.value = values[this.#k - 1] as number;
  }
}
