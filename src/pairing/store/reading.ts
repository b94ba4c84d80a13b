/**
 * A market read whole, part by part, in the order of its addresses: a database that gets a million rows
 * as they lie reads and writes each of its pages many times over. What changes meanwhile is noted
 * elsewhere, so the order need not be kept: it saves time, and every provider comes once in any case.
 */
import { hasBit } from "../../lib/bits.ts";
import { ALIVE } from "../../matching/index/bit-table.ts";
import { RankSort } from "../../matching/index/building/rank-sort.ts";
import type { ProviderStore } from "../provider-store.ts";
import type { KeptProvider } from "./writes.ts";

/** A market as it is read. */
export interface MarketReading {
  /** Of the market when the reading began. */
  readonly version: number;
  /** Goes on with putting it in order for about so many steps of 20 ns; true when that is done. */
  readonly order: (steps: number) => boolean;
  /** The next ones, nobody at the end; undefined when the market is not there any more. */
  readonly next: (limit: number) => readonly KeptProvider[] | undefined;
}

/** Begins to read a store; `isThere` says whether it is still the market's. */
export function readMarket(store: ProviderStore, isThere: () => boolean): MarketReading {
  const { index } = store;
  const { version, ids } = index;
  const rowAt = (row: number): number | undefined =>
    hasBit(index.bits.words[ALIVE] as Int32Array, row) ? row : undefined;
  const { length } = ids;
  const source = { ids, length, rowAt, keyOf: () => 0, touched: NONE };
  let sort: RankSort | undefined = new RankSort(source, length);
  let rows = new Uint32Array(0);
  let at = 0;
  return {
    version,
    order: (steps) => {
      if (sort === undefined) return true;
      sort.step(steps);
      if (!sort.isDone) return false;
      rows = sort.rows.slice(0, sort.count);
      sort = undefined;
      return true;
    },
    next: (limit) => {
      if (!isThere()) return undefined;
      const found: KeptProvider[] = [];
      for (; at < rows.length && found.length < limit; at++) {
        const provider = store.at(rows[at] as number);
        if (provider !== undefined) found.push(provider);
      }
      return found;
    },
  };
}

const NONE: ReadonlySet<number> = new Set();
