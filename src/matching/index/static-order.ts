/**
 * The rows of a market by a score that does not depend on the demand, best first, equals by id. A row
 * whose score changes loses its rank and waits among the moved, which every match looks at besides.
 * When they are many, a new layout is merged from the old one and them, a slice with each further
 * change or when the owner has time, and swapped in when it is whole: no turn costs more than a slice.
 * The first layout comes about alike, from all rows; until it is whole the order cannot be read.
 */
import { hasBit } from "../../lib/bits.ts";
import { ALIVE, type BitTable } from "./bit-table.ts";
import { LayoutMerge } from "./building/layout-merge.ts";
import { Layout, type RankedRows } from "./layout.ts";
import type { Memory } from "./memory.ts";
import { type Part, termsOf } from "./part.ts";
import type { Term } from "./term.ts";

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
/** Steps towards the next layout with each change: some 256 rows are placed. */
const CHANGE_STEPS = 2_048;

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
  #merge: LayoutMerge | undefined;

  constructor(market: Ranked, parts: readonly Part[]) {
    this.#market = market;
    this.parts = parts;
    this.terms = termsOf(parts);
    this.layout = new Layout(market.memory, 0, market.capacity, market.bits.words.length);
    this.#merge = new LayoutMerge(market, this.layout, this.terms, market.ids.length);
  }

  /** Whether it can be read: its first layout is whole. */
  get isReady(): boolean {
    return this.generation > 0;
  }

  /** A row is new, or its score is: it has no rank for now. */
  move(row: number): void {
    this.layout.drop(row);
    this.#wait(row);
    this.#merge?.touch(row);
    if (this.#merge !== undefined) this.step(CHANGE_STEPS);
    else if (this.moved.length > Math.max(MOVED_FEW, this.#market.size / MOVED_SHARE)) {
      this.#merge = new LayoutMerge(this.#market, this.layout, this.terms, this.moved);
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

  /** Goes on with the next layout for about so many steps; answers how many are left. */
  step(steps: number): number {
    const merge = this.#merge;
    if (merge === undefined) return steps;
    const left = merge.step(steps);
    if (left === undefined) return 0;
    this.#swap(merge);
    return left;
  }

  #swap({ layout, minGap, touched }: LayoutMerge): void {
    this.#merge = undefined;
    this.layout = layout;
    this.minGap = minGap;
    this.generation++;
    this.moved = [];
    this.#positions = new Map();
    for (const row of touched) {
      if (hasBit(this.#market.bits.words[ALIVE] as Int32Array, row)) this.#wait(row);
    }
  }

  #wait(row: number): void {
    if (this.#positions.has(row)) return;
    this.#positions.set(row, this.moved.push(row) - 1);
  }
}
