/** Tells what markets did since the last time. */
import type { BookNews } from "./market-watch.ts";

/** Emits an event for each thing that is new. */
export function tellNews(
  { evictions, refused, markets }: BookNews,
  limit: number,
  emit: (event: string, fields: Readonly<Record<string, unknown>>) => void,
): void {
  if (evictions > 0) emit("pairing.cache.evict", { count: evictions, limit });
  if (refused > 0) emit("pairing.cache.refused", { count: refused });
  for (const { market, rows, sample, rebuilds, failures, crowded } of markets) {
    if (sample !== undefined) {
      const { result, foundBy } = sample;
      emit("matching.match.stop", {
        market,
        foundBy,
        considered: rows,
        left: result.filteredCount,
        picks: result.topProviders.length,
        us: result.processingTimeUs,
      });
    }
    if (rebuilds > 0) emit("matching.rank.rebuilt", { market, count: rebuilds, entries: rows });
    for (const [scorer, count] of failures) {
      emit("matching.scorer.failed", { market, scorer, count });
    }
    for (const [kind, count] of crowded) {
      emit("matching.dictionary.full", { market, kind, count });
    }
  }
}
