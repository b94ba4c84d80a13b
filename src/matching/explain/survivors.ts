/** Who is left after each filter, whom it refuses by itself, and whom nobody else refuses. */
import { lowestBit, popcount, wordsFor } from "../../lib/bits.ts";
import type { Binding } from "../binding.ts";
import { Conjunction } from "../paths/conjunction.ts";
import type { BoundFilter } from "../filters/filter.ts";
import { ALIVE } from "../index/bit-table.ts";
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
const BLOCK = 256;

/** Counts for every filter of a binding. */
export function survivorsOf(binding: Binding): FilterReport[] {
  const { filters, index } = binding;
  const { masks, alive, words } = viewOf(binding);
  const counts = masks.map(() => ({ left: 0, passed: 0, sole: 0 }));
  const tally = spare.pop() ?? new Tally();
  const passing = masks.map((_, i) => tally.buffer(i));
  for (let from = 0; from < words; from += BLOCK) {
    const length = Math.min(BLOCK, words - from);
    tally.begin(alive, from, length);
    for (const [i, mask] of masks.entries()) {
      const count = counts[i] as Counts;
      const words = passing[i] as Int32Array;
      mask.fill(words, from, length);
      tally.add(words);
      if (mask.label === undefined) count.passed += tally.count(words);
      if (i > 0) count.left += tally.countLeft();
    }
    for (const [i, count] of counts.entries())
      count.sole += tally.countSole(passing[i] as Int32Array);
  }
  spare.push(tally);
  return filters.map(({ name, isTransient }, i) => {
    const { left, passed, sole } = counts[i] as Counts;
    const slot = masks[i]?.label;
    const all = slot === undefined ? passed : (index.bits.counts[slot] as number);
    // What passes the first filter is what is left after it.
    return {
      filter: name,
      left: i === 0 ? all : left,
      alone: index.size - all,
      sole,
      transient: isTransient,
    };
  });
}

/** Tallies that are not in use; a filter may itself ask for a report, so one would not do. */
const spare: Tally[] = [];

interface Counts {
  left: number;
  passed: number;
  sole: number;
}

/** Bits of one block of words, filter after filter. */
class Tally {
  readonly #buffers: Int32Array[] = [];
  readonly #alive = new Int32Array(BLOCK);
  readonly #left = new Int32Array(BLOCK);
  /** Refused by at least one, and by at least two filters. */
  readonly #once = new Int32Array(BLOCK);
  readonly #twice = new Int32Array(BLOCK);
  #length = 0;

  /** Room for what the `at`-th filter lets pass. */
  buffer(at: number): Int32Array {
    this.#buffers[at] ??= new Int32Array(BLOCK);
    return this.#buffers[at];
  }

  begin(alive: Int32Array, from: number, length: number): void {
    this.#length = length;
    for (let i = 0; i < length; i++) this.#alive[i] = this.#left[i] = alive[from + i] as number;
    this.#once.fill(0);
    this.#twice.fill(0);
  }

  /** Takes what a filter lets pass. */
  add(passing: Int32Array): void {
    const [alive, left, once, twice] = [this.#alive, this.#left, this.#once, this.#twice];
    for (let i = 0; i < this.#length; i++) {
      const mask = passing[i] as number;
      const refused = (alive[i] as number) & ~mask;
      twice[i] = (twice[i] as number) | ((once[i] as number) & refused);
      once[i] = (once[i] as number) | refused;
      left[i] = (left[i] as number) & mask;
    }
  }

  countLeft(): number {
    return this.count(this.#left);
  }

  count(words: Int32Array): number {
    let count = 0;
    for (let i = 0; i < this.#length; i++) count += popcount(words[i] as number);
    return count;
  }

  countSole(passing: Int32Array): number {
    const [alive, twice] = [this.#alive, this.#twice];
    let count = 0;
    for (let i = 0; i < this.#length; i++) {
      const refused = (alive[i] as number) & ~((passing[i] as number) | (twice[i] as number));
      if (refused !== 0) count += popcount(refused);
    }
    return count;
  }
}

/** The filters over words: by rank where an order knows who has the stake, else by row. */
export interface MaskView {
  readonly layout: RankedRows | undefined;
  readonly masks: readonly FilterMask[];
  readonly alive: Int32Array;
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
  const view = { layout, masks, alive: bits[ALIVE] as Int32Array, words };
  binding.maskView = view;
  return view;
}

/** An order is not worth making for the report of so few. */
const FEW_ROWS = 256;

function testOf({ clauses, listed, test }: BoundFilter): ((row: number) => boolean) | undefined {
  if (clauses.some(({ slots, isNegated }) => slots.length === 0 && !isNegated)) return () => false;
  if (listed === undefined) return test;
  const rows = new Set(listed);
  return (row) => rows.has(row);
}

/** The slot of the one label that a filter asks for, if that is all it asks: its count is known. */
function labelOf({ clauses, listed, test }: BoundFilter): number | undefined {
  const [clause, more] = clauses;
  if (more !== undefined || listed !== undefined || test !== undefined) return undefined;
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
