/** What is going to happen outside the tree: a queue of callbacks in order of time, then of making. */

interface Item {
  readonly atMs: number;
  readonly seq: number;
  readonly run: () => void;
}

/** A heap of future callbacks; whole milliseconds, so that the node's clock meets every one. */
export class Agenda {
  readonly #now: () => number;
  readonly #heap: Item[] = [];
  #seq = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Time of the first item, ms; Infinity when there is none. */
  get nextMs(): number {
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** Runs `run` in `delayMs`, a millisecond at least: nothing on a wire happens at once. */
  after(delayMs: number, run: () => void): void {
    this.at(this.#now() + delayMs, run);
  }

  /** Runs `run` at `atMs`, never at the present instant. */
  at(atMs: number, run: () => void): void {
    const item = { atMs: Math.max(Math.ceil(atMs), this.#now() + 1), seq: this.#seq++, run };
    this.#heap.push(item);
    this.#rise(this.#heap.length - 1);
  }

  /** Runs what is due at the present instant; false when nothing was. */
  runDue(): boolean {
    const nowMs = this.#now();
    let hasRun = false;
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.atMs > nowMs) break;
      this.#removeFirst();
      first.run();
      hasRun = true;
    }
    return hasRun;
  }

  #removeFirst(): void {
    const last = this.#heap.pop() as Item;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink();
  }

  #rise(from: number): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(heap[at] as Item, heap[above] as Item)) return;
      swap(heap, at, above);
      at = above;
    }
  }

  #sink(): void {
    const heap = this.#heap;
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        const item = heap[child];
        if (item !== undefined && isBefore(item, heap[least] as Item)) least = child;
      }
      if (least === at) return;
      swap(heap, at, least);
      at = least;
    }
  }
}

const isBefore = (a: Item, b: Item): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.seq < b.seq);

const swap = (heap: Item[], a: number, b: number): void => {
  const item = heap[a] as Item;
  heap[a] = heap[b] as Item;
  heap[b] = item;
};
