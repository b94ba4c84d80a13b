/**
 * All markets of a host. It outlives the processes: the directory alone writes, workers and requests
 * read at once. A directory that died in the middle of a write leaves a mark, and the next one begins
 * with empty markets.
 */
import { RankingCache } from "../matching/ranking-cache.ts";
import { PairingMarket } from "./market.ts";
import type { PairingView, Refusal, Reply } from "./protocol.ts";

/** One market as it is configured. */
export interface MarketSettings {
  readonly name: string;
  readonly profile: string;
  readonly top: number;
  readonly maxProviders: number;
}

/** What the book is made with. */
export interface BookOptions {
  readonly markets: readonly MarketSettings[];
  readonly cache: {
    readonly enabled: boolean;
    readonly capacity: number;
    readonly ttlMs: number;
  };
  /** Monotonic, µs. */
  readonly nowUs: () => number;
}

/** What the processes count, for whoever draws it; never begun anew. */
export interface ServiceCounts {
  /** Policies that wait. */
  depth: number;
  processed: number;
  errors: number;
}

/** The markets by name. */
export class MarketBook {
  readonly counts: ServiceCounts = { depth: 0, processed: 0, errors: 0 };
  readonly cache: RankingCache;
  readonly #options: BookOptions;
  readonly #markets = new Map<string, PairingMarket>();
  readonly #loading = new Set<string>();
  /** Markets that have not got back yet what was kept of them. */
  readonly #fresh = new Set<string>();
  #isOpen = false;
  #isWriting = false;

  constructor(options: BookOptions) {
    this.#options = options;
    const { enabled, capacity, ttlMs } = options.cache;
    this.cache = new RankingCache({ capacity, ttlMs });
    this.cache.setEnabled(enabled);
  }

  /** A directory begins its work; answers the markets that have not been filled since they are there. */
  open(): readonly string[] {
    if (this.#isWriting) this.#markets.clear();
    this.#isWriting = false;
    this.#loading.clear();
    this.#isOpen = true;
    const { markets, cache, nowUs } = this.#options;
    const missing = markets.filter(({ name }) => !this.#markets.has(name));
    for (const settings of missing) {
      const market = new PairingMarket({ ...settings, cache: this.cache, nowUs });
      market.isCaching = cache.enabled;
      this.#markets.set(settings.name, market);
      this.#fresh.add(settings.name);
    }
    return [...this.#fresh];
  }

  /** A market has what was kept of it, or nothing was. */
  filled(name: string): void {
    this.#fresh.delete(name);
    this.setLoading(name, false);
  }

  /** Nobody is served any more. */
  close(): void {
    this.#isOpen = false;
  }

  /** Everything that changes a market runs in here. */
  write<T>(change: () => T): T {
    this.#isWriting = true;
    const value = change();
    this.#isWriting = false;
    return value;
  }

  /** A market is not served until it has what it had. */
  setLoading(name: string, isLoading: boolean): void {
    if (isLoading) this.#loading.add(name);
    else this.#loading.delete(name);
  }

  /** A market by its name, or why there is none. */
  find(name: string): Reply<PairingMarket> {
    const market = this.#markets.get(name);
    if (market === undefined) {
      const isKnown = this.#options.markets.some((one) => one.name === name);
      return { ok: false, refusal: isKnown ? AWAY : unknownMarket(name) };
    }
    if (!this.#isOpen || this.#loading.has(name)) return { ok: false, refusal: AWAY };
    return { ok: true, value: market };
  }

  /** What there is to draw. */
  view(): PairingView {
    const markets = [...this.#markets.values()].map(({ name, store, tally }) => ({
      name,
      rows: store.size,
      version: store.index.version,
      durations: tally.durations,
      emptyBy: tally.emptyBy,
    }));
    return { markets, cache: this.cache.counts, counts: this.counts };
  }

  /** All that are there, served or not. */
  all(): Iterable<PairingMarket> {
    return this.#markets.values();
  }
}

const AWAY: Refusal = {
  code: "PAIRING_UNAVAILABLE",
  message: "the pairing service is starting, restarting or stopped",
};

const unknownMarket = (name: string): Refusal => ({
  code: "PAIRING_UNKNOWN_MARKET",
  message: `no market ${name} is configured`,
});
