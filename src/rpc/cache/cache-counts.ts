/** What is counted of one chain's answers: own cells, bumped on the request path, read at a scrape. */
import type { LfuRemoval } from "../../lib/lfu-bytes.ts";

/** What is counted of one chain's answers. */
export interface CacheCounts {
  hits: number;
  misses: number;
  stores: number;
  /** Calls that shared another one's attempt. */
  coalesced: number;
  entries: number;
  bytes: number;
  readonly removed: Record<LfuRemoval, number>;
}

/** Counts of a chain that begins. */
export function createCounts(): CacheCounts {
  return {
    hits: 0,
    misses: 0,
    stores: 0,
    coalesced: 0,
    entries: 0,
    bytes: 0,
    removed: { full: 0, expired: 0, group: 0, replaced: 0, deleted: 0 },
  };
}
