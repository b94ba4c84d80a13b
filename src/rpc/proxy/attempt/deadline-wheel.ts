/**
 * One timer for all deadlines: a hashed wheel of intrusive lists (Varghese and Lauck, scheme 6).
 * Adding and removing cost a few pointer writes; somebody else's clock calls `advance`.
 */

/** Something that can run out of time. */
export interface Expirable {
  expiresAtMs: number;
  wheelNext: Expirable | undefined;
  wheelPrevious: Expirable | undefined;
  onExpire(nowMs: number): void;
}

/** Milliseconds per slot: how late a deadline may be noticed, besides the caller's own tick. */
const SLOT_MS = 5;
const SLOTS = 1024;

function sentinel(): Expirable {
  const node: Expirable = {
    expiresAtMs: 0,
    wheelNext: undefined,
    wheelPrevious: undefined,
    onExpire: () => undefined,
  };
  node.wheelNext = node;
  node.wheelPrevious = node;
  return node;
}

function link(head: Expirable, entry: Expirable): void {
  const last = head.wheelPrevious as Expirable;
  last.wheelNext = entry;
  entry.wheelPrevious = last;
  entry.wheelNext = head;
  head.wheelPrevious = entry;
}

/** Deadlines of everything in flight. */
export class DeadlineWheel {
  /** Hears of the first deadline that is armed: somebody has to call `advance` from now on. */
  onFirst: () => void = () => undefined;
  readonly #slots = Array.from({ length: SLOTS }, sentinel);
  readonly #expired = sentinel();
  #tick = -1;
  #size = 0;

  /** Number of deadlines that are running. */
  get size(): number {
    return this.#size;
  }

  /** Arms `entry` for `atMs`; an entry that is armed already must be removed first. */
  add(entry: Expirable, atMs: number): void {
    entry.expiresAtMs = atMs;
    const tick = Math.max(Math.ceil(atMs / SLOT_MS), this.#tick + 1);
    link(this.#slots[tick & (SLOTS - 1)] as Expirable, entry);
    if (this.#size++ === 0) this.onFirst();
  }

  /** Disarms `entry`; does nothing when it is not armed. */
  remove(entry: Expirable): void {
    const next = entry.wheelNext;
    if (next === undefined) return;
    const previous = entry.wheelPrevious as Expirable;
    previous.wheelNext = next;
    next.wheelPrevious = previous;
    entry.wheelNext = undefined;
    entry.wheelPrevious = undefined;
    this.#size--;
  }

  /** Runs out whatever was due by `nowMs`. */
  advance(nowMs: number): void {
    const last = Math.floor(nowMs / SLOT_MS);
    if (this.#size > 0) {
      // Slots repeat after one turn: a longer pause needs each of them only once.
      for (let tick = Math.max(this.#tick + 1, last - SLOTS + 1); tick <= last; tick++) {
        this.#sweep(this.#slots[tick & (SLOTS - 1)] as Expirable, nowMs);
      }
    }
    this.#tick = Math.max(this.#tick, last);
    for (;;) {
      // A callback may disarm others that are due, so the list is read anew each time.
      const entry = this.#expired.wheelNext as Expirable;
      if (entry === this.#expired) return;
      this.remove(entry);
      entry.onExpire(nowMs);
    }
  }

  #sweep(head: Expirable, nowMs: number): void {
    let entry = head.wheelNext as Expirable;
    while (entry !== head) {
      const next = entry.wheelNext as Expirable;
      if (entry.expiresAtMs <= nowMs) {
        this.remove(entry);
        link(this.#expired, entry);
        this.#size++;
      }
      entry = next;
    }
  }
}
