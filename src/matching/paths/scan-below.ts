/**
 * A scan that scores only who may come in: a row is passed over as soon as its stake is too small, or what
 * is left of its score cannot make up for what it lacks. A million rows take 10 to 40 ms instead of up to
 * 100, and most of them less.
 */
import { lowestBit, wordsFor } from "../../lib/bits.ts";
import type { Binding } from "../binding.ts";
import type { Part } from "../index/part.ts";
import { roundingOf } from "./rank.ts";
import { leastStake } from "./stakes.ts";
import type { TopK } from "./top-k.ts";

/** Words that are read in sequence. */
const BLOCK_WORDS = 32;

/** Pushes all survivors that may be among the best. */
export function scanBelow(binding: Binding, top: TopK): void {
  const bar = new Bar(binding, top);
  const { where, index } = binding;
  const words = wordsFor(index.ids.length);
  const blocks = Math.ceil(words / BLOCK_WORDS);
  const stride = strideOf(blocks);
  for (let i = 0, block = 0; i < blocks; i++, block = (block + stride) % blocks) {
    const end = Math.min((block + 1) * BLOCK_WORDS, words);
    for (let word = block * BLOCK_WORDS; word < end; word++) {
      let left = where.at(word);
      while (left !== 0) {
        const row = word * 32 + lowestBit(left);
        left &= left - 1;
        const sum = bar.sumOf(row);
        if (sum < top.floor || !binding.admitsAll(row)) continue;
        top.push(row, sum);
        if (top.floor !== bar.floor) bar.raise(top);
      }
    }
  }
}

/**
 * Blocks are visited all over the market: of providers that came in the order of their stakes each one
 * would be better than all before it.
 */
function strideOf(blocks: number): number {
  let stride = Math.max(1, Math.round(blocks * GOLDEN));
  while (commonDivisor(stride, blocks) > 1) stride++;
  return stride;
}

/** Multiples of it, without their whole part, are spread as evenly as can be. */
const GOLDEN = 0.618;

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

/** What a row must come up to: the last of the best so far. */
class Bar {
  floor: number;
  readonly #binding: Binding;
  readonly #byStake: Part | undefined;
  /** The sum of a row that has the most of everything. */
  readonly #most: number;
  readonly #slack: number;
  readonly #stakes: Float64Array;
  #need = Number.NEGATIVE_INFINITY;
  /** The required stake, rounded: who has just that may have less in truth, and then scores 0. */
  readonly #minimum: number;
  /** A smaller stake is too small. */
  #least: number;
  /** Whether the stake alone tells sums apart; then all stakes between two of one sum have it. */
  readonly #isStakeAlone: boolean;
  #alikeFrom = Number.POSITIVE_INFINITY;
  #alikeTo = Number.NEGATIVE_INFINITY;
  #alikeSum = Number.NaN;

  constructor(binding: Binding, { floor }: TopK) {
    const { parts, restMost, weightSum, isRestConstant, index, plan } = binding;
    this.floor = floor;
    this.#binding = binding;
    this.#byStake = parts.find(({ ofStake }) => ofStake !== undefined);
    this.#most = parts.reduce((sum, { term }) => sum + term.weight, restMost);
    this.#slack = roundingOf(weightSum);
    this.#stakes = index.stakes.high;
    this.#isStakeAlone = isRestConstant && parts.length === 1 && this.#byStake !== undefined;
    // Rounding keeps order: who is below the rounded minimum is below the minimum.
    const { minStake } = plan.demand;
    this.#minimum = minStake > 0n ? Number(minStake) : Number.NEGATIVE_INFINITY;
    this.#least = this.#minimum;
  }

  /** The exact sum of a row, or something below the bar. */
  sumOf(row: number): number {
    const stake = this.#stakes[row] as number;
    if (stake < this.#least) return Number.NEGATIVE_INFINITY;
    const isAlone = this.#isStakeAlone && stake !== this.#minimum;
    if (!isAlone) return this.#binding.sumReaching(row, this.#need);
    return stake >= this.#alikeFrom && stake <= this.#alikeTo
      ? this.#alikeSum
      : this.#sumOfStake(row, stake);
  }

  /** Takes note of a better k-th sum. */
  raise({ floor, rows, count }: TopK): void {
    this.floor = floor;
    this.#need = floor - this.#slack;
    const part = this.#byStake;
    if (part?.ofStake === undefined) return;
    const { weight } = part.term;
    // What is left of the need when everything else gives its most.
    const need = (this.#need - (this.#most - weight)) / weight;
    const enough = this.#stakes[rows[count - 1] as number] as number;
    this.#least = leastStake(part.ofStake, need, Math.max(0, this.#least), enough);
  }

  #sumOfStake(row: number, stake: number): number {
    const sum = this.#binding.sumOf(row);
    const isAlike = sum === this.#alikeSum;
    this.#alikeSum = sum;
    this.#alikeFrom = isAlike ? Math.min(this.#alikeFrom, stake) : stake;
    this.#alikeTo = isAlike ? Math.max(this.#alikeTo, stake) : stake;
    return sum;
  }
}
