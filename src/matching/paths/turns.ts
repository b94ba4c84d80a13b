/** Round robin: all survivors by priority and id, beginning where the seed says. */
import { hasBit, lowestBit, wordsFor } from "../../lib/bits.ts";
import type { Binding } from "../binding.ts";
import { Conjunction } from "./conjunction.ts";
import { ALIVE } from "../index/bit-table.ts";
import { byId } from "../index/id-table.ts";
import type { RankOrder } from "../index/static-order.ts";
import { sumOfTerms } from "../index/term.ts";
import { safeScore } from "../scorers/scorer.ts";
import { priorityScorer } from "../scorers/signals.ts";
import { orderPlaces } from "./nth.ts";
import { type Seed, seedHalves } from "./rendezvous.ts";
import { eachSurvivor } from "./scan.ts";

/** The `k` rows whose turn it is. */
export function takeTurns(
  binding: Binding,
  order: RankOrder | undefined,
  k: number,
  seed: Seed,
): number[] {
  if (order === undefined) return selected(binding, k, seed);
  const rows = inOrder(binding, order);
  const first = offsetOf(seed, rows.length);
  return Array.from(
    { length: Math.min(k, rows.length) },
    (_, i) => rows[(first + i) % rows.length] as number,
  );
}

/** Where a seed begins among `count`: numbers count up, texts are hashed. */
export const offsetOf = (seed: Seed, count: number): number => {
  if (count === 0) return 0;
  const number = typeof seed === "number" ? Math.floor(seed) : seedHalves(seed).low;
  return Number.isFinite(number) ? ((number % count) + count) % count : 0;
};

/** Few rows, or no order to read: only the places whose turn it is are put in order. */
function selected(binding: Binding, k: number, seed: Seed): number[] {
  const { index } = binding;
  const bound = priorityScorer.bind(index, binding.plan.demand);
  const keys = new Float64Array(index.ids.length);
  const survivors: number[] = [];
  eachSurvivor(binding, (row) => {
    keys[row] = safeScore(bound, row);
    survivors.push(row);
  });
  const rows = Uint32Array.from(survivors);
  const compare = (a: number, b: number): number => {
    if (a === b) return 0;
    return (keys[b] as number) - (keys[a] as number) || byId(index.ids, a, b);
  };
  const count = Math.min(k, rows.length);
  const first = offsetOf(seed, rows.length);
  const end = Math.min(first + count, rows.length);
  orderPlaces(rows, first, end, compare);
  // Behind the last place it goes on with the first.
  const again = count - (end - first);
  orderPlaces(rows.subarray(0, first), 0, Math.min(again, first), compare);
  return [...rows.subarray(first, end), ...rows.subarray(0, again)];
}

/** The survivors by rank, with the moved ones where they belong. */
function inOrder(binding: Binding, order: RankOrder): number[] {
  const { ids, bits } = binding.index;
  if (binding.isImpossible) return [];
  const moved = order.moved
    .filter((row) => hasBit(bits.words[ALIVE] as Int32Array, row) && binding.survives(row))
    .map((row) => ({ row, key: sumOfTerms(order.terms, row) }))
    .sort((a, b) => b.key - a.key || byId(ids, a.row, b.row));
  const { rowAt, keyAt, bits: byRank, length } = order.layout;
  const where = new Conjunction(binding.clauses, byRank, bits.counts);
  const rows: number[] = [];
  let next = 0;
  for (let word = 0; word < wordsFor(length); word++) {
    let left = where.at(word);
    while (left !== 0) {
      const rank = word * 32 + lowestBit(left);
      left &= left - 1;
      const row = rowAt[rank] as number;
      if (!binding.admitsAll(row)) continue;
      for (let one = moved[next]; one !== undefined; one = moved[next]) {
        const gap = one.key - (keyAt[rank] as number);
        if (gap < 0 || (gap === 0 && (ids[one.row] as string) > (ids[row] as string))) break;
        rows.push(one.row);
        next++;
      }
      rows.push(row);
    }
  }
  return [...rows, ...moved.slice(next).map(({ row }) => row)];
}
