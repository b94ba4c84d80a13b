/** A market written as a whole, page by page; whoever reads the database sees it when it is whole. */
import type { KeptProvider, StoreWrite } from "./writes.ts";

/** A part of a market as it is. */
export interface MarketPage {
  readonly version: number;
  readonly providers: readonly KeptProvider[];
  /** Where the next page begins; absent on the last. */
  readonly next?: number;
}

/** Reads a part of a market; undefined while it is not there. */
export type PageReader = (market: string, offset: number, limit: number) => MarketPage | undefined;

/** Rows of a page: the loop is busy some milliseconds with each. */
const PAGE_ROWS = 1_000;

/**
 * Writes a market. What changes meanwhile is noted as always and written afterwards. A market that is
 * not there any more is left as the database has it, which is the best there is.
 */
export const rewriteMarket = async (
  market: string,
  page: PageReader,
  write: (writes: readonly StoreWrite[]) => Promise<void>,
): Promise<void> => {
  const version = page(market, 0, 1)?.version;
  if (version === undefined) return;
  for (let offset: number | undefined = 0; offset !== undefined; ) {
    const found: MarketPage | undefined = page(market, offset, PAGE_ROWS);
    if (found === undefined) return;
    // oxlint-disable-next-line no-await-in-loop -- one page is in memory at a time
    await write([{ kind: "fill", market, version, put: found.providers }]);
    offset = found.next;
  }
  await write([{ kind: "settle", market, version }]);
};
