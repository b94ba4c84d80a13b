/** Who is left after each filter, whom it refuses by itself, and whom nobody else refuses. */
import { countBits, countBoth, joinBits, lowestBit, wordsFor } from "../../lib/bits.ts";
import type { Binding } from "../binding.ts";
import { Conjunction } from "../paths/conjunction.ts";
import type { BoundFilter } from "../filters/filter.ts";
import type { RankedRows } from "../index/layout.ts";
import { rankView } from "../paths/rank.ts";

/** One filter's share in a ranking, in the order of reports. */
export interface FilterReport {
  readonly filter: string;
  /** Providers left after it and all before it. */
  readonly left: number;
  /** Providers that it refuses, whatever the others do. */
  readonly alone: number;
  /** Providers that only it refuses: who would come by giving it up. */
  readonly sole: number;
  readonly transient: boolean;
}

/** Words that are counted at once: they and their masks stay in the fastest cache. */
const BLOCK = 512;

/** Counts for every filter of a binding. */
export function survivorsOf(binding: Binding): FilterReport[] {
  const { filters, index } = binding;
  const { masks, words } = viewOf(binding);
  const counts = masks.map(({ label }) => ({ left: 0, passed: 0, others: 0, label }));
  const tally = spare.pop() ?? new Tally();
  for (let from = 0; from < words; from += BLOCK) {
    tally.add(masks, from, Math.min(BLOCK, words - from), counts);
  }
  spare.push(tally);
  for (const count of counts) {
    if (count.label !== undefined) count.passed = index.bits.counts[count.label] as number;
  }
  const [first, second] = counts;
  const last = counts.length - 1;
  if (first !== undefined) first.left = first.passed;
  if (first !== undefined && second !== undefined && last === 1) first.others = second.passed;
  const survivors = counts[last]?.left ?? 0;
  return filters.map(({ name, isTransient }, i) => {
    const { left, passed, others } = counts[i] as Counts;
    const without = i === last ? (counts[i - 1]?.left ?? index.size) : others;
    return {
      filter: name,
      left,
      alone: index.size - passed,
      sole: without - survivors,
      transient: isTransient,
    };
  });
}

/** Tallies that are not in use; a filter may itself ask for a report, so one would not do. */
const spare: Tally[] = [];

interface Counts {
  /** Who passes it and all before it; of the first filter that is who passes. */
  left: number;
  /** Who passes it; not counted where a label's count says so. */
  passed: number;
  /** Who passes all but it. Of the last filter that is who is left before it. */
  others: number;
  readonly label: number | undefined;
}

/** Bits of one block of words, filter after filter. */
class Tally {
  /** Those that pass each filter, those that pass all up to it, those that pass all from one on. */
  readonly #passing: Int32Array[] = [];
  readonly #upTo: Int32Array[] = [];
  readonly #onwards = new Int32Array(BLOCK);

  /** Adds what `length` words from `from` on give. */
  add(masks: readonly FilterMask[], from: number, length: number, counts: readonly Counts[]): void {
    const [passing, upTo] = [this.#passing, this.#upTo];
    const last = masks.length - 1;
    for (let i = 0; i <= last; i++) {
      const one = (passing[i] ??= new Int32Array(BLOCK));
      const count = counts[i] as Counts;
      (masks[i] as FilterMask).fill(one, from, length);
      if (count.label === undefined) count.passed += countBits(one, length);
      if (i === 0) upTo[0] = one;
      else {
        const before = upTo[i - 1] as Int32Array;
        upTo[i] ??= new Int32Array(BLOCK);
        count.left += joinBits(upTo[i] as Int32Array, before, one, length);
      }
    }
    let after = passing[last] as Int32Array;
    for (let i = last - 1; i > 0; i--) {
      (counts[i] as Counts).others += countBoth(upTo[i - 1] as Int32Array, after, length);
      const all = joinBits(this.#onwards, after, passing[i] as Int32Array, length);
      after = this.#onwards;
      if (i === 1) (counts[0] as Counts).others += all;
    }
  }
}

/** The filters over words: by rank where an order knows who has the stake, else by row. */
export interface MaskView {
  readonly layout: RankedRows | undefined;
  readonly masks: readonly FilterMask[];
  readonly words: number;
}

function viewOf(binding: Binding): MaskView {
  const { filters, index } = binding;
  const order = index.size > FEW_ROWS ? binding.order() : undefined;
  const layout = order?.moved.length === 0 ? order.layout : undefined;
  const known = binding.maskView;
  const words = wordsFor(layout?.length ?? index.ids.length);
  if (known !== undefined && known.layout === layout && known.words === words) return known;
  const bits = layout?.bits ?? index.bits.words;
  const stake = order === undefined || layout === undefined ? undefined : rankView(binding, order);
  const masks = filters.map((filter) => {
    const where = new Conjunction(filter.clauses, bits, index.bits.counts);
    const span = filter.name === "stake" ? stake : undefined;
    const { enough = 0, short } = span ?? {};
    return new FilterMask(where, testOf(filter), labelOf(filter), layout?.rowAt, enough, short);
  });
  const view = { layout, masks, words };
  binding.maskView = view;
  return view;
}

/** An order is not worth making for the report of so few. */
const FEW_ROWS = 256;

function testOf({ clauses, test }: BoundFilter): ((row: number) => boolean) | undefined {
  if (clauses.some(({ slots, isNegated }) => slots.length === 0 && !isNegated)) return () => false;
  return test;
}

/** The slot of the one label that a filter asks for, if that is all it asks: its count is known. */
function labelOf({ clauses, test }: BoundFilter): number | undefined {
  const [clause, more] = clauses;
  if (more !== undefined || test !== undefined) return undefined;
  return clause?.isNegated === false && clause.slots.length === 1 ? clause.slots[0] : undefined;
}

/** Those that one filter lets pass, 32 at a time. */
class FilterMask {
  readonly label: number | undefined;
  readonly #where: Conjunction;
  readonly #test: ((row: number) => boolean) | undefined;
  readonly #rowAt: Uint32Array | undefined;
  /** Places below `enough` pass the test, those from `short` on fail it. */
  readonly #enough: number;
  readonly #short: number;

  constructor(
    where: Conjunction,
    test: ((row: number) => boolean) | undefined,
    label: number | undefined,
    rowAt: Uint32Array | undefined,
    enough: number,
    short = Number.POSITIVE_INFINITY,
  ) {
    this.#where = where;
    this.#test = test;
    this.label = label;
    this.#rowAt = rowAt;
    this.#enough = enough;
    this.#short = short;
  }

  /** Writes `length` words from `from` on to `target`. */
  fill(target: Int32Array, from: number, length: number): void {
    this.#where.fill(target, from, length);
    if (this.#test === undefined) return;
    const whole = Math.floor(this.#enough / 32) - from;
    for (let i = Math.max(0, whole); i < length; i++) {
      target[i] = this.#tested(from + i, target[i] as number);
    }
  }

  #tested(word: number, passing: number): number {
    const first = word * 32;
    if (first >= this.#short) return 0;
    let mask = passing;
    for (let rest = mask; rest !== 0; rest &= rest - 1) {
      const bit = lowestBit(rest);
      const place = first + bit;
      if (place < this.#enough) continue;
      const isShort = place >= this.#short || this.#test?.(this.#rowAt?.[place] ?? place) === false;
      if (isShort) mask &= ~(1 << bit);
    }
    return mask;
  }
}
