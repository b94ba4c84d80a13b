/**
 * All markets of a host. It outlives the processes: the directory alone writes, workers and requests
 * read at once. A directory that died in the middle of a write leaves a mark, and the next one begins
 * with empty markets.
 */
import { RankingCache } from "../matching/ranking-cache.ts";
import { PairingMarket } from "./market.ts";
import type { SharedRankings } from "./shared/shared-rankings.ts";
import type { ProviderStore } from "./provider-store.ts";
import type { Outcome } from "./result.ts";
import type { PairingView, Refusal, Reply } from "./protocol.ts";

/** One market as it is configured. */
export interface MarketSettings {
  readonly name: string;
  readonly profile: string;
  readonly top: number;
  readonly maxProviders: number;
  /** Filled already; an empty one when left out. */
  readonly store?: ProviderStore;
}

/** What the book is made with. */
export interface BookOptions {
  readonly markets: readonly MarketSettings[];
  /** Markets that may be made besides, by whoever puts providers into them. */
  readonly onDemand?: { readonly most: number; readonly settings: Omit<MarketSettings, "name"> };
  readonly cache: {
    readonly enabled: boolean;
    readonly capacity: number;
    readonly ttlMs: number;
  };
  /** Monotonic, µs. */
  readonly nowUs: () => number;
  /** Whether other threads may match in the markets. */
  readonly isShared?: boolean;
  /** Rankings that are shared with other hosts. */
  readonly shared?: SharedRankings | undefined;
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
  readonly cache: RankingCache<Outcome>;
  readonly #options: BookOptions;
  readonly #markets = new Map<string, PairingMarket>();
  readonly #loading = new Set<string>();
  /** Markets that have not got back yet what was kept of them. */
  readonly #fresh = new Set<string>();
  /** Those made on demand. */
  readonly #made: MarketSettings[] = [];
  /** It is known which markets were kept. */
  hasLooked = false;
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
    for (const settings of this.#settings()) {
      if (!this.#markets.has(settings.name)) this.#add(settings);
    }
    return [...this.#fresh];
  }

  /** Makes a market that is not configured; the answer says whether it was there already. */
  ensure(name: string): Reply<"there" | "made"> {
    if (this.#markets.has(name)) return { ok: true, value: "there" };
    const { most, settings } = this.#options.onDemand ?? { most: 0 };
    if (settings === undefined || most === 0) return { ok: false, refusal: unknownMarket(name) };
    if (!MARKET_NAME.test(name)) return { ok: false, refusal: BAD_NAME };
    if (this.#made.length >= most) {
      const message = `${most} markets were made besides the configured ones, as many as may be`;
      return { ok: false, refusal: { code: "PAIRING_MARKET_FULL", message } };
    }
    const made = { name, ...settings };
    this.#made.push(made);
    this.#add(made);
    return { ok: true, value: "made" };
  }

  /** Rankings that are shared with other hosts, where any are. */
  get shared(): SharedRankings | undefined {
    return this.#options.shared;
  }

  /** Every market has what was kept of it, and it is known which were kept. */
  get isWhole(): boolean {
    return this.hasLooked && this.#fresh.size === 0;
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
      const isKnown = this.#settings().some((one) => one.name === name);
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
      refusedBy: tally.refusedBy,
      scoredBy: tally.scoredBy,
    }));
    const { counts, cache } = this;
    return { markets, cache: cache.counts, shared: this.shared?.counts, counts };
  }

  /** A market as it is, also when nobody is served any more; undefined before it has what it had. */
  peek(name: string): PairingMarket | undefined {
    return this.#fresh.has(name) ? undefined : this.#markets.get(name);
  }

  /** All that are there, served or not. */
  all(): Iterable<PairingMarket> {
    return this.#markets.values();
  }

  #settings(): readonly MarketSettings[] {
    return [...this.#options.markets, ...this.#made];
  }

  #add(settings: MarketSettings): void {
    const { cache, nowUs, isShared = false, shared } = this.#options;
    const made = { cache: this.cache, nowUs, isShared, shared };
    const market = new PairingMarket({ ...settings, ...made });
    market.isCaching = cache.enabled;
    this.#markets.set(settings.name, market);
    this.#fresh.add(settings.name);
  }
}

/** Names go into URLs. */
const MARKET_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/i;

const BAD_NAME: Refusal = {
  code: "PAIRING_BAD_INPUT",
  message: "not a name: letters, digits, dots, dashes and underscores, at most 63",
  faults: [{ path: "market", message: "not a name" }],
};

const AWAY: Refusal = {
  code: "PAIRING_UNAVAILABLE",
  message: "the pairing service is starting, restarting or stopped",
};

const unknownMarket = (name: string): Refusal => ({
  code: "PAIRING_UNKNOWN_MARKET",
  message: `there is no market ${name}`,
});
