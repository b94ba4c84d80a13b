/** The filters of all clients: found by id and owner, bounded in number, forgotten when idle. */

/** What the table knows of a filter. */
export interface Owned {
  readonly id: string;
  /** Credential of the client; empty for clients without one. */
  readonly owner: string;
  /** Monotonic ms of the last use. */
  usedAtMs: number;
}

/** Bounds of a table. */
export interface FilterLimits {
  /** Filters of one credential. */
  readonly maxPerOwner: number;
  /** Filters in all. */
  readonly maxFilters: number;
  /** A filter that nobody asked for so long is gone. */
  readonly idleMs: number;
}

/** Keeps filters. */
export class FilterTable<T extends Owned> {
  readonly #filters = new Map<string, T>();
  readonly #perOwner = new Map<string, number>();
  readonly #limits: FilterLimits;

  constructor(limits: FilterLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#filters.size;
  }

  /** All of them, the longest unused first. */
  values(): Iterable<T> {
    return this.#filters.values();
  }

  /** Why `owner` may have no further filter; undefined when it may. */
  refusal(owner: string): string | undefined {
    const { maxPerOwner, maxFilters } = this.#limits;
    if (owner !== "" && (this.#perOwner.get(owner) ?? 0) >= maxPerOwner) {
      return `a client holds at most ${maxPerOwner} filters`;
    }
    return this.size >= maxFilters ? "too many filters are open" : undefined;
  }

  add(filter: T): void {
    const { id, owner } = filter;
    this.#filters.set(id, filter);
    this.#perOwner.set(owner, (this.#perOwner.get(owner) ?? 0) + 1);
  }

  /** The filter, if it is the owner's own and not idle for too long; it counts as used now. */
  use(id: string, owner: string, nowMs: number): T | undefined {
    const filter = this.#filters.get(id);
    if (filter === undefined || filter.owner !== owner) return undefined;
    if (nowMs - filter.usedAtMs >= this.#limits.idleMs) return undefined;
    filter.usedAtMs = nowMs;
    // Behind the others: the order of the map is the order of use.
    this.#filters.delete(id);
    this.#filters.set(id, filter);
    return filter;
  }

  /** False when it is gone already. */
  remove(filter: T): boolean {
    const { id, owner } = filter;
    if (this.#filters.get(id) !== filter) return false;
    this.#filters.delete(id);
    const left = (this.#perOwner.get(owner) ?? 1) - 1;
    if (left > 0) this.#perOwner.set(owner, left);
    else this.#perOwner.delete(owner);
    return true;
  }

  /** Removes and answers the filters that have been idle for too long. */
  sweep(nowMs: number): readonly T[] {
    const idle: T[] = [];
    for (const filter of this.#filters.values()) {
      if (nowMs - filter.usedAtMs < this.#limits.idleMs) break;
      idle.push(filter);
    }
    for (const filter of idle) this.remove(filter);
    return idle;
  }
}
