/**
 * The rows of a market by a score that does not depend on the demand, best first, equals by id. A row
 * whose score changes loses its rank and waits among the moved, which every match looks at besides.
 * When they are many, a new layout is merged from the old one and them, a slice with each further
 * change, and swapped in when it is whole: no change costs more than a slice.
 */
import { hasBit } from "../../lib/bits.ts";
import { ALIVE, type BitTable } from "./bit-table.ts";
import { byId } from "./id-table.ts";
import { Layout, type RankedRows, UNPLACED } from "./layout.ts";
import type { Memory } from "./memory.ts";
import { type Part, termsOf } from "./part.ts";
import { sumOfTerms, type Term } from "./term.ts";

/** What an order needs of its market. */
export interface Ranked {
  readonly bits: BitTable;
  readonly ids: readonly string[];
  readonly memory: Memory;
  readonly capacity: number;
  readonly size: number;
}

/** What a match reads of an order. */
export interface RankOrder {
  readonly parts: readonly Part[];
  readonly terms: readonly Term[];
  readonly layout: RankedRows;
  readonly moved: readonly number[];
  readonly minGap: number;
  readonly generation: number;
  usedAt: number;
}

/** Moved rows that begin a new layout: this many, or this share of all. */
const MOVED_FEW = 64;
const MOVED_SHARE = 256;
/** Rows merged into the next layout with each change. */
const SLICE = 256;

/** The order. */
export class StaticOrder implements RankOrder {
  readonly parts: readonly Part[];
  readonly terms: readonly Term[];
  readonly #market: Ranked;
  /** Changes whenever another layout is swapped in. */
  generation = 0;
  /** The last match that read it, counted by the market. */
  usedAt = 0;
  layout: Layout;
  /** Rows without a rank, in no order. */
  moved: number[] = [];
  /** The least distance of two sums that a demand's constants could order otherwise. */
  minGap = Number.POSITIVE_INFINITY;
  #positions = new Map<number, number>();
  #merge: Merge | undefined;

  constructor(market: Ranked, parts: readonly Part[]) {
    this.#market = market;
    this.parts = parts;
    this.terms = termsOf(parts);
    this.layout = new Layout(market.memory, 0, market.capacity, market.bits.words.length);
    const alive = market.bits.words[ALIVE] as Int32Array;
    const rows: number[] = [];
    for (let row = 0; row < market.capacity; row++) if (hasBit(alive, row)) rows.push(row);
    this.#merge = new Merge(market, this.layout, this.terms, rows);
    while (this.#merge !== undefined) this.#step(market.size + 1);
  }

  /** A row is new, or its score is: it has no rank for now. */
  move(row: number): void {
    this.layout.drop(row);
    this.#wait(row);
    this.#merge?.touch(row);
    if (this.#merge !== undefined) this.#step(SLICE);
    else if (this.moved.length > Math.max(MOVED_FEW, this.#market.size / MOVED_SHARE)) {
      this.#merge = new Merge(this.#market, this.layout, this.terms, this.moved);
    }
  }

  /** A row is gone. */
  remove(row: number): void {
    this.layout.drop(row);
    this.#merge?.touch(row);
    const at = this.#positions.get(row);
    if (at === undefined) return;
    this.#positions.delete(row);
    const last = this.moved.pop() as number;
    if (last === row) return;
    this.moved[at] = last;
    this.#positions.set(last, at);
  }

  /** A row has gained or lost a label. */
  flip(slot: number, row: number, on: boolean): void {
    this.layout.flip(slot, row, on);
    this.#merge?.layout.flip(slot, row, on);
  }

  /** The market has one more bitset. */
  addSlot(): void {
    this.layout.addSlot();
    this.#merge?.layout.addSlot();
  }

  /** The market has room for more rows. */
  grow(rows: number): void {
    this.layout.grow(rows);
    this.#merge?.layout.grow(rows);
  }

  /** Whether a new layout is being made. */
  get isMerging(): boolean {
    return this.#merge !== undefined;
  }

  #wait(row: number): void {
    if (this.#positions.has(row)) return;
    this.#positions.set(row, this.moved.push(row) - 1);
  }

  #step(most: number): void {
    const merge = this.#merge;
    if (merge === undefined || !merge.step(most)) return;
    this.#merge = undefined;
    this.layout = merge.layout;
    this.minGap = merge.minGap;
    this.generation++;
    this.moved = [];
    this.#positions = new Map();
    for (const row of merge.touched) {
      if (hasBit(this.#market.bits.words[ALIVE] as Int32Array, row)) this.#wait(row);
    }
  }
}

/** The making of a layout from an older one and the rows that have no rank in it. */
class Merge {
  readonly layout: Layout;
  /** Rows that changed since it began: they have no rank in it either. */
  readonly touched = new Set<number>();
  minGap = Number.POSITIVE_INFINITY;
  readonly #market: Ranked;
  readonly #old: Layout;
  readonly #isSingle: boolean;
  readonly #rows: readonly number[];
  readonly #keys: Float64Array;
  #rank = 0;
  #next = 0;
  #lastKey = Number.POSITIVE_INFINITY;

  constructor(market: Ranked, old: Layout, terms: readonly Term[], moved: readonly number[]) {
    this.#market = market;
    this.#old = old;
    this.#isSingle = terms.length === 1;
    const keys = Float64Array.from(moved, (row) => sumOfTerms(terms, row));
    const { ids } = market;
    const byRank = (a: number, b: number): number =>
      (keys[b] as number) - (keys[a] as number) ||
      byId(ids, moved[a] as number, moved[b] as number);
    const places = Uint32Array.from(moved, (_, i) => i).sort(byRank);
    this.#rows = Array.from(places, (i) => moved[i] as number);
    this.#keys = Float64Array.from(places, (i) => keys[i] as number);
    this.layout = new Layout(market.memory, market.size, market.capacity, market.bits.words.length);
  }

  touch(row: number): void {
    this.touched.add(row);
    this.layout.drop(row);
  }

  /** Places about `most` rows; true when all are placed. */
  step(most: number): boolean {
    const { rowAt, keyAt, rankOf, length } = this.#old;
    for (let left = most; left > 0; left--) {
      // A row whose rank was taken keeps its place in rowAt, but not in rankOf.
      while (this.#rank < length && rankOf[rowAt[this.#rank] as number] !== this.#rank)
        this.#rank++;
      while (this.#next < this.#rows.length && this.touched.has(this.#rows[this.#next] as number))
        this.#next++;
      const old = this.#rank < length ? (rowAt[this.#rank] as number) : UNPLACED;
      const moved = this.#rows[this.#next] ?? UNPLACED;
      if (old === UNPLACED && moved === UNPLACED) return true;
      if (moved === UNPLACED || (old !== UNPLACED && this.#isBefore(old, moved))) {
        this.#place(old, keyAt[this.#rank] as number);
        this.#rank++;
      } else this.#place(moved, this.#keys[this.#next++] as number);
    }
    return false;
  }

  #isBefore(old: number, moved: number): boolean {
    const gap = (this.#old.keyAt[this.#rank] as number) - (this.#keys[this.#next] as number);
    return gap === 0 ? byId(this.#market.ids, old, moved) < 0 : gap > 0;
  }

  #place(row: number, key: number): void {
    const gap = this.#lastKey - key;
    // Equal sums of one scorer stay equal whatever is added; those of several may not.
    if (gap < this.minGap && (gap > 0 || !this.#isSingle)) this.minGap = gap;
    this.#lastKey = key;
    this.layout.place(row, key, this.#market.bits);
  }
}
