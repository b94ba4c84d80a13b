/**
 * A cache bounded in bytes that puts out what is asked for least often; among equals, what was not
 * asked for the longest. Every operation is O(1).
 *
 * Frequencies are 16 levels, each a list in order of use (Shah, Mitra and Matani, "An O(1) algorithm
 * for implementing the LFU cache eviction scheme"). They age as in TinyLFU: once per ten look-ups an
 * entry, all are halved by joining pairs of lists, so that yesterday's favourite goes as well.
 */

import { append, join, lists, LfuNode, unlink } from "./lfu-node.ts";

/** Why an entry left. */
export type LfuRemoval = "full" | "expired" | "group" | "replaced" | "deleted";

/** Bounds and bookkeeping of a cache. */
export interface LfuOptions<Value> {
  readonly maxBytes: number;
  /** What an entry costs beside its key and value, bytes. */
  readonly overheadBytes: number;
  readonly onRemove?: (value: Value, reason: LfuRemoval) => void;
}

/** How one entry is kept. */
export interface LfuPlacement {
  /** Bytes of the value. */
  readonly valueBytes: number;
  /** Entries of one group can be deleted together. */
  readonly group: string | undefined;
  /** From when on it is not served; Infinity for never. */
  readonly expiresAtMs: number;
}

const LEVELS = 16;
/** Look-ups per entry between two halvings, and the fewest between them. */
const AGE_FACTOR = 10;
const LEAST_AGE = 1_000;
/** Expiry is noticed by the second, and a minute ahead; later ones are looked at once a minute. */
const SLOT_MS = 1_000;
const SLOTS = 64;
/** Longer shifts wrap around. */
const MAX_SHIFT = 31;

/** The cache. Keys are latin1 text: one byte per char. */
export class LfuBytes<Value> {
  readonly #options: LfuOptions<Value>;
  readonly #nodes = new Map<string, LfuNode<Value>>();
  readonly #groups = new Map<string, LfuNode<Value>>();
  #levels = lists<Value>(LEVELS);
  readonly #slots = lists<Value>(SLOTS);
  #bytes = 0;
  #epoch = 0;
  #lookups = 0;
  #sweptSlot = Number.NEGATIVE_INFINITY;

  constructor(options: LfuOptions<Value>) {
    this.#options = options;
  }

  /** Entries held. */
  get size(): number {
    return this.#nodes.size;
  }

  /** Bytes held: keys, values and what each entry costs besides. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Most bytes that may be held. */
  get maxBytes(): number {
    return this.#options.maxBytes;
  }

