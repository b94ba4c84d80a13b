/**
 * The entries that this region writes, and what of them has to be said next.
 *
 * Changes go out as deltas; the whole map goes out now and then, and when another region shows that
 * it lacks something that it must have heard by now. Whether it must have is told by numbers alone:
 * a region that has heard message n has been sent every change that went out before it.
 */
import type { Entry } from "./replica.ts";

/** One change on its way: key, number, value; null is a deletion. */
export type Change<V> = readonly [key: string, sequence: number, value: V | null];

/** What one message carries. */
export type Portion<V> =
  | {
      readonly form: "delta";
      /** It holds every change after this one, */
      readonly from: number;
      /** up to this one. */
      readonly to: number;
      readonly changes: readonly Change<V>[];
    }
  | {
      /** A part of the whole map at change `to`. */
      readonly form: "whole";
      readonly to: number;
      readonly part: number;
      readonly parts: number;
      readonly changes: readonly Change<V>[];
    };

/** Keys that a region may share of one topic. */
export const MAX_KEYS = 20_000;
/** Longer keys are not shared: no region would take them. */
export const MAX_KEY_CHARS = 256;
/** Most JSON of one portion, well below what a message may weigh. */
const PORTION_BYTES = 96 * 1024;
/** Most JSON of one change: the longest key and pid with every character escaped, and its number. */
const CHANGE_BYTES = 2 * 1024;
/** Parts that a whole map may have, when each of its changes is as heavy as can be. */
export const MAX_PARTS = Math.ceil(MAX_KEYS / Math.floor(PORTION_BYTES / CHANGE_BYTES));
/** Time between two whole maps without a reason, ms. */
const WHOLE_EVERY_MS = 60_000;
/** Least time between two whole maps, ms. */
const WHOLE_LEAST_MS = 1_000;
/** Publications that are remembered, to know what others must have heard. */
const REMEMBERED = 64;

/** The entries of this region. */
export class OwnMap<V> {
  readonly #entries = new Map<string, Entry<V>>();
  readonly #dirty = new Set<string>();
  readonly #published: { readonly message: number; readonly change: number }[] = [];
  #sequence = 0;
  #said = 0;
  #wholeAtMs = Number.NEGATIVE_INFINITY;
  #isWholeWanted = true;
  #size = 0;
  /** Times that a key found no room, or was too long. */
  dropped = 0;

  /** Entries that are not deleted. */
  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key)?.value;
  }

  keys(): readonly string[] {
    return [...this.#entries].flatMap(([key, { value }]) => (value === undefined ? [] : [key]));
  }

  set(key: string, value: V): void {
    if (this.#entries.get(key)?.value === undefined) {
      if (this.#size >= MAX_KEYS || key.length > MAX_KEY_CHARS) {
        this.dropped++;
        return;
      }
      this.#size++;
    }
    this.#change(key, value);
  }

  delete(key: string): void {
    if (this.#entries.get(key)?.value === undefined) return;
    this.#size--;
    this.#change(key, undefined);
  }

  #change(key: string, value: V | undefined): void {
    this.#entries.set(key, { sequence: ++this.#sequence, value });
    this.#dirty.add(key);
  }

  /** Another region has heard our message `message`, and our changes up to `change`. */
  acknowledged(message: number, change: number): void {
    const due = this.#published.findLast((one) => one.message <= message);
    if (due !== undefined && change < due.change) this.#isWholeWanted = true;
  }

  /** What has to be said now; tell `published` when it went out. */
  next(nowMs: number): readonly Portion<V>[] {
    const ageMs = nowMs - this.#wholeAtMs;
    if ((this.#isWholeWanted && ageMs >= WHOLE_LEAST_MS) || ageMs >= WHOLE_EVERY_MS) {
      return this.#whole(nowMs);
    }
    return this.#delta();
  }

  /** The changes so far went out with our message `message`. */
  published(message: number): void {
    this.#published.push({ message, change: this.#said });
    if (this.#published.length > REMEMBERED) this.#published.shift();
  }

  #whole(nowMs: number): readonly Portion<V>[] {
    this.#isWholeWanted = false;
    this.#wholeAtMs = nowMs;
    this.#dirty.clear();
    const changes: Change<V>[] = [];
    for (const [key, { sequence, value }] of this.#entries) {
      if (value === undefined) this.#entries.delete(key);
      else changes.push([key, sequence, value]);
    }
    const to = this.#sequence;
    this.#said = to;
    const split = inPortions(changes);
    const parts = Math.max(1, split.length);
    return Array.from({ length: parts }, (_, part) => {
      return { form: "whole", to, part, parts, changes: split[part] ?? [] };
    });
  }

  #delta(): readonly Portion<V>[] {
    if (this.#dirty.size === 0) return [];
    const changes = [...this.#dirty].map((key): Change<V> => {
      const { sequence, value } = this.#entries.get(key) as Entry<V>;
      return [key, sequence, value ?? null];
    });
    this.#dirty.clear();
    changes.sort(([, a], [, b]) => a - b);
    const portions = inPortions(changes).map((some) => {
      const from = this.#said;
      this.#said = some.at(-1)?.[1] ?? from;
      return { form: "delta" as const, from, to: this.#said, changes: some };
    });
    return portions;
  }
}

/** In order, none heavier than a message may be. */
const inPortions = <V>(changes: readonly Change<V>[]): readonly (readonly Change<V>[])[] => {
  const portions: Change<V>[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const change of changes) {
    const weight = Buffer.byteLength(JSON.stringify(change)) + 1;
    if (bytes + weight > PORTION_BYTES) {
      portions.push([]);
      bytes = 0;
    }
    portions.at(-1)?.push(change);
    bytes += weight;
  }
  return portions;
};
