/**
 * Every survivor is looked at: for few rows, for lists of ids, where nothing bounds the score, and while
 * an order or a board is made.
 */
import { lowestBit, wordsFor } from "../../lib/bits.ts";
import type { Binding } from "../binding.ts";
import { scanBelow } from "./scan-below.ts";
import type { TopK } from "./top-k.ts";

/** For fewer rows it is not worth to find out what a score needs. */
const BOUND_ROWS = 1_024;

/** Pushes all survivors that may be among the best; up to `fewRows` simply all. */
export function scan(binding: Binding, top: TopK, fewRows = BOUND_ROWS): void {
  if (binding.index.size > fewRows) scanBelow(binding, top);
  else eachSurvivor(binding, (row) => top.push(row, binding.sumOf(row)));
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
