/**
 * A score that is static but for constants: walk the ranks, and the first k survivors are the answer,
 * with the rows that have no rank at the moment. Where adding the constants could order two sums
 * otherwise, whatever is that close to the k-th is looked at too.
 */
import { lowestBit, wordsFor } from "../../lib/bits.ts";
import type { Binding } from "../binding.ts";
import { Conjunction } from "./conjunction.ts";
import type { RankOrder } from "../index/static-order.ts";
import type { TopK } from "./top-k.ts";

/** Sums closer than this share of all weights may change places when constants are added. */
const NEAR = 1e-12;
/** What 16 products of the smallest weights there are may be off by. */
const LEAST = 1e-322;

/** What two sums may be off by that are made of the same parts in another order. */
export const roundingOf = (weightSum: number): number => NEAR * weightSum + LEAST;

/** What a binding looked up in a layout; it holds until another layout is swapped in. */
export interface RankView {
  readonly order: RankOrder;
  readonly generation: number;
  readonly where: Conjunction;
  /** Ranks below `enough` have the stake, those from `short` on have not, those between are tested. */
  readonly enough: number;
  readonly short: number;
  /** Keys this close to the k-th need a look; 0 where no two keys are that close. */
  readonly near: number;
}

/** Pushes enough rows that the best k are among them. */
export function walkRanks(binding: Binding, order: RankOrder, k: number, top: TopK): void {
  if (k === 0) return;
  const { where, enough, short, near } = rankView(binding, order);
  const { rowAt, keyAt } = order.layout;
  const { stakeTest } = binding;
  let found = 0;
  let floor = Number.NEGATIVE_INFINITY;
  const words = wordsFor(short);
  walk: for (let word = 0; word < words; word++) {
    let left = where.at(word);
    while (left !== 0) {
      const rank = word * 32 + lowestBit(left);
      left &= left - 1;
      if (rank >= short || (keyAt[rank] as number) < floor) break walk;
      const row = rowAt[rank] as number;
      if (rank >= enough && stakeTest?.(row) === false) continue;
      if (!binding.admits(row)) continue;
      top.push(row, binding.sumOf(row));
      if (++found < k) continue;
      if (near === 0) break walk;
      if (found === k) floor = (keyAt[rank] as number) - near;
    }
  }
  for (const row of order.moved) {
    if (binding.survives(row)) top.push(row, binding.sumOf(row));
  }
}

/** An order, where it is worth reading: not for so few, nor of those who are named, whom no bits know. */
export const orderOver = (binding: Binding, fewRows: number): RankOrder | undefined =>
  binding.index.size > fewRows && binding.listed === undefined ? binding.order() : undefined;

/** The bitsets of the current layout and where the stake ends in it. */
export function rankView(binding: Binding, order: RankOrder): RankView {
  const known = binding.rankView;
  if (known?.order === order && known.generation === order.generation) return known;
  const { layout, parts, minGap } = order;
  const { index, stakeTest, plan } = binding;
  const [part] = parts;
  const keyOf = parts.length === 1 ? part?.ofStake : undefined;
  let [enough, short] = [0, layout.length];
  if (stakeTest === undefined) enough = layout.length;
  else if (keyOf !== undefined) {
    // A larger stake never ranks lower, so only ranks with the minimum's own key are in doubt.
    const key = keyOf(Number(plan.demand.minStake));
    enough = countAbove(layout.keyAt, layout.length, (one) => one > key);
    short = countAbove(layout.keyAt, layout.length, (one) => one >= key);
  }
  const distance = nearKeys(binding, order);
  const view = {
    order,
    generation: order.generation,
    where: new Conjunction(binding.clauses, layout.bits, index.bits.counts),
    enough,
    short,
    near: minGap < distance ? distance : 0,
  };
  binding.rankView = view;
  return view;
}

/** How close two keys of an order are that a demand's constants could order otherwise. */
export const nearKeys = ({ weightSum, parts }: Binding, order: RankOrder): number =>
  roundingOf(weightSum) / (order.parts.length === 1 ? (parts[0]?.term.weight ?? 1) : 1);

/** How many keys, which fall, hold: by halving. */
export const countAbove = (
  keys: Float64Array,
  length: number,
  holds: (key: number) => boolean,
): number => {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(keys[middle] as number)) low = middle + 1;
    else high = middle;
  }
  return low;
};
