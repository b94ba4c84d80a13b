/**
 * A score with parts that move: walk the blocks of the score board, and skip blocks, words and rows
 * whose bound is strictly below the k-th so far. Only what comes close to the k-th is scored exactly.
 */
import { lowestBit, wordsFor } from "../../lib/bits.ts";
import type { Binding } from "../binding.ts";
import { BLOCK_WORDS, boardSlack, type BoundedSums } from "../index/score-board.ts";
import type { TopK } from "./top-k.ts";
import { KthLargest } from "./kth-largest.ts";
import { roundingOf } from "./rank.ts";

/** All 32 bits of a word. */
const EVERYBODY = -1;
/** How far below the last k-th the walk begins, as a share of all weights. */
const GUESS_MARGIN = 0.01;

/** Pushes enough rows that the best k are among them. */
export function walkBounds(binding: Binding, board: BoundedSums, k: number, top: TopK): void {
  if (binding.isRestConstant) walkSums(binding, board, k, top);
  else walkBelow(binding, board, top);
}

/** The rest adds the same to all: the board's own sums order the rows but for their error. */
function walkSums(binding: Binding, board: BoundedSums, k: number, top: TopK): void {
  if (k === 0) return;
  const { base } = board;
  // Two sums are compared, and each may be off.
  const slack = 2 * boardSlack(binding.weightSum);
  let kth = new KthLargest(k);
  let near: number[] = [];
  const visit = (row: number): number => {
    near.push(row);
    kth.push(base[row] as number);
    return Math.max(guess, kth.value) - slack;
  };
  // The k-th of the last match is seldom far from that of this one.
  let guess = binding.lastKth - GUESS_MARGIN * binding.weightSum;
  walk(binding, board, guess - slack, visit);
  if (kth.value < guess) {
    guess = Number.NEGATIVE_INFINITY;
    kth = new KthLargest(k);
    near = [];
    walk(binding, board, guess, visit);
  }
  binding.lastKth = kth.value;
  const need = kth.value - slack;
  for (const row of near) if ((base[row] as number) >= need) top.push(row, binding.sumOf(row));
}

/** The rest differs from row to row: a row comes in by its exact sum. */
function walkBelow(binding: Binding, board: BoundedSums, top: TopK): void {
  const above = binding.restMost + boardSlack(binding.weightSum);
  const rounding = roundingOf(binding.weightSum);
  walk(binding, board, Number.NEGATIVE_INFINITY, (row) => {
    top.push(row, binding.sumReaching(row, top.floor - rounding));
    return top.floor - above;
  });
}

/** Visits survivors whose sum on the board is not below `least`, then what the last visit said. */
function walk(
  binding: Binding,
  board: BoundedSums,
  least: number,
  visit: (row: number) => number,
): void {
  const { base, wordMax, blockMax } = board;
  const { where, index } = binding;
  const words = wordsFor(index.ids.length);
  let need = least;
  for (let first = 0; first < words; first += BLOCK_WORDS) {
    if ((blockMax[first / BLOCK_WORDS] as number) < need) continue;
    const end = Math.min(first + BLOCK_WORDS, words);
    for (let word = first; word < end; word++) {
      if ((wordMax[word] as number) < need) continue;
      let left = where.at(word);
      if (left === EVERYBODY) {
        // Without filters, or with one that most pass: no bit needs looking for.
        for (let row = word * 32; row < word * 32 + 32; row++) {
          if ((base[row] as number) >= need && binding.admitsAll(row)) need = visit(row);
        }
        continue;
      }
      while (left !== 0) {
        const row = word * 32 + lowestBit(left);
        left &= left - 1;
        if ((base[row] as number) >= need && binding.admitsAll(row)) need = visit(row);
      }
    }
  }
}
