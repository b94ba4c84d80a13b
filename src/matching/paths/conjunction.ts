/** The bitset side of all filters at once: 32 rows, or ranks, a step. */
import type { Clause } from "../filters/filter.ts";
import { ALIVE } from "../index/bit-table.ts";

/** Clauses over the words they are read from: the market's by row, or a layout's by rank. */
export class Conjunction {
  readonly #all: readonly Int32Array[];
  readonly #none: readonly Int32Array[];
  readonly #any: readonly (readonly Int32Array[])[];

  /** `counts` says how many rows a slot has: the rarest is read first, and most words end there. */
  constructor(clauses: readonly Clause[], words: readonly Int32Array[], counts: readonly number[]) {
    const wordsOf = (slot: number): Int32Array => words[slot] as Int32Array;
    const single = clauses.filter(({ slots, isNegated }) => slots.length === 1 && !isNegated);
    const slots = [ALIVE, ...single.flatMap((clause) => clause.slots)];
    this.#all = slots.sort((a, b) => (counts[a] as number) - (counts[b] as number)).map(wordsOf);
    this.#none = clauses.flatMap((clause) => (clause.isNegated ? clause.slots.map(wordsOf) : []));
    this.#any = clauses
      .filter(({ slots: some, isNegated }) => some.length > 1 && !isNegated)
      .map((clause) => clause.slots.map(wordsOf));
  }

  /** Those of the `word`-th 32 that pass. */
  at(word: number): number {
    const all = this.#all;
    let left = (all[0] as Int32Array)[word] as number;
    for (let i = 1; i < all.length && left !== 0; i++)
      left &= (all[i] as Int32Array)[word] as number;
    if (left === 0 || this.#none.length + this.#any.length === 0) return left;
    for (const words of this.#none) left &= ~(words[word] as number);
    for (const group of this.#any) {
      let some = 0;
      for (const words of group) some |= words[word] as number;
      left &= some;
    }
    return left;
  }

  /** Those of `length` words from `from` on, written to `target`. */
  fill(target: Int32Array, from: number, length: number): void {
    if (this.#any.length > 0) {
      for (let i = 0; i < length; i++) target[i] = this.at(from + i);
      return;
    }
    const [first, ...others] = this.#all;
    for (let i = 0; i < length; i++) target[i] = first?.[from + i] ?? 0;
    for (const words of others) {
      for (let i = 0; i < length; i++)
        target[i] = (target[i] as number) & (words[from + i] as number);
    }
    for (const words of this.#none) {
      for (let i = 0; i < length; i++)
        target[i] = (target[i] as number) & ~(words[from + i] as number);
    }
  }
}
