/** Which answers are kept, and for how long. */

/** The answers that this node keeps. */
export interface CacheConfig {
  /** Most bytes of all chains together, in memory. */
  readonly maxSizeBytes: number;
}

/** What a chain lets be kept. */
export interface ChainCacheConfig {
  readonly enabled: boolean;
  /** The first that fits counts; the chain's own come before those of all chains. */
  readonly policies: readonly CachePolicyConfig[];
}

/** How long answers of some methods are kept. */
export interface CachePolicyConfig {
  /** Names, in which `*` stands for any run of characters. */
  readonly methods: readonly string[];
  readonly finality: CacheFinality;
  /** 0 keeps nothing; Infinity as long as there is room. */
  readonly ttlMs: number;
}

/** What an answer's worth depends on. */
export const CACHE_FINALITIES = ["static", "finalized", "unfinalized", "realtime"] as const;

/** One of them. */
export type CacheFinality = (typeof CACHE_FINALITIES)[number];
