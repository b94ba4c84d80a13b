/**
 * The making of a layout from an older one and the rows that have no rank in it, a bounded number of
 * steps at a time, beside the older one, which serves until the new one is whole.
 */
import { hasBit } from "../../../lib/bits.ts";
import { ALIVE } from "../bit-table.ts";
import { byId } from "../id-table.ts";
import { Layout, UNPLACED } from "../layout.ts";
import type { Ranked } from "../static-order.ts";
import { sumOfTerms, type Term } from "../term.ts";
import { RankSort } from "./rank-sort.ts";

/** Steps of a row that is placed: each bitset of the market is looked at. */
const PLACE_STEPS = 8;

/** The rows without a rank: a list, or the first so many of the market. */
type Unranked = readonly number[] | number;

/** One making of a layout. */
export class LayoutMerge {
  readonly layout: Layout;
  /** Rows that changed since it began: they have no rank in it either. */
  readonly touched = new Set<number>();
  minGap = Number.POSITIVE_INFINITY;
  readonly #market: Ranked;
  readonly #old: Layout;
  readonly #isSingle: boolean;
  readonly #sort: RankSort;
  #rank = 0;
  #next = 0;
  #lastKey = Number.POSITIVE_INFINITY;

  constructor(market: Ranked, old: Layout, terms: readonly Term[], unranked: Unranked) {
    this.#market = market;
    this.#old = old;
    this.#isSingle = terms.length === 1;
    const list = typeof unranked === "number" ? undefined : [...unranked];
    const length = list?.length ?? (unranked as number);
    const rowAt = (i: number): number | undefined => {
      const row = list === undefined ? i : (list[i] as number);
      const isThere = hasBit(market.bits.words[ALIVE] as Int32Array, row);
      return isThere && !this.touched.has(row) ? row : undefined;
    };
    const keyOf = (row: number): number => sumOfTerms(terms, row);
    const source = { ids: market.ids, length, rowAt, keyOf, touched: this.touched };
    this.#sort = new RankSort(source, Math.min(length, market.size));
    this.layout = new Layout(market.memory, market.size, market.capacity, market.bits.words.length);
  }

  /** A row changes: what is known of it here is of no worth any more. */
  touch(row: number): void {
    this.touched.add(row);
    this.layout.drop(row);
  }

  /** Goes on for about so many steps; answers how many are left, or undefined while it is not whole. */
  step(steps: number): number | undefined {
    let left = this.#sort.step(steps);
    if (!this.#sort.isDone) return undefined;
    let isWhole = false;
    for (; left > 0 && !isWhole; left -= PLACE_STEPS) isWhole = !this.#placeNext();
    this.layout.fill(this.#market.bits);
    return isWhole ? Math.max(0, left) : undefined;
  }

  /** False when all are placed. */
  #placeNext(): boolean {
    const { rowAt, keyAt, rankOf, length } = this.#old;
    const { rows, keys, count } = this.#sort;
    // A row whose rank was taken keeps its place in rowAt, but not in rankOf.
    while (this.#rank < length && rankOf[rowAt[this.#rank] as number] !== this.#rank) this.#rank++;
    while (this.#next < count && this.touched.has(rows[this.#next] as number)) this.#next++;
    const old = this.#rank < length ? (rowAt[this.#rank] as number) : UNPLACED;
    const fresh = this.#next < count ? (rows[this.#next] as number) : UNPLACED;
    if (old === UNPLACED && fresh === UNPLACED) return false;
    if (fresh === UNPLACED || (old !== UNPLACED && this.#isBefore(old, fresh))) {
      this.#place(old, keyAt[this.#rank++] as number);
    } else this.#place(fresh, keys[this.#next++] as number);
    return true;
  }

  #isBefore(old: number, fresh: number): boolean {
    const gap = (this.#old.keyAt[this.#rank] as number) - (this.#sort.keys[this.#next] as number);
    return gap === 0 ? byId(this.#market.ids, old, fresh) < 0 : gap > 0;
  }

  #place(row: number, key: number): void {
    const gap = this.#lastKey - key;
    // Equal sums of one scorer stay equal whatever is added; those of several may not.
    if (gap < this.minGap && (gap > 0 || !this.#isSingle)) this.minGap = gap;
    this.#lastKey = key;
    this.layout.place(row, key);
  }
}
