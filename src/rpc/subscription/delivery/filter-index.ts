/**
 * Finds the filters that a log matches without testing each: a filter stands in the buckets of one of
 * its conditions, and a log looks only into the buckets of its own address and topics.
 *
 * The condition is chosen when the filter comes: the one whose fullest bucket is emptiest, so that a
 * thousand filters on one token, told apart by a later topic, do not end in one bucket. The first
 * topic names the kind of event, which most logs of a chain share, so it counts for more.
 */
import { matchesLog, type LogFilter } from "./filter.ts";

/** Where a condition stands in a log: its address, or topic 0 to 3. */
type Place = 0 | 1 | 2 | 3 | 4;

/** The address. */
const ADDRESS = 0;
/** The order in which equally empty places are preferred. */
const PLACES: readonly Place[] = [ADDRESS, 2, 3, 4, 1];
const EVENT = 1;
/** A filter in a bucket of the first topic is met by about as many logs as this many elsewhere. */
const EVENT_WEIGHT = 8;

/** Things with a filter. */
export interface Filtered {
  readonly filter: LogFilter | undefined;
}

/** An index of things by their filters. */
export class FilterIndex<T extends Filtered> {
  readonly #buckets: readonly Map<string, Set<T>>[] = PLACES.map(() => new Map());
  /** Those whose filter has no condition but a number of topics. */
  readonly #open = new Set<T>();
  readonly #placeOf = new Map<T, Place | undefined>();

  /** Filters that are held. */
  get size(): number {
    return this.#placeOf.size;
  }

  add(one: T): void {
    if (this.#placeOf.has(one)) return;
    const place = this.#choose(one.filter);
    this.#placeOf.set(one, place);
    if (place === undefined) {
      this.#open.add(one);
      return;
    }
    const buckets = this.#bucketsAt(place);
    for (const value of conditionAt(one.filter, place) ?? []) {
      const bucket = buckets.get(value);
      if (bucket === undefined) buckets.set(value, new Set([one]));
      else bucket.add(one);
    }
  }

  delete(one: T): void {
    const place = this.#placeOf.get(one);
    if (!this.#placeOf.delete(one)) return;
    if (place === undefined) {
      this.#open.delete(one);
      return;
    }
    const buckets = this.#bucketsAt(place);
    for (const value of conditionAt(one.filter, place) ?? []) {
      const bucket = buckets.get(value);
      bucket?.delete(one);
      if (bucket?.size === 0) buckets.delete(value);
    }
  }

  /** Puts all whose filter takes a log with this address and these topics (lower-case) into `found`. */
  match(address: string, topics: readonly string[], found: T[]): void {
    this.#test(this.#bucketsAt(ADDRESS).get(address), address, topics, found);
    for (let at = 0; at < topics.length; at++) {
      const buckets = this.#buckets[at + 1];
      if (buckets === undefined || buckets.size === 0) continue;
      this.#test(buckets.get(topics[at] ?? ""), address, topics, found);
    }
    this.#test(this.#open, address, topics, found);
  }

  #test(
    candidates: ReadonlySet<T> | undefined,
    address: string,
    topics: readonly string[],
    found: T[],
  ): void {
    if (candidates === undefined) return;
    for (const one of candidates) {
      if (one.filter === undefined || matchesLog(one.filter, address, topics)) found.push(one);
    }
  }

  #choose(filter: LogFilter | undefined): Place | undefined {
    let best: Place | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const place of PLACES) {
      const values = conditionAt(filter, place);
      if (values === undefined) continue;
      const cost = this.#fullest(place, values) * (place === EVENT ? EVENT_WEIGHT : 1);
      if (cost >= least) continue;
      best = place;
      least = cost;
    }
    return best;
  }

  /** What the fullest of these buckets would hold with one more. */
  #fullest(place: Place, values: ReadonlySet<string>): number {
    const buckets = this.#bucketsAt(place);
    let most = 0;
    for (const value of values) most = Math.max(most, buckets.get(value)?.size ?? 0);
    return most + 1;
  }

  #bucketsAt(place: Place): Map<string, Set<T>> {
    return this.#buckets[place] as Map<string, Set<T>>;
  }
}

const conditionAt = (
  filter: LogFilter | undefined,
  place: Place,
): ReadonlySet<string> | undefined =>
  place === ADDRESS ? filter?.addresses : filter?.topics[place - 1];
