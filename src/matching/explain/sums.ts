/** The raw sums of all survivors: by rank where the score is in an order, since a million scores take long. */
import { lowestBit, wordsFor } from "../../lib/bits.ts";
import type { Binding } from "../binding.ts";
import type { RankOrder } from "../index/static-order.ts";
import { orderOver, rankView } from "../paths/rank.ts";
import { eachSurvivor } from "../paths/scan.ts";

/** So many are scored one by one, to the last bit; sums by rank are rounded otherwise. */
const FEW_ROWS = 32_768;

/** Visits the sum of every survivor, in no meaningful order. */
export function eachSum(binding: Binding, visit: (sum: number) => void, fewRows = FEW_ROWS): void {
  const order = orderOver(binding, fewRows);
  if (order === undefined) eachSurvivor(binding, (row) => visit(binding.sumOf(row)));
  else if (!binding.isImpossible) eachRank(binding, order, visit);
}

function eachRank(binding: Binding, order: RankOrder, visit: (sum: number) => void): void {
  const { where, enough, short } = rankView(binding, order);
  const { rowAt, keyAt } = order.layout;
  // An order of one part is without its weight.
  const weight = order.parts.length === 1 ? (binding.parts[0]?.term.weight ?? 1) : 1;
  const words = wordsFor(short);
  for (let word = 0; word < words; word++) {
    for (let left = where.at(word); left !== 0; left &= left - 1) {
      const rank = word * 32 + lowestBit(left);
      if (rank >= short) break;
      const row = rowAt[rank] as number;
      const isEnough = rank < enough || binding.stakeTest?.(row) !== false;
      if (isEnough && binding.admits(row))
        visit(weight * (keyAt[rank] as number) + binding.restMost);
    }
  }
  for (const row of order.moved) if (binding.survives(row)) visit(binding.sumOf(row));
}
