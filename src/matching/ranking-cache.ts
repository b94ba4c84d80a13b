/**
 * Rankings that were made already, by the canonical text of their demand. An entry is good for the
 * version of the market and of the profile it was made of, so that a better provider shows at once, and
 * for a time, because signals drift without a new version. Rankings of nobody are kept as well.
 */
import { Lfu } from "../lib/lfu.ts";
import { bindingOf } from "./binding.ts";
import type { Plan } from "./compile.ts";
import type { ProviderIndex } from "./index/provider-index.ts";
import { rank, type RankedPicks } from "./match.ts";
import type { Seed } from "./paths/rendezvous.ts";

/** Bounds of a cache. */
export interface RankingCacheOptions {
  /** Rankings held, of all markets together; 0 holds none. */
  readonly capacity: number;
  /** How long signals may have drifted, ms. */
  readonly ttlMs: number;
}

/** What a cache did. Counts stand still while statistics are off. */
export interface RankingCacheStats {
  readonly size: number;
  readonly capacity: number;
  readonly hits: number;
  readonly misses: number;
  /** hits / look-ups, 0 without any. */
  readonly hitRate: number;
  readonly evictions: number;
  /** The least count of any entry, 0 without any. */
  readonly minFrequency: number;
  /** How many entries have which count. */
  readonly frequencyDistribution: Readonly<Record<number, number>>;
}

/** The counts of a cache alone, since it began. */
export type RankingCacheCounts = Pick<RankingCacheStats, "size" | "hits" | "misses" | "evictions">;

/** A ranking as it is kept, with what its reader makes of it: that lives exactly as long. */
export interface KeptPicks<Shown> extends RankedPicks {
  shown: Shown | undefined;
}

interface Kept<Shown> {
  readonly picks: KeptPicks<Shown>;
  readonly index: ProviderIndex;
  readonly expiresAtMs: number;
}

/** The cache of all markets of a process. */
export class RankingCache<Shown = unknown> {
  readonly #entries: Lfu<Kept<Shown>>;
  readonly #ttlMs: number;
  #isOn = true;
  #counts = true;
  #hits = 0;
  #misses = 0;
  #evictions = 0;
  #isHit = false;

  constructor({ capacity, ttlMs }: RankingCacheOptions) {
    this.#entries = new Lfu(capacity);
    this.#ttlMs = ttlMs;
  }

  /**
   * The ranking of a plan, kept or made now, with the rows of the picks and room for what is shown of
   * them. A hit is the very object that was kept.
   */
  picks(plan: Plan, index: ProviderIndex, seed: Seed, nowMs: number): KeptPicks<Shown> {
    const key = keyOf(plan, index, seed);
    const kept = this.#isOn ? this.#entries.get(key) : undefined;
    this.#isHit = kept !== undefined && isFresh(kept, plan, index, nowMs);
    if (kept !== undefined && this.#isHit) {
      if (this.#counts) this.#hits++;
      return kept.picks;
    }
    if (this.#counts) this.#misses++;
    const picks = { ...rank(plan, index, { seed }), shown: undefined };
    if (this.#isOn) this.#keep(key, { picks, index, expiresAtMs: nowMs + this.#ttlMs });
    return picks;
  }

  /** Whether a ranking is kept; asking is not counted. */
  has(plan: Plan, index: ProviderIndex, seed: Seed, nowMs: number): boolean {
    const kept = this.#isOn ? this.#entries.peek(keyOf(plan, index, seed)) : undefined;
    return kept !== undefined && isFresh(kept, plan, index, nowMs);
  }

  /** Keeps a ranking that was made elsewhere, of the very version that the market has. */
  keep(plan: Plan, index: ProviderIndex, picks: KeptPicks<Shown>, nowMs: number): void {
    if (!this.#isOn) return;
    const key = keyOf(plan, index, picks.ranking.seed);
    this.#keep(key, { picks, index, expiresAtMs: nowMs + this.#ttlMs });
  }

  /** Rankings held at most. */
  get capacity(): number {
    return this.#entries.capacity;
  }

  /** Whether the last ranking that was asked for had been kept. */
  get isHit(): boolean {
    return this.#isHit;
  }

  /** Counts from 0 again; what is kept stays. */
  resetStats(): void {
    this.#hits = this.#misses = this.#evictions = 0;
  }

  /** Changes the bound; what is over it leaves at once, the least asked for first. */
  resize(capacity: number): void {
    this.#evictions += this.#entries.resize(capacity);
  }

  /** Switches the cache off, which empties it, or on. */
  setEnabled(isOn: boolean): void {
    this.#isOn = isOn;
    if (!isOn) this.#entries.clear();
  }

  /** Switches the counting of hits and misses off or on. */
  setStatsEnabled(counts: boolean): void {
    this.#counts = counts;
  }

  /** Forgets everything; counts stay. */
  clear(): void {
    this.#entries.clear();
  }

  /** How much it holds and did, without the distribution. */
  get counts(): RankingCacheCounts {
    const { size } = this.#entries;
    return { size, hits: this.#hits, misses: this.#misses, evictions: this.#evictions };
  }

  /** What it holds and did. */
  stats(): RankingCacheStats {
    const distribution = this.#entries.distribution();
    const lookups = this.#hits + this.#misses;
    return {
      size: this.#entries.size,
      capacity: this.#entries.capacity,
      hits: this.#hits,
      misses: this.#misses,
      hitRate: lookups === 0 ? 0 : this.#hits / lookups,
      evictions: this.#evictions,
      minFrequency: distribution.keys().next().value ?? 0,
      frequencyDistribution: Object.fromEntries(distribution),
    };
  }

  #keep(key: string, kept: Kept<Shown>): void {
    const { size, capacity } = this.#entries;
    const isNew = !this.#entries.has(key);
    if (isNew && size === capacity && capacity > 0) this.#evictions++;
    this.#entries.set(key, kept);
  }
}

/** The seed decides nothing in `top`, whose keys are made once: to hash one is half a look-up. */
const keyOf = (plan: Plan, index: ProviderIndex, seed: Seed): string => {
  const { cacheKey } = bindingOf(plan, index);
  return plan.demand.mode === "top" ? cacheKey : `${cacheKey}\n${typeof seed}:${seed}`;
};

const isFresh = (
  { picks: { ranking }, index: of, expiresAtMs }: Kept<unknown>,
  plan: Plan,
  index: ProviderIndex,
  nowMs: number,
): boolean =>
  of === index &&
  ranking.version === index.version &&
  ranking.profileVersion === plan.composite.version &&
  nowMs < expiresAtMs;
