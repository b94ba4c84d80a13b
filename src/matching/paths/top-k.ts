/** The best k of what is pushed: larger sums first, equal ones by ascending id. */
import { MAX_PICKS } from "../demand.ts";

/** A short sorted list; pushing in order is cheapest. */
export class TopK {
  readonly rows = new Int32Array(MAX_PICKS);
  readonly sums = new Float64Array(MAX_PICKS);
  count = 0;
  /** What a sum must reach to come in. */
  floor = Number.NEGATIVE_INFINITY;
  #k = 0;
  #ids: readonly string[] = [];

  /** Empties the list for `k` rows of another match. */
  begin(k: number, ids: readonly string[]): this {
    this.#k = k;
    this.#ids = ids;
    this.count = 0;
    this.floor = k === 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    return this;
  }

  /** Takes a row in if it is among the best so far. */
  push(row: number, sum: number): void {
    const { rows, sums } = this;
    if (sum < this.floor || this.#k === 0) return;
    let at = this.count;
    if (at === this.#k) {
      if (!this.#isBefore(sum, row, at - 1)) return;
      at--;
    } else this.count++;
    while (at > 0 && this.#isBefore(sum, row, at - 1)) {
      rows[at] = rows[at - 1] as number;
      sums[at] = sums[at - 1] as number;
      at--;
    }
    rows[at] = row;
    sums[at] = sum;
    if (this.count === this.#k) this.floor = sums[this.#k - 1] as number;
  }

  #isBefore(sum: number, row: number, at: number): boolean {
    const other = this.sums[at] as number;
    if (sum !== other) return sum > other;
    return (this.#ids[row] as string) < (this.#ids[this.rows[at] as number] as string);
  }
}
