/**
 * The part of a score that no demand changes, added up for every row as signals come, with the largest
 * of each 32 and each 1,024 rows: a match skips words and blocks that cannot hold a pick. The sums are
 * rounded and added in another order than the exact score, so they only bound it, with `boardSlack`.
 */
import { hasBit, wordsFor } from "../../lib/bits.ts";
import { ALIVE, type BitTable } from "./bit-table.ts";
import { copied } from "./copied.ts";
import type { Memory } from "./memory.ts";
import { type Part, termsOf } from "./part.ts";
import { sumOfTerms, type Term } from "./term.ts";

/** What a sum may be off by, given the sum of all weights: a share of it, and what no float can hold. */
export const boardSlack = (weightSum: number): number => 1e-6 * weightSum + 1e-44;
/** Words of 32 rows that make a block. */
export const BLOCK_WORDS = 32;

const NOBODY = Number.NEGATIVE_INFINITY;

/** What a match reads of a board. */
export interface BoundedSums {
  readonly base: Float32Array;
  readonly wordMax: Float32Array;
  readonly blockMax: Float32Array;
  usedAt: number;
}

/** What a board needs of its market. */
interface Summed {
  readonly bits: BitTable;
  readonly ids: readonly string[];
  readonly memory: Memory;
  readonly capacity: number;
}

/** Steps of a row that is added up. */
const SUM_STEPS = 2;

/** The sums of one list of parts. It can be read once every row was added up. */
export class ScoreBoard implements BoundedSums {
  readonly parts: readonly Part[];
  readonly #static: readonly Term[];
  readonly #signals: readonly Term[];
  /** What signals do not change of each row's sum. */
  #fixed: Float32Array;
  base: Float32Array;
  wordMax: Float32Array;
  blockMax: Float32Array;
  /** The last match that read it, counted by the market. */
  usedAt = 0;

  readonly #market: Summed;
  /** Rows there were when it was begun, and those of them that have been added up. */
  readonly #rows: number;
  #begun = 0;

  constructor(market: Summed, parts: readonly Part[]) {
    const { memory, capacity: rows } = market;
    this.#market = market;
    this.#rows = market.ids.length;
    this.parts = parts;
    this.#static = termsOf(parts.filter(({ isSignal }) => !isSignal));
    this.#signals = termsOf(parts.filter(({ isSignal }) => isSignal));
    this.#fixed = new Float32Array(rows);
    this.base = memory.float32(rows).fill(NOBODY);
    this.wordMax = memory.float32(wordsFor(rows)).fill(NOBODY);
    this.blockMax = memory.float32(blocksFor(rows)).fill(NOBODY);
  }

  /** Whether all rows have been added up; those that come later are when they come. */
  get isReady(): boolean {
    return this.#begun === this.#rows;
  }

  /** Adds up rows for about so many steps; answers how many are left. */
  step(steps: number): number {
    let left = steps;
    const alive = this.#market.bits.words[ALIVE] as Int32Array;
    for (; left > 0 && !this.isReady; left -= SUM_STEPS) {
      const row = this.#begun++;
      if (hasBit(alive, row)) this.refresh(row);
    }
    return left;
  }

  /** Adds a row up anew; O(1): at most 32 rows and 32 words are looked at. */
  refresh(row: number): void {
    this.#fixed[row] = sumOfTerms(this.#static, row);
    this.refreshSignals(row);
  }

  /** The same when only signals have changed. */
  refreshSignals(row: number): void {
    this.#write(row, (this.#fixed[row] as number) + sumOfTerms(this.#signals, row));
  }

  /** A row is gone. */
  remove(row: number): void {
    this.#write(row, NOBODY);
  }

  /** Makes room for as many rows. */
  grow(rows: number): void {
    this.base = this.#larger(this.base, rows);
    this.#fixed = copied(this.#fixed, new Float32Array(rows).fill(NOBODY));
    this.wordMax = this.#larger(this.wordMax, wordsFor(rows));
    this.blockMax = this.#larger(this.blockMax, blocksFor(rows));
  }

  #larger(values: Float32Array, length: number): Float32Array {
    return copied(values, this.#market.memory.float32(length).fill(NOBODY));
  }

  #write(row: number, sum: number): void {
    const old = this.base[row] as number;
    this.base[row] = sum;
    const now = this.base[row];
    const word = row >>> 5;
    const before = this.wordMax[word] as number;
    if (now >= before) this.wordMax[word] = now;
    else if (old === before) this.wordMax[word] = largest(this.base, word * 32, 32);
    const after = this.wordMax[word] as number;
    if (after === before) return;
    const block = word >>> 5;
    const top = this.blockMax[block] as number;
    if (after >= top) this.blockMax[block] = after;
    else if (before === top) {
      this.blockMax[block] = largest(this.wordMax, block * BLOCK_WORDS, BLOCK_WORDS);
    }
  }
}

const blocksFor = (rows: number): number => Math.ceil(wordsFor(rows) / BLOCK_WORDS);

const largest = (values: Float32Array, from: number, count: number): number => {
  const end = Math.min(from + count, values.length);
  let most = NOBODY;
  for (let i = from; i < end; i++) if ((values[i] as number) > most) most = values[i] as number;
  return most;
};
