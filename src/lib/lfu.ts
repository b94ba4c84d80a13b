/**
 * A map bounded in entries that puts out what was asked for least often; among equals, what came to
 * that count first. Every operation is O(1): counts are a list of buckets in rising order, each a list
 * of entries in order of arrival (Shah, Mitra and Matani, "An O(1) algorithm for implementing the LFU
 * cache eviction scheme"). Counts are exact, and age: they are halved after `AGE_FACTOR` hits an entry.
 */

/** Hits per entry of the capacity between two halvings, so that old favourites can leave. */
const AGE_FACTOR = 10;

class Entry<Value> {
  readonly key: string;
  value: Value;
  bucket: Bucket<Value>;
  previous: Entry<Value> | undefined = undefined;
  next: Entry<Value> | undefined = undefined;

  constructor(key: string, value: Value, bucket: Bucket<Value>) {
    this.key = key;
    this.value = value;
    this.bucket = bucket;
  }
}

/** Entries of one count, oldest first. */
class Bucket<Value> {
  count: number;
  size = 0;
  first: Entry<Value> | undefined = undefined;
  last: Entry<Value> | undefined = undefined;
  previous: Bucket<Value> | undefined;
  next: Bucket<Value> | undefined;

  constructor(count: number, previous: Bucket<Value> | undefined, next: Bucket<Value> | undefined) {
    this.count = count;
    this.previous = previous;
    this.next = next;
  }

  append(entry: Entry<Value>): void {
    entry.bucket = this;
    entry.previous = this.last;
    entry.next = undefined;
    if (this.last === undefined) this.first = entry;
    else this.last.next = entry;
    this.last = entry;
    this.size++;
  }

  unlink({ previous, next }: Entry<Value>): void {
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    this.size--;
  }
}

/** The map. */
export class Lfu<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  #first: Bucket<Value> | undefined;
  #capacity: number;
  #hits = 0;

  constructor(capacity: number) {
    this.#capacity = checked(capacity);
  }

  /** Entries held. */
  get size(): number {
    return this.#entries.size;
  }

  /** Most entries that are held. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Whether `key` is there; not counted. */
  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** The value of `key`, as if nobody had asked. */
  peek(key: string): Value | undefined {
    return this.#entries.get(key)?.value;
  }

  /** The value of `key`, one more time asked for. */
  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#raise(entry);
    if (++this.#hits >= this.#capacity * AGE_FACTOR) this.#age();
    return entry.value;
  }

  /** Keeps `value`: in place and with its count when `key` is there, else as asked for once. */
  set(key: string, value: Value): void {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.value = value;
      return;
    }
    if (this.#capacity === 0) return;
    if (this.#entries.size >= this.#capacity) this.#evict();
    const bucket = this.#first?.count === 1 ? this.#first : this.#insert(1, undefined);
    const entry = new Entry(key, value, bucket);
    bucket.append(entry);
    this.#entries.set(key, entry);
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries.clear();
    this.#first = undefined;
    this.#hits = 0;
  }

  /** Changes the bound; what is over it leaves at once. Answers how many left. */
  resize(capacity: number): number {
    this.#capacity = checked(capacity);
    const before = this.#entries.size;
    while (this.#entries.size > capacity) this.#evict();
    return before - this.#entries.size;
  }

  /** How many entries have been asked for how often, in rising order. */
  distribution(): ReadonlyMap<number, number> {
    const sizes = new Map<number, number>();
    for (let at = this.#first; at !== undefined; at = at.next) sizes.set(at.count, at.size);
    return sizes;
  }

  #raise(entry: Entry<Value>): void {
    const from = entry.bucket;
    const count = from.count + 1;
    if (from.size === 1 && from.next?.count !== count) {
      from.count = count;
      return;
    }
    const to = from.next?.count === count ? from.next : this.#insert(count, from);
    from.unlink(entry);
    to.append(entry);
    if (from.size === 0) this.#drop(from);
  }

  /** A new bucket behind `after`, or in front of all. */
  #insert(count: number, after: Bucket<Value> | undefined): Bucket<Value> {
    const next = after === undefined ? this.#first : after.next;
    const bucket = new Bucket<Value>(count, after, next);
    if (next !== undefined) next.previous = bucket;
    if (after === undefined) this.#first = bucket;
    else after.next = bucket;
    return bucket;
  }

  #drop({ previous, next }: Bucket<Value>): void {
    if (next !== undefined) next.previous = previous;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
  }

  #evict(): void {
    const bucket = this.#first as Bucket<Value>;
    const entry = bucket.first as Entry<Value>;
    this.#entries.delete(entry.key);
    bucket.unlink(entry);
    if (bucket.size === 0) this.#drop(bucket);
  }

  /** Halves all counts; neighbours that become equal are joined, the rarer in front. */
  #age(): void {
    this.#hits = 0;
    let kept: Bucket<Value> | undefined;
    for (let at = this.#first; at !== undefined; at = at.next) {
      const count = Math.max(1, at.count >> 1);
      if (kept?.count !== count) {
        at.count = count;
        kept = at;
        continue;
      }
      for (let entry = at.first; entry !== undefined; ) {
        const { next }: Entry<Value> = entry;
        kept.append(entry);
        entry = next;
      }
      this.#drop(at);
    }
  }
}

function checked(capacity: number): number {
  if (Number.isInteger(capacity) && capacity >= 0) return capacity;
  throw new RangeError(`the capacity of a cache is a whole number from 0 on, not ${capacity}`);
}
