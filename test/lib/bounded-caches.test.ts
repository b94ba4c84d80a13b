/** Both ways of keeping the likely ones keep the contract of a bounded cache. */
import { describe } from "vitest";
import { Lfu } from "../../src/lib/lfu.ts";
import { LfuBytes } from "../../src/lib/lfu-bytes.ts";
import { boundedCacheSuite } from "../suites/bounded-cache.ts";

describe("what is asked for least", () => {
  boundedCacheSuite((capacity) => {
    const cache = new Lfu<number>(capacity);
    return {
      get: (key) => cache.get(key),
      set: (key, value) => cache.set(key, value),
      size: () => cache.size,
    };
  });
});

describe("what is asked for least, bounded in bytes", () => {
  const placement = { valueBytes: 1, group: undefined, expiresAtMs: Number.POSITIVE_INFINITY };
  boundedCacheSuite((capacity) => {
    // Keys of one letter and values of one byte.
    const cache = new LfuBytes<number>({ maxBytes: 2 * capacity, overheadBytes: 0 });
    return {
      get: (key) => cache.get(key, 0),
      set: (key, value) => void cache.set(key, value, placement),
      size: () => cache.size,
    };
  });
});
