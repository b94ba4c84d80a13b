/** A market that another thread owns, to be matched in and not to be written. */
import { BitTable } from "../index/bit-table.ts";
import { Column, StakeColumn } from "../index/columns.ts";
import type { DerivedView } from "../index/derived.ts";
import { idAt } from "../index/id-bytes.ts";
import { Labels } from "../index/labels.ts";
import { SHARED_MEMORY } from "../index/memory.ts";
import { Owners } from "../index/owners.ts";
import { type Part, partKeyOf, termsOf } from "../index/part.ts";
import { ProviderIndex } from "../index/provider-index.ts";
import type { BoundedSums } from "../index/score-board.ts";
import type { RankOrder } from "../index/static-order.ts";
import { BUILT_IN } from "../scorers/built-in.ts";
import type { IndexImage, LabelImage, PartImage } from "./image.ts";

/** The view of an image. Whoever reads it asks `isTorn` afterwards. */
export function viewOf(image: IndexImage): ProviderIndex {
  const bits = BitTable.over(SHARED_MEMORY, image.words, image.counts);
  const labels = (kind: string, { names, slots }: LabelImage): Labels =>
    Labels.over(kind, bits, names, slots);
  const columns = image.columns.map(({ name, isFact, values }) => {
    const column = new Column(name, isFact, SHARED_MEMORY, 0);
    column.values = values;
    return [name, column] as const;
  });
  // Without the owner's private parts: whatever writes fails.
  const view = Object.create(ProviderIndex.prototype) as ProviderIndex;
  return Object.assign(view, {
    schema: image.schema,
    memory: SHARED_MEMORY,
    bits,
    locations: labels("location", image.locations),
    features: labels("feature", image.features),
    states: labels("state", image.states),
    owners: new Owners(),
    stakes: StakeColumn.over(SHARED_MEMORY, image.stakes.high, image.stakes.low),
    columns: new Map(columns),
    ids: idsOf(image),
    derived: new SharedDerived(image),
    clock: image.clock,
    locationOf: image.locationOf,
    featureCount: image.featureCount,
    capacity: image.capacity,
    size: image.size,
    version: image.version,
    signalVersion: image.signalVersion,
    structure: 0,
  });
}

/**
 * Whether the market may have changed since the image was made. An addition of nothing, because it also
 * keeps the reads before it from being done after it.
 */
export const isTorn = ({ clock, atClock }: IndexImage): boolean =>
  Atomics.add(clock, 0, 0) !== atClock;

/** Ids are read when they are asked for: to break ties, seldom. */
const idsOf = ({ ids, rows }: IndexImage): readonly string[] =>
  new Proxy<string[]>([], {
    get: (_, key) => {
      if (key === "length") return rows;
      return typeof key === "string" ? idAt(ids, Number(key)) : undefined;
    },
  });

/** Orders and boards as their owner keeps them; there are no others. */
class SharedDerived implements DerivedView {
  readonly #orders = new Map<string, Omit<RankOrder, "parts" | "terms">>();
  readonly #boards = new Map<string, BoundedSums>();
  readonly #made = new Map<string, RankOrder>();

  constructor({ orders, boards }: IndexImage) {
    for (const { parts, ...order } of orders) {
      this.#orders.set(keyOf(parts), { ...order, generation: 0, usedAt: 0 });
    }
    for (const { parts, ...board } of boards) {
      this.#boards.set(keyOf(parts), { ...board, usedAt: 0 });
    }
  }

  order(parts: readonly Part[]): RankOrder | undefined {
    const key = keyOfBound(parts);
    const known = this.#made.get(key);
    const shared = this.#orders.get(key);
    if (known !== undefined || shared === undefined) return known;
    const order = { ...shared, parts, terms: termsOf(parts) };
    this.#made.set(key, order);
    return order;
  }

  hasOrder(parts: readonly Part[]): boolean {
    return this.#orders.has(keyOfBound(parts));
  }

  board(parts: readonly Part[]): BoundedSums | undefined {
    return this.#boards.get(keyOfBound(parts));
  }

  use(): void {}
}

const keyOf = (parts: readonly PartImage[]): string =>
  parts.map(({ scorer, weight }) => `${partKeyOf(BUILT_IN[scorer])}*${weight}`).join("+");

const keyOfBound = (parts: readonly Part[]): string =>
  parts.map(({ key, term }) => `${key}*${term.weight}`).join("+");
