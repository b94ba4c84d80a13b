/** How many providers pass every filter: what `survivorsOf` ends with, without its report. */
import { lowestBit, popcount, wordsFor } from "../../lib/bits.ts";
import type { Binding } from "../binding.ts";
import { rankView } from "../paths/rank.ts";

/** An order is not worth making for the count of so few. */
const FEW_ROWS = 256;

/** Counts the survivors of a binding. */
export function countSurvivors(binding: Binding): number {
  const { index, listed, isImpossible } = binding;
  if (isImpossible) return 0;
  if (listed !== undefined) return listed.filter((row) => binding.survives(row)).length;
  const order = index.size > FEW_ROWS ? binding.order() : undefined;
  if (order === undefined) return countRows(binding);
  // By rank the stake is a prefix: most words need no look at a row.
  const { where, enough, short } = rankView(binding, order);
  const { rowAt } = order.layout;
  const words = wordsFor(short);
  const hasTests = binding.tests.length > 0;
  let count = 0;
  for (let word = 0; word < words; word++) {
    let left = where.at(word);
    const first = word * 32;
    if (!hasTests && first + 32 <= enough) {
      count += popcount(left);
      continue;
    }
    for (; left !== 0; left &= left - 1) {
      const rank = first + lowestBit(left);
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
  const isPlain = binding.tests.length === 0 && binding.stakeTest === undefined;
  let count = 0;
  for (let word = 0; word < words; word++) {
    let left = where.at(word);
    if (isPlain) count += popcount(left);
    else
      for (; left !== 0; left &= left - 1) {
        if (binding.admitsAll(word * 32 + lowestBit(left))) count++;
      }
  }
  return count;
}
