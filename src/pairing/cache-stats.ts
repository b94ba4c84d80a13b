/** The ranking cache in the spelling of the contract. */
import type { RankingCacheStats } from "../matching/ranking-cache.ts";
import type { CacheStats } from "./protocol.ts";

/** Its counts. */
export const cacheStatsOf = (stats: RankingCacheStats): CacheStats => ({
  size: stats.size,
  capacity: stats.capacity,
  hits: stats.hits,
  misses: stats.misses,
  hit_rate: stats.hitRate,
  evictions: stats.evictions,
  min_frequency: stats.minFrequency,
  frequency_distribution: stats.frequencyDistribution,
});
