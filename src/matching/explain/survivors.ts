/** Who is left after each filter, whom it refuses by itself, and whom nobody else refuses. */
import { lowestBit, popcount, wordsFor } from "../../lib/bits.ts";
import type { Binding } from "../binding.ts";
import { Conjunction } from "../paths/conjunction.ts";
import type { BoundFilter } from "../filters/filter.ts";
import { ALIVE } from "../index/bit-table.ts";
import type { Layout } from "../index/layout.ts";
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

/** Counts for every filter of a binding. */
export function survivorsOf(binding: Binding): FilterReport[] {
  const { filters } = binding;
  const { masks, alive, words } = viewOf(binding);
  const count = masks.length;
  const left = new Float64Array(count);
  const alone = new Float64Array(count);
  const sole = new Float64Array(count);
  const refused = new Int32Array(count);
  for (let word = 0; word < words; word++) {
    const here = alive[word] as number;
    if (here === 0) continue;
    let remaining = here;
    let once = 0;
    let twice = 0;
    for (let i = 0; i < count; i++) {
      const mask = (masks[i] as FilterMask).at(word);
      const out = here & ~mask;
      refused[i] = out;
      twice |= once & out;
      once |= out;
      remaining &= mask;
      if (remaining !== 0) left[i] = (left[i] as number) + popcount(remaining);
      if (out !== 0) alone[i] = (alone[i] as number) + popcount(out);
    }
    if (once === twice) continue;
    for (let i = 0; i < count; i++) {
      const only = (refused[i] as number) & ~twice;
      if (only !== 0) sole[i] = (sole[i] as number) + popcount(only);
    }
  }
  return filters.map(({ name, isTransient }, i) => ({
    filter: name,
    left: left[i] as number,
    alone: alone[i] as number,
    sole: sole[i] as number,
    transient: isTransient,
  }));
}

/** The filters over words: by rank where an order knows who has the stake, else by row. */
export interface MaskView {
  readonly layout: Layout | undefined;
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
    return new FilterMask(where, testOf(filter), layout?.rowAt, span?.enough ?? 0, span?.short);
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

/** Those that one filter lets pass, 32 at a time. */
class FilterMask {
  readonly #where: Conjunction;
  readonly #test: ((row: number) => boolean) | undefined;
  readonly #rowAt: Uint32Array | undefined;
  /** Places below `enough` pass the test, those from `short` on fail it. */
  readonly #enough: number;
  readonly #short: number;

  constructor(
    where: Conjunction,
    test: ((row: number) => boolean) | undefined,
    rowAt: Uint32Array | undefined,
    enough: number,
    short = Number.POSITIVE_INFINITY,
  ) {
    this.#where = where;
    this.#test = test;
    this.#rowAt = rowAt;
    this.#enough = enough;
    this.#short = short;
  }

  at(word: number): number {
    const first = word * 32;
    if (first >= this.#short) return 0;
    let mask = this.#where.at(word);
    const test = this.#test;
    if (test === undefined || first + 32 <= this.#enough) return mask;
    for (let rest = mask; rest !== 0; rest &= rest - 1) {
      const bit = lowestBit(rest);
      const place = first + bit;
      if (place < this.#enough) continue;
      if (place >= this.#short || !test(this.#rowAt?.[place] ?? place)) mask &= ~(1 << bit);
    }
    return mask;
  }
}