  /** The value of `key`, or `undefined` when there is none or its time is over. */
  get(key: string, nowMs: number): Value | undefined {
    this.#countLookup();
    const node = this.#nodes.get(key);
    if (node === undefined) return undefined;
    if (node.expiresAtMs <= nowMs) {
      this.#remove(node, "expired");
      return undefined;
    }
    node.level = Math.min(this.#levelOf(node) + 1, LEVELS - 1);
    node.epoch = this.#epoch;
    unlink(node);
    append(this.#levels[node.level] as LfuNode<Value>, node);
    return node.value;
  }

  /** Keeps `value`; false when it alone is larger than the cache. */
  set(key: string, value: Value, placement: LfuPlacement): boolean {
    const { maxBytes, overheadBytes } = this.#options;
    const { valueBytes, group, expiresAtMs } = placement;
    const bytes = key.length + valueBytes + overheadBytes;
    const known = this.#nodes.get(key);
    if (known !== undefined) this.#remove(known, "replaced");
    if (bytes > maxBytes) return false;
    while (this.#bytes + bytes > maxBytes) this.#evict();
    const node = new LfuNode(key, value, bytes, group, expiresAtMs);
    node.epoch = this.#epoch;
    this.#nodes.set(key, node);
    this.#bytes += bytes;
    append(this.#levels[0] as LfuNode<Value>, node);
    if (group !== undefined) this.#join(group, node);
    if (expiresAtMs !== Infinity) this.#place(node);
    return true;
  }

  /** Forgets one entry; false when it was not there. */
  delete(key: string): boolean {
    const node = this.#nodes.get(key);
    if (node !== undefined) this.#remove(node, "deleted");
    return node !== undefined;
  }

  /** Forgets so many entries, the least asked for first; true when there are more. */
  drop(most: number): boolean {
    for (let left = most; left > 0 && this.#nodes.size > 0; left--) this.#evict();
    return this.#nodes.size > 0;
  }

  /** Forgets all entries of a group; answers how many they were. */
  deleteGroup(group: string): number {
    let count = 0;
    for (let node = this.#groups.get(group); node !== undefined; count++) {
      const next: LfuNode<Value> | undefined = node.groupNext;
      this.#remove(node, "group");
      node = next;
    }
    return count;
  }

  /**
   * Forgets what ran out of time, about `most` entries at once; call it about once a second. True
   * when there is more to do at once.
   */
  sweep(nowMs: number, most = Infinity): boolean {
    const last = Math.floor(nowMs / SLOT_MS);
    let left = most;
    // Slots repeat after one turn: a longer pause needs each of them only once.
    for (let slot = Math.max(this.#sweptSlot + 1, last - SLOTS + 1); slot <= last; slot++) {
      const head = this.#slots[slot & (SLOTS - 1)] as LfuNode<Value>;
      let node = head.slotNext;
      while (node !== head) {
        const next = node.slotNext;
        if (node.expiresAtMs <= nowMs) {
          if (left-- <= 0) return true;
          this.#remove(node, "expired");
        }
        node = next;
      }
      this.#sweptSlot = slot;
    }
    return false;
  }

  #evict(): void {
    for (const head of this.#levels) {
      if (head.next === head) continue;
      this.#remove(head.next, "full");
      return;
    }
    throw new Error("a cache without entries holds bytes");
  }

  #remove(node: LfuNode<Value>, reason: LfuRemoval): void {
    this.#nodes.delete(node.key);
    this.#bytes -= node.bytes;
    unlink(node);
    node.slotPrevious.slotNext = node.slotNext;
    node.slotNext.slotPrevious = node.slotPrevious;
    if (node.group !== undefined) this.#leave(node.group, node);
    this.#options.onRemove?.(node.value, reason);
  }

  #levelOf(node: LfuNode<Value>): number {
    return node.level >> Math.min(this.#epoch - node.epoch, MAX_SHIFT);
  }

  #countLookup(): void {
    if (++this.#lookups < Math.max(LEAST_AGE, AGE_FACTOR * this.#nodes.size)) return;
    this.#lookups = 0;
    this.#epoch++;
    const older = this.#levels;
    this.#levels = lists(LEVELS);
    for (let level = 0; level < LEVELS; level++) {
      join(this.#levels[level >> 1] as LfuNode<Value>, older[level] as LfuNode<Value>);
    }
  }

  #join(group: string, node: LfuNode<Value>): void {
    const first = this.#groups.get(group);
    node.groupNext = first;
    if (first !== undefined) first.groupPrevious = node;
    this.#groups.set(group, node);
  }

  #leave(group: string, node: LfuNode<Value>): void {
    const { groupPrevious, groupNext } = node;
    if (groupNext !== undefined) groupNext.groupPrevious = groupPrevious;
    if (groupPrevious !== undefined) groupPrevious.groupNext = groupNext;
    else if (groupNext !== undefined) this.#groups.set(group, groupNext);
    else this.#groups.delete(group);
  }

  /** Lists a new node where the sweep will look when its time is over, or a minute from now. */
  #place(node: LfuNode<Value>): void {
    const slot = Math.max(slotOf(node), this.#sweptSlot + 1);
    const head = this.#slots[slot & (SLOTS - 1)] as LfuNode<Value>;
    const last = head.slotPrevious;
    last.slotNext = node;
    node.slotPrevious = last;
    node.slotNext = head;
    head.slotPrevious = node;
  }
}

/** The first slot that begins when the entry's time is over. */
function slotOf<Value>(node: LfuNode<Value>): number {
  return Math.ceil(node.expiresAtMs / SLOT_MS);
}
