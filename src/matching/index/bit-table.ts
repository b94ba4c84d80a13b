/** All bitsets of a market by slot: which rows are alive, at a place, have a feature, are in a state. */
import { clearBit, hasBit, setBit, wordsFor } from "../../lib/bits.ts";
import { copied } from "./copied.ts";
import type { Memory } from "./memory.ts";

/** The slot of the rows that hold a provider. */
export const ALIVE = 0;

/** Bitsets over the same rows, grown together. */
export class BitTable {
  /** The words of each slot. */
  readonly words: Int32Array[] = [];
  /** How many rows have each slot's bit. */
  readonly counts: number[] = [];
  readonly #memory: Memory;
  #length: number;

  constructor(memory: Memory, rows: number) {
    this.#memory = memory;
    this.#length = wordsFor(rows);
    this.addSlot();
  }

  /** Bitsets that are there already. */
  static over(memory: Memory, words: readonly Int32Array[], counts: readonly number[]): BitTable {
    const table = new BitTable(memory, 0);
    table.words.splice(0, 1, ...words);
    table.counts.splice(0, 1, ...counts);
    return table;
  }

  /** One more bitset; answers its slot. */
  addSlot(): number {
    this.counts.push(0);
    return this.words.push(this.#memory.int32(this.#length)) - 1;
  }

  /** Makes room for as many rows. */
  grow(rows: number): void {
    this.#length = wordsFor(rows);
    for (const [slot, words] of this.words.entries()) {
      this.words[slot] = copied(words, this.#memory.int32(this.#length));
    }
  }

  /** Whether the row has the slot's bit. */
  has(slot: number, row: number): boolean {
    return hasBit(this.words[slot] as Int32Array, row);
  }

  /** Sets or clears one bit; false when it was so already. */
  put(slot: number, row: number, on: boolean): boolean {
    const words = this.words[slot] as Int32Array;
    if (hasBit(words, row) === on) return false;
    if (on) setBit(words, row);
    else clearBit(words, row);
    this.counts[slot] = (this.counts[slot] as number) + (on ? 1 : -1);
    return true;
  }
}
