/**
 * A map bounded in entries that puts out what was asked for least often; among equals, what came to
 * that count first. Every operation is O(1): counts are a list of buckets in rising order, each a list
 * of entries in order of arrival (Shah, Mitra and Matani, "An O(1) algorithm for implementing the LFU
 * cache eviction scheme"). Counts are exact, and age: they are halved after `AGE_FACTOR` hits an entry.
 *
 * The entry that leaves becomes the one that comes, and the map holds numbers. A map of V8 that keeps its
 * size grows new tables all the time, and each dead one refers to the next: if they held the entries,
 * everything that was ever kept would reach the old generation, at a third of the cost of a pairing.
 */

/** Hits per entry of the capacity between two halvings, so that old favourites can leave. */
const AGE_FACTOR = 10;

class Entry<Value> {
  /** Its place in the list of all entries. */
  slot: number;
  key = "";
  value: Value | undefined = undefined;
  bucket: Bucket<Value> | undefined = undefined;
  previous: Entry<Value> | undefined = undefined;
  next: Entry<Value> | undefined = undefined;

  constructor(slot: number) {
    this.slot = slot;
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
  /** The slot of each key. */
  readonly #slots = new Map<string, number>();
  readonly #entries: Entry<Value>[] = [];
  #first: Bucket<Value> | undefined;
  #capacity: number;
  #hits = 0;

  constructor(capacity: number) {
    this.#capacity = checked(capacity);
  }

  /** Entries held. */
  get size(): number {
    return this.#entries.length;
  }

  /** Most entries that are held. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Whether `key` is there; not counted. */
  has(key: string): boolean {
    return this.#slots.has(key);
  }

  /** The value of `key`, as if nobody had asked. */
  peek(key: string): Value | undefined {
    const slot = this.#slots.get(key);
    return slot === undefined ? undefined : this.#entries[slot]?.value;
  }

  /** The value of `key`, one more time asked for. */
  get(key: string): Value | undefined {
    const slot = this.#slots.get(key);
    if (slot === undefined) return undefined;
    const entry = this.#entries[slot] as Entry<Value>;
    this.#raise(entry);
    if (++this.#hits >= this.#capacity * AGE_FACTOR) this.#age();
    return entry.value;
  }

  /** Keeps `value`: in place and with its count when `key` is there, else as asked for once. */
  set(key: string, value: Value): void {
    const known = this.#slots.get(key);
    if (known !== undefined) {
      (this.#entries[known] as Entry<Value>).value = value;
      return;
    }
    if (this.#capacity === 0) return;
    const entry = this.size >= this.#capacity ? this.#evict() : this.#made();
    entry.key = key;
    entry.value = value;
    const bucket = this.#first?.count === 1 ? this.#first : this.#insert(1, undefined);
    bucket.append(entry);
    this.#slots.set(key, entry.slot);
  }

  /** Forgets everything. */
  clear(): void {
    this.#slots.clear();
    this.#entries.length = 0;
    this.#first = undefined;
    this.#hits = 0;
  }

  /** Changes the bound; what is over it leaves at once. Answers how many left. */
  resize(capacity: number): number {
    this.#capacity = checked(capacity);
    const before = this.size;
    while (this.size > capacity) this.#leave(this.#evict());
    return before - this.size;
  }

  /** How many entries have been asked for how often, in rising order. */
  distribution(): ReadonlyMap<number, number> {
    const sizes = new Map<number, number>();
    for (let at = this.#first; at !== undefined; at = at.next) sizes.set(at.count, at.size);
    return sizes;
  }

  #made(): Entry<Value> {
    const entry = new Entry<Value>(this.#entries.length);
    this.#entries.push(entry);
    return entry;
  }

  /** An entry is needed no more: the last one takes its slot. */
  #leave({ slot }: Entry<Value>): void {
    const last = this.#entries.pop() as Entry<Value>;
    if (last.slot === slot) return;
    last.slot = slot;
    this.#entries[slot] = last;
    this.#slots.set(last.key, slot);
  }

  #raise(entry: Entry<Value>): void {
    const from = entry.bucket as Bucket<Value>;
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

  #drop(bucket: Bucket<Value>): void {
    const { previous, next } = bucket;
    bucket.previous = bucket.next = undefined;
    if (next !== undefined) next.previous = previous;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
  }

  /** Takes the key from the entry that was asked for least; it is without a bucket now. */
  #evict(): Entry<Value> {
    const bucket = this.#first as Bucket<Value>;
    const entry = bucket.first as Entry<Value>;
    this.#slots.delete(entry.key);
    bucket.unlink(entry);
    if (bucket.size === 0) this.#drop(bucket);
    entry.value = undefined;
    return entry;
  }

  /** All entries of a bucket go into the one in front of it. */
  #join(kept: Bucket<Value>, from: Bucket<Value>): void {
    for (let entry = from.first; entry !== undefined; ) {
      const { next }: Entry<Value> = entry;
      kept.append(entry);
      entry = next;
    }
    this.#drop(from);
  }

  /** Halves all counts; neighbours that become equal are joined, the rarer in front. */
  #age(): void {
    this.#hits = 0;
    let kept: Bucket<Value> | undefined;
    for (let at = this.#first; at !== undefined; ) {
      // What is dropped knows no next any more.
      const { next }: Bucket<Value> = at;
      const count = Math.max(1, at.count >> 1);
      if (kept?.count === count) this.#join(kept, at);
      else {
        at.count = count;
        kept = at;
      }
      at = next;
    }
  }
}

function checked(capacity: number): number {
  if (Number.isInteger(capacity) && capacity >= 0) return capacity;
  throw new RangeError(`the capacity of a cache is a whole number from 0 on, not ${capacity}`);
}
