/**
 * Sorts rows by a score, larger first, equals by id, a bounded number of steps at a time: a merge sort
 * from short runs upwards, whose passes read both sides in sequence. Rows that change meanwhile are
 * no longer compared, for their ids may be others' now: they come first wherever they are met, and
 * whoever reads the result leaves them out.
 */
import { byId } from "../id-table.ts";

/** Rows of a run that is sorted by insertion. */
const RUN = 32;
/** Steps of a row until it has its score, until its run is sorted; a row that is merged is one step. */
const SCORE_STEPS = 2;
const RUN_STEPS = 4;

/** Which rows are sorted, and by what. */
export interface RankSource {
  readonly ids: readonly string[];
  /** Rows that may be taken in. */
  readonly length: number;
  /** The `i`-th of them; undefined when it is not to be taken in. */
  readonly rowAt: (i: number) => number | undefined;
  readonly keyOf: (row: number) => number;
  /** Rows that have changed since the sort began. */
  readonly touched: ReadonlySet<number>;
}

/** The sort under way, and its result when it is done. */
export class RankSort {
  readonly #source: RankSource;
  rows: Uint32Array;
  keys: Float64Array;
  /** Rows taken in. */
  count = 0;
  isDone = false;
  #otherRows: Uint32Array;
  #otherKeys: Float64Array;
  /** Rows that were looked at, rows in sorted runs, and length of the runs that are being merged. */
  #seen = 0;
  #sorted = 0;
  #width = RUN;
  /** Where the merge of two runs is: its end, both heads, the next place. */
  #end = 0;
  #middle = 0;
  #left = 0;
  #right = 0;
  #out = 0;

  /** `most`: rows that will be taken in at most. */
  constructor(source: RankSource, most: number) {
    this.#source = source;
    this.rows = new Uint32Array(most);
    this.keys = new Float64Array(most);
    this.#otherRows = new Uint32Array(most);
    this.#otherKeys = new Float64Array(most);
  }

  /** Goes on for about so many steps; answers how many of them are left. */
  step(steps: number): number {
    let left = steps;
    while (left > 0 && !this.isDone) left = this.#goOn(left);
    return left;
  }

  #goOn(steps: number): number {
    if (this.#seen < this.#source.length) return this.#takeIn(steps);
    if (this.#sorted < this.count) return this.#sortRun(steps);
    if (this.#width < this.count) return this.#merge(steps);
    this.isDone = true;
    return steps;
  }

  #takeIn(steps: number): number {
    const { rowAt, keyOf, length } = this.#source;
    let left = steps;
    for (; left > 0 && this.#seen < length; left -= SCORE_STEPS) {
      const row = rowAt(this.#seen++);
      if (row === undefined) continue;
      this.rows[this.count] = row;
      this.keys[this.count++] = keyOf(row);
    }
    return left;
  }

  /** By insertion, all at once. */
  #sortRun(steps: number): number {
    const { rows, keys } = this;
    const from = this.#sorted;
    const end = Math.min(from + RUN, this.count);
    for (let i = from + 1; i < end; i++) {
      const row = rows[i] as number;
      const key = keys[i] as number;
      let at = i;
      while (at > from && this.#isBefore(key, row, at - 1)) {
        rows[at] = rows[at - 1] as number;
        keys[at] = keys[at - 1] as number;
        at--;
      }
      rows[at] = row;
      keys[at] = key;
    }
    this.#sorted = end;
    return steps - RUN_STEPS * (end - from);
  }

  #isBefore(key: number, row: number, at: number): boolean {
    const other = this.keys[at] as number;
    return key === other ? byId(this.#source.ids, row, this.rows[at] as number) < 0 : key > other;
  }

  /** One row a step from two runs into a longer one; after the last pair the arrays change places. */
  #merge(steps: number): number {
    const { rows, keys } = this;
    const [toRows, toKeys] = [this.#otherRows, this.#otherKeys];
    let left = steps;
    for (; left > 0; left--) {
      if (this.#out === this.#end && !this.#nextPair()) return left;
      const from = this.#isLeftFirst() ? this.#left++ : this.#right++;
      toRows[this.#out] = rows[from] as number;
      toKeys[this.#out++] = keys[from] as number;
    }
    return left;
  }

  #isLeftFirst(): boolean {
    const [left, right] = [this.#left, this.#right];
    if (left === this.#middle) return false;
    if (right === this.#end) return true;
    const { touched } = this.#source;
    if (touched.size > 0) {
      if (touched.has(this.rows[left] as number)) return true;
      if (touched.has(this.rows[right] as number)) return false;
    }
    return this.#isBefore(this.keys[left] as number, this.rows[left] as number, right);
  }

  /** False when there is none in this pass. */
  #nextPair(): boolean {
    if (this.#end === this.count) {
      [this.rows, this.#otherRows] = [this.#otherRows, this.rows];
      [this.keys, this.#otherKeys] = [this.#otherKeys, this.keys];
      this.#width *= 2;
      this.#end = this.#out = 0;
      return false;
    }
    this.#left = this.#out = this.#end;
    this.#right = this.#middle = Math.min(this.#left + this.#width, this.count);
    this.#end = Math.min(this.#middle + this.#width, this.count);
    return true;
  }
}
