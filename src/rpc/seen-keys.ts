/**
 * Which events were seen already: the long memory of deduplication.
 *
 * A Map from key to a slot of a ring in order of first arrival. When full, the oldest tenth goes in
 * one pass (deleting the first key per insert makes V8 walk its deleted slots: 1.3 us instead of
 * 50 ns). A duplicate never refreshes an entry's age, so a flood of them pins nothing.
 */

/** What an arrival is: new, a further provider's copy, or the same provider saying it again. */
export type SeenVerdict = "first" | "duplicate" | "again";

/** Bounds of a memory of seen keys. */
export interface SeenKeysOptions {
  /** Keys kept at most. */
  readonly capacity: number;
  /** Age after which a key is forgotten, ns. */
  readonly ttlNs: number;
}

/** Remembers keys for a time and up to a number, each with the lanes (0..31) that delivered it. */
export class SeenKeys {
  readonly capacity: number;
  readonly #ttlNs: number;
  readonly #batch: number;
  #slots = new Map<string, number>();
  readonly #keys: (string | undefined)[];
  readonly #firstNs: Float64Array;
  readonly #lanes: Uint32Array;
  /** Slot of the key that arrived last; keys get consecutive slots in order of first arrival. */
  slot = -1;
  /** Oldest slot, and how many slots from there are taken (holes of expired keys included). */
  #oldest = 0;
  #taken = 0;
  #evictions = 0;
  #expiries = 0;

  constructor(options: SeenKeysOptions) {
    this.capacity = Math.max(1, Math.floor(options.capacity));
    this.#ttlNs = options.ttlNs;
    this.#batch = Math.max(1, Math.floor(this.capacity / 10));
    this.#keys = Array.from({ length: this.capacity }, () => undefined);
    this.#firstNs = new Float64Array(this.capacity);
    this.#lanes = new Uint32Array(this.capacity);
  }

  /** Notes that `lane` delivered `key` at `atNs`. Amortised O(1). */
  arrive(key: string, lane: number, atNs: number): SeenVerdict {
    const slot = this.#slots.get(key);
    if (slot !== undefined) {
      if (atNs - (this.#firstNs[slot] as number) <= this.#ttlNs) return this.#repeat(slot, lane);
      // Out of age but not yet swept: it is new again, and its old slot becomes a hole.
      this.#keys[slot] = undefined;
      this.#slots.delete(key);
      this.#expiries++;
    }
    if (this.#taken === this.capacity) this.#evict();
    let next = this.#oldest + this.#taken;
    if (next >= this.capacity) next -= this.capacity;
    this.#taken++;
    this.#slots.set(key, next);
    this.#keys[next] = key;
    this.#firstNs[next] = atNs;
    this.#lanes[next] = 1 << lane;
    this.slot = next;
    return "first";
  }

  /**
   * Notes that `lane` delivered the key in `slot`, as a further provider's copy, and answers the key;
   * undefined, with nothing noted, when it is anything else.
   */
  copied(slot: number, lane: number, atNs: number): string | undefined {
    const key = this.#keys[slot];
    const bit = 1 << lane;
    const lanes = this.#lanes[slot] as number;
    if (key === undefined || (lanes & bit) !== 0) return undefined;
    if (atNs - (this.#firstNs[slot] as number) > this.#ttlNs) return undefined;
    this.#lanes[slot] = lanes | bit;
    return key;
  }

  /** True when the key is remembered; changes nothing. */
  has(key: string): boolean {
    return this.#slots.has(key);
  }

  /** Forgets what is out of age; returns how many keys went. */
  sweep(nowNs: number): number {
    const before = this.#slots.size;
    while (this.#taken > 0 && nowNs - (this.#firstNs[this.#oldest] as number) > this.#ttlNs) {
      this.#dropOldest();
    }
    const gone = before - this.#slots.size;
    this.#expiries += gone;
    return gone;
  }

  /** Forgets everything, counters too. */
  reset(): void {
    this.#slots = new Map();
    this.#keys.fill(undefined);
    this.#oldest = 0;
    this.#taken = 0;
    this.#evictions = 0;
    this.#expiries = 0;
  }

  /** Keys remembered now. */
  get size(): number {
    return this.#slots.size;
  }

  /** Keys dropped for want of room since the last reset. */
  get evictions(): number {
    return this.#evictions;
  }

  /** Keys dropped for age since the last reset. */
  get expiries(): number {
    return this.#expiries;
  }

  #repeat(slot: number, lane: number): SeenVerdict {
    this.slot = slot;
    const bit = 1 << lane;
    const lanes = this.#lanes[slot] as number;
    if ((lanes & bit) === 0) {
      this.#lanes[slot] = lanes | bit;
      return "duplicate";
    }
    // A new round begins: the other lanes' repeats of it are duplicates again.
    this.#lanes[slot] = bit;
    return "again";
  }

  #evict(): void {
    for (let i = 0; i < this.#batch && this.#taken > 0; i++) {
      if (this.#dropOldest()) this.#evictions++;
    }
  }

  #dropOldest(): boolean {
    const slot = this.#oldest;
    const key = this.#keys[slot];
    this.#oldest = slot + 1 === this.capacity ? 0 : slot + 1;
    this.#taken--;
    if (key === undefined) return false;
    this.#keys[slot] = undefined;
    this.#slots.delete(key);
    return true;
  }
}
