/** Round robin: all survivors by priority and id, beginning where the seed says. */
import { hasBit, lowestBit, popcount, wordsFor } from "../../lib/bits.ts";
import type { Binding } from "../binding.ts";
import { countSurvivors } from "../explain/count.ts";
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

/** Those whose turn it is, and out of how many. */
export interface Turns {
  readonly rows: number[];
  /** Survivors; unknown where nobody is asked for. */
  readonly left: number | undefined;
}

/** The `k` rows whose turn it is. */
export function takeTurns(
  binding: Binding,
  order: RankOrder | undefined,
  k: number,
  seed: Seed,
): Turns {
  if (order === undefined) return selected(binding, k, seed);
  if (binding.isImpossible || k === 0) return { rows: [], left: undefined };
  const moved = movedOf(binding, order);
  const all = countSurvivors(binding);
  const count = Math.min(k, all);
  const rows = walk(binding, order, moved, { skip: offsetOf(seed, all), take: count });
  // Behind the last place it goes on with the first.
  const again = { skip: 0, take: count - rows.length };
  if (again.take > 0) rows.push(...walk(binding, order, moved, again));
  return { rows, left: all };
}

/** Where a seed begins among `count`: numbers count up, texts are hashed. */
export const offsetOf = (seed: Seed, count: number): number => {
  if (count === 0) return 0;
  const number = typeof seed === "number" ? Math.floor(seed) : seedHalves(seed).low;
  return Number.isFinite(number) ? ((number % count) + count) % count : 0;
};

/** Few rows, or no order to read: only the places whose turn it is are put in order. */
function selected(binding: Binding, k: number, seed: Seed): Turns {
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
  const taken = [...rows.subarray(first, end), ...rows.subarray(0, again)];
  return { rows: taken, left: rows.length };
}

/** A row without a rank, by what it would be ranked by. */
interface Moved {
  readonly row: number;
  readonly key: number;
}

/** Survivors without a rank, in the order of ranks. */
const movedOf = (binding: Binding, order: RankOrder): readonly Moved[] => {
  const { ids, bits } = binding.index;
  return order.moved
    .filter((row) => hasBit(bits.words[ALIVE] as Int32Array, row) && binding.survives(row))
    .map((row) => ({ row, key: sumOfTerms(order.terms, row) }))
    .sort((a, b) => b.key - a.key || byId(ids, a.row, b.row));
};

/**
 * Walks the survivors by rank, with the moved ones where they belong: passes `skip` of them and takes the
 * next `take`. Whole words are passed by counting their bits, unless a test or a moved row has a say.
 */
function walk(
  binding: Binding,
  order: RankOrder,
  moved: readonly Moved[],
  { skip, take }: { readonly skip: number; readonly take: number },
): number[] {
  const { ids, bits } = binding.index;
  const { rowAt, keyAt, bits: byRank, length } = order.layout;
  const where = new Conjunction(binding.clauses, byRank, bits.counts);
  const isPlain = binding.tests.length === 0 && binding.stakeTest === undefined;
  const rows: number[] = [];
  let [passed, next] = [0, 0];
  const pass = (row: number): boolean => {
    if (passed++ >= skip) rows.push(row);
    return rows.length === take;
  };
  const isBefore = (one: Moved, rank: number): boolean => {
    const gap = one.key - (keyAt[rank] as number);
    return (
      gap > 0 || (gap === 0 && (ids[one.row] as string) < (ids[rowAt[rank] as number] as string))
    );
  };
  for (let word = 0; word < wordsFor(length); word++) {
    let left = where.at(word);
    if (left === 0) continue;
    const first = moved[next];
    const last = word * 32 + 31 - Math.clz32(left);
    const isApart = isPlain && (first === undefined || !isBefore(first, last));
    if (isApart && passed + popcount(left) <= skip) {
      passed += popcount(left);
      continue;
    }
    while (left !== 0) {
      const rank = word * 32 + lowestBit(left);
      left &= left - 1;
      const row = rowAt[rank] as number;
      if (!isPlain && !binding.admitsAll(row)) continue;
      for (let one = moved[next]; one !== undefined && isBefore(one, rank); one = moved[++next]) {
        if (pass(one.row)) return rows;
      }
      if (pass(row)) return rows;
    }
  }
  for (const { row } of moved.slice(next)) if (pass(row)) break;
  return rows;
}
