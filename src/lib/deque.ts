/** A queue with two ends over one growing ring: every operation is O(1). */

const FIRST_ROOM = 16;

/** The queue. It grows as it must; whoever bounds it asks `size`. */
export class Deque<T> {
  #items: (T | undefined)[] = Array.from({ length: FIRST_ROOM });
  #first = 0;
  #size = 0;

  /** Items held. */
  get size(): number {
    return this.#size;
  }

  /** Adds behind all. */
  push(item: T): void {
    if (this.#size === this.#items.length) this.#grow();
    this.#items[(this.#first + this.#size) & (this.#items.length - 1)] = item;
    this.#size++;
  }

  /** Adds in front of all. */
  unshift(item: T): void {
    if (this.#size === this.#items.length) this.#grow();
    this.#first = (this.#first - 1) & (this.#items.length - 1);
    this.#items[this.#first] = item;
    this.#size++;
  }

  /** Takes the first. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#items[this.#first];
    this.#items[this.#first] = undefined;
    this.#first = (this.#first + 1) & (this.#items.length - 1);
    this.#size--;
    return item;
  }

  /** Takes all, first to last. */
  takeAll(): T[] {
    const mask = this.#items.length - 1;
    const all = Array.from({ length: this.#size }, (_, i) => this.#items[(this.#first + i) & mask]);
    this.#items = Array.from({ length: FIRST_ROOM });
    this.#first = this.#size = 0;
    return all as T[];
  }

  #grow(): void {
    const { length } = this.#items;
    const items: (T | undefined)[] = Array.from({ length: length * 2 });
    for (let i = 0; i < this.#size; i++) items[i] = this.#items[(this.#first + i) & (length - 1)];
    this.#items = items;
    this.#first = 0;
  }
}
