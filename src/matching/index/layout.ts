/**
 * Rows laid out by rank: the best first, every bitset of the market copied in that order, so that the
 * first bits of a conjunction are the best rows of a demand.
 */
import { clearBit, hasBit, setBit, wordsFor } from "../../lib/bits.ts";
import { ALIVE, type BitTable } from "./bit-table.ts";
import { copied } from "./copied.ts";
import type { Memory } from "./memory.ts";

/** Where a row stands that has no rank. */
export const UNPLACED = -1;

/** What a match reads of a layout. */
export interface RankedRows {
  readonly rowAt: Uint32Array;
  readonly keyAt: Float64Array;
  readonly bits: readonly Int32Array[];
  readonly length: number;
}

/** Ranks of some rows. */
export class Layout implements RankedRows {
  readonly rowAt: Uint32Array;
  /** The static sum that a rank was given for. */
  readonly keyAt: Float64Array;
  /** By row: its rank or `UNPLACED`. */
  rankOf: Int32Array;
  /** By slot, as in the market's table, but by rank. */
  readonly bits: Int32Array[];
  length = 0;
  /** Ranks whose bits have been copied. */
  #filled = 0;
  readonly #memory: Memory;

  constructor(memory: Memory, ranks: number, rows: number, slots: number) {
    this.#memory = memory;
    this.rowAt = memory.uint32(ranks);
    this.keyAt = memory.float64(ranks);
    // Only the owner asks for the rank of a row.
    this.rankOf = new Int32Array(rows).fill(UNPLACED);
    this.bits = Array.from({ length: slots }, () => memory.int32(wordsFor(ranks)));
  }

  /** Gives the next rank to `row`; `fill` must follow before anything else happens. */
  place(row: number, key: number): void {
    const rank = this.length++;
    this.rowAt[rank] = row;
    this.keyAt[rank] = key;
    this.rankOf[row] = rank;
  }

  /** Copies the bits of those placed last: one bitset after the other, for each fits into the cache. */
  fill({ words }: BitTable): void {
    const { rowAt, bits, length } = this;
    for (let slot = 0; slot < words.length; slot++) {
      const from = words[slot] as Int32Array;
      const to = bits[slot] as Int32Array;
      for (let rank = this.#filled; rank < length; rank++) {
        if (hasBit(from, rowAt[rank] as number)) setBit(to, rank);
      }
    }
    this.#filled = length;
  }

  /** Takes the rank from `row`; false when it has none. The rank stays empty. */
  drop(row: number): boolean {
    const rank = this.rankOf[row] as number;
    if (rank === UNPLACED) return false;
    this.rankOf[row] = UNPLACED;
    clearBit(this.bits[ALIVE] as Int32Array, rank);
    return true;
  }

  /** Copies one changed bit of the table. */
  flip(slot: number, row: number, on: boolean): void {
    const rank = this.rankOf[row] as number;
    if (rank === UNPLACED) return;
    if (on) setBit(this.bits[slot] as Int32Array, rank);
    else clearBit(this.bits[slot] as Int32Array, rank);
  }

  /** One more bitset, of nobody. */
  addSlot(): void {
    this.bits.push(this.#memory.int32(wordsFor(this.rowAt.length)));
  }

  /** Makes room for as many rows, which have no rank yet. */
  grow(rows: number): void {
    this.rankOf = copied(this.rankOf, new Int32Array(rows).fill(UNPLACED));
  }
}
