/** How many providers pass every filter: what `survivorsOf` ends with, without its report. */
import { countBits, lowestBit, wordsFor } from "../../lib/bits.ts";
import type { Binding } from "../binding.ts";
import type { Conjunction } from "../paths/conjunction.ts";
import { orderOver, rankView } from "../paths/rank.ts";

/** An order is not worth making for the count of so few. */
const FEW_ROWS = 256;

/** Counts the survivors of a binding. */
export function countSurvivors(binding: Binding): number {
  const { listed, isImpossible } = binding;
  if (isImpossible) return 0;
  if (listed !== undefined) return listed.filter((row) => binding.survives(row)).length;
  const order = orderOver(binding, FEW_ROWS);
  if (order === undefined) return countRows(binding);
  // By rank the stake is a prefix: most words need no look at a row.
  const { where, enough, short } = rankView(binding, order);
  const { rowAt } = order.layout;
  const words = wordsFor(short);
  const plain = plainWords(binding, enough);
  let count = countPlain(where, plain);
  for (let word = plain; word < words; word++) {
    for (let left = where.at(word); left !== 0; left &= left - 1) {
      const rank = word * 32 + lowestBit(left);
      if (rank >= short) break;
      const row = rowAt[rank] as number;
      if ((rank < enough || binding.stakeTest?.(row) !== false) && binding.admits(row)) count++;
    }
  }
  for (const row of order.moved) if (binding.survives(row)) count++;
  return count;
}

function countRows(binding: Binding): number {
  const { index, where } = binding;
  const words = wordsFor(index.ids.length);
  if (binding.tests.length === 0 && binding.stakeTest === undefined)
    return countPlain(where, words);
  let count = 0;
  for (let word = 0; word < words; word++) {
    for (let left = where.at(word); left !== 0; left &= left - 1) {
      if (binding.admitsAll(word * 32 + lowestBit(left))) count++;
    }
  }
  return count;
}

/** Words of ranks before `enough`: nobody's stake is in doubt, and without tests nothing else is. */
export const plainWords = ({ tests }: Binding, enough: number): number =>
  tests.length > 0 ? 0 : Math.floor(enough / 32);

/** Words that are joined at once: they stay in the fastest cache. */
const BLOCK = 256;
const block = new Int32Array(BLOCK);

/** Those of the first words that the bitsets let pass. */
export function countPlain(where: Conjunction, words: number, joined = block): number {
  let count = 0;
  for (let from = 0; from < words; from += BLOCK) {
    const length = Math.min(BLOCK, words - from);
    where.fill(joined, from, length);
    count += countBits(joined, length);
  }
  return count;
}
