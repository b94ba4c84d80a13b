/**
 * Where a survivor stands by its score. With an order of the market those clearly before it are counted
 * by their bits; only sums as close as rounding are compared one by one.
 */
import { lowestBit, wordsFor } from "../../lib/bits.ts";
import type { Binding } from "../binding.ts";
import type { RankOrder } from "../index/static-order.ts";
import { sumOfTerms } from "../index/term.ts";
import { countAbove, nearKeys, orderOver, rankView } from "../paths/rank.ts";
import { eachSurvivor } from "../paths/scan.ts";
import { countPlain, plainWords } from "./count.ts";

/** An order is not worth reading for so few. */
const FEW_ROWS = 256;

/** One more than the survivors before a row, whose raw sum is `sum`. */
export function placeByScore(binding: Binding, row: number, sum: number): number {
  const { ids } = binding.index;
  const id = ids[row] as string;
  let close = 0;
  const compare = (other: number): void => {
    const its = binding.sumOf(other);
    if (its > sum || (its === sum && (ids[other] as string) < id)) close++;
  };
  const order = orderOver(binding, FEW_ROWS);
  let clear = 0;
  if (order === undefined) eachSurvivor(binding, compare);
  else clear = countClearlyBefore(binding, order, row, compare);
  return 1 + clear + close;
}

/** Counts those whose keys are clearly larger, and shows `compare` all that are close. */
function countClearlyBefore(
  binding: Binding,
  order: RankOrder,
  row: number,
  compare: (other: number) => void,
): number {
  const { where, enough } = rankView(binding, order);
  const { rowAt, keyAt, length } = order.layout;
  const key = sumOfTerms(order.terms, row);
  const near = nearKeys(binding, order);
  const clear = countAbove(keyAt, length, (one) => one > key + near);
  const close = countAbove(keyAt, length, (one) => one >= key - near);
  const plain = plainWords(binding, Math.min(clear, enough));
  let count = countPlain(where, plain);
  for (let word = plain; word < wordsFor(close); word++) {
    for (let left = where.at(word); left !== 0; left &= left - 1) {
      const rank = word * 32 + lowestBit(left);
      if (rank >= close) break;
      const other = rowAt[rank] as number;
      if (!binding.admitsAll(other)) continue;
      if (rank < clear) count++;
      else compare(other);
    }
  }
  for (const other of order.moved) if (binding.survives(other)) compare(other);
  return count;
}
