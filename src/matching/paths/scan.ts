/**
 * Every survivor is looked at: for few rows, for lists of ids, where nothing bounds the score, and while
 * an order or a board is made.
 */
import { lowestBit, wordsFor } from "../../lib/bits.ts";
import type { Binding } from "../binding.ts";
import { roundingOf } from "./rank.ts";
import { leastStake } from "./stakes.ts";
import type { TopK } from "./top-k.ts";

/** To find the least stake that still counts costs as much as some hundred scores. */
const STAKE_ROWS = 1_024;

/** Pushes all survivors that may be among the best; up to `fewRows` simply all. */
export function scan(binding: Binding, top: TopK, fewRows = STAKE_ROWS): void {
  const [part, more] = binding.parts;
  const isLarge = binding.index.size > fewRows && more === undefined;
  if (isLarge && part?.ofStake !== undefined) {
    scanByStake(binding, part.ofStake, part.term.weight, top);
  } else eachSurvivor(binding, (row) => top.push(row, binding.sumOf(row)));
}

/**
 * All that demands share of the score is of the stake: whose stake is too small to come in, whatever the
 * rest gives, is passed over without a score. A million rows take some milliseconds instead of 50.
 */
function scanByStake(
  binding: Binding,
  ofStake: (stake: number) => number,
  weight: number,
  top: TopK,
): void {
  const { high } = binding.index.stakes;
  const above = binding.restMost + roundingOf(binding.weightSum);
  let { floor } = top;
  let least = Number.NEGATIVE_INFINITY;
  eachSurvivor(binding, (row) => {
    if ((high[row] as number) < least) return;
    top.push(row, binding.sumOf(row));
    if (top.floor === floor) return;
    floor = top.floor;
    const need = (floor - above) / weight;
    // The last of the best has enough.
    const enough = high[top.rows[top.count - 1] as number] as number;
    least = leastStake(ofStake, need, Math.max(0, least), enough);
  });
}

/** Pushes the survivors among the listed rows. */
export function scanListed(binding: Binding, rows: readonly number[], top: TopK): void {
  for (const row of rows) if (binding.survives(row)) top.push(row, binding.sumOf(row));
}

/** All rows that pass every filter, in no meaningful order. */
export function eachSurvivor(binding: Binding, visit: (row: number) => void): void {
  if (binding.isImpossible) return;
  if (binding.listed !== undefined) {
    for (const row of binding.listed) if (binding.survives(row)) visit(row);
    return;
  }
  const words = wordsFor(binding.index.ids.length);
  for (let word = 0; word < words; word++) {
    let left = binding.where.at(word);
    while (left !== 0) {
      const row = word * 32 + lowestBit(left);
      left &= left - 1;
      if (binding.admitsAll(row)) visit(row);
    }
  }
}
