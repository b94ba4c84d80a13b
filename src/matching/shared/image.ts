/**
 * A market as another thread gets it: its arrays, which both threads read, and the few names and numbers
 * beside them. It holds for as long as the clock shows what it showed.
 */
import type { IdImage } from "../index/id-bytes.ts";
import type { Labels } from "../index/labels.ts";
import type { RankedRows } from "../index/layout.ts";
import type { Part } from "../index/part.ts";
import type { ProviderIndex } from "../index/provider-index.ts";
import type { MarketSchema } from "../provider.ts";
import { builtInName, type ScorerName } from "../scorers/built-in.ts";

/** Names and bitsets of one kind of label. */
export interface LabelImage {
  readonly names: readonly string[];
  readonly slots: readonly number[];
}

/** A weighted scorer by its kind. */
export interface PartImage {
  readonly scorer: ScorerName;
  readonly weight: number;
}

/** An order of the market. */
export interface OrderImage {
  readonly parts: readonly PartImage[];
  readonly layout: RankedRows;
  readonly moved: readonly number[];
  readonly minGap: number;
}

/** A score board of the market. */
export interface BoardImage {
  readonly parts: readonly PartImage[];
  readonly base: Float32Array;
  readonly wordMax: Float32Array;
  readonly blockMax: Float32Array;
}

/** The market. */
export interface IndexImage {
  /** Tells one image from another. */
  readonly id: number;
  readonly clock: Int32Array;
  /** What the clock shows as long as the image holds. */
  readonly atClock: number;
  readonly schema: MarketSchema;
  readonly capacity: number;
  readonly size: number;
  readonly version: number;
  readonly signalVersion: number;
  /** Rows that hold or held a provider. */
  readonly rows: number;
  readonly words: readonly Int32Array[];
  readonly counts: readonly number[];
  readonly locations: LabelImage;
  readonly features: LabelImage;
  readonly states: LabelImage;
  readonly locationOf: Uint8Array;
  readonly featureCount: Uint16Array;
  readonly stakes: { readonly high: Float64Array; readonly low: Float64Array | undefined };
  readonly columns: readonly {
    readonly name: string;
    readonly isFact: boolean;
    readonly values: Float64Array;
  }[];
  readonly ids: IdImage;
  readonly orders: readonly OrderImage[];
  readonly boards: readonly BoardImage[];
}

let lastId = 0;

/** The image of a market in shared memory; undefined of one that is not. */
export function imageOf(index: ProviderIndex): IndexImage | undefined {
  const { clock, bits, derived } = index;
  const { shared } = index.names;
  if (clock === undefined || shared === undefined) return undefined;
  return {
    id: ++lastId,
    clock,
    atClock: Atomics.load(clock, 0),
    schema: index.schema,
    capacity: index.capacity,
    size: index.size,
    version: index.version,
    signalVersion: index.signalVersion,
    rows: index.ids.length,
    words: [...bits.words],
    counts: [...bits.counts],
    locations: labelImage(index.locations),
    features: labelImage(index.features),
    states: labelImage(index.states),
    locationOf: index.locationOf,
    featureCount: index.featureCount,
    stakes: { high: index.stakes.high, low: index.stakes.low },
    columns: [...index.columns.values()].map(({ name, isFact, values }) => ({
      name,
      isFact,
      values,
    })),
    ids: { bytes: shared.bytes, offsets: shared.offsets, lengths: shared.lengths },
    orders: [...derived.orders].flatMap(({ parts, layout, moved, minGap }) => {
      const images = partImages(parts);
      if (images === undefined) return [];
      const { rowAt, keyAt, bits: byRank, length } = layout;
      const ranked = { rowAt, keyAt, bits: [...byRank], length };
      return [{ parts: images, layout: ranked, moved: [...moved], minGap }];
    }),
    boards: [...derived.boards].flatMap(({ parts, base, wordMax, blockMax }) => {
      const images = partImages(parts);
      return images === undefined ? [] : [{ parts: images, base, wordMax, blockMax }];
    }),
  };
}

/** Whether an image still shows the market, and all its orders and boards. */
export const isCurrent = (image: IndexImage, index: ProviderIndex): boolean =>
  image.clock === index.clock &&
  Atomics.load(image.clock, 0) === image.atClock &&
  image.version === index.version &&
  image.orders.length === count(index.derived.orders) &&
  image.boards.length === count(index.derived.boards);

const count = (items: Iterable<unknown>): number => [...items].length;

const labelImage = ({ names, slots }: Labels): LabelImage => ({
  names: [...names],
  slots: [...slots],
});

/** Undefined for parts with a scorer that only this thread knows. */
function partImages(parts: readonly Part[]): PartImage[] | undefined {
  const images = parts.flatMap(({ scorer, term }): PartImage[] => {
    const name = builtInName(scorer);
    return name === undefined ? [] : [{ scorer: name, weight: term.weight }];
  });
  return images.length === parts.length ? images : undefined;
}
