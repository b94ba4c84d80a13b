/** A market written as a whole, page by page; whoever reads the database sees it when it is whole. */
import type { MarketReading } from "./reading.ts";
import type { StoreWrite } from "./writes.ts";

/** Begins to read a market; undefined while it is not there. */
export type MarketReader = (market: string) => MarketReading | undefined;

/** What a market is rewritten with. */
export interface Rewriting {
  readonly read: MarketReader;
  readonly write: (writes: readonly StoreWrite[]) => Promise<void>;
  /** Lets other work go on. */
  readonly yieldTurn: () => Promise<void>;
}

/** Rows of a page: the loop is busy some milliseconds with each. */
const PAGE_ROWS = 1_000;
/** Steps towards the order of the rows between two looks at other work: 2 to 5 ms. */
const ORDER_STEPS = 20_000;

/**
 * Writes a market. What changes meanwhile is noted as always and written afterwards. A market that is
 * not there any more is left as the database has it, which is the best there is.
 */
export const rewriteMarket = async (
  market: string,
  { read, write, yieldTurn }: Rewriting,
): Promise<void> => {
  const reading = read(market);
  if (reading === undefined) return;
  const { version } = reading;
  // oxlint-disable-next-line no-await-in-loop -- that is what slices are for
  while (!reading.order(ORDER_STEPS)) await yieldTurn();
  for (;;) {
    const put = reading.next(PAGE_ROWS);
    if (put === undefined) return;
    if (put.length === 0) break;
    // oxlint-disable-next-line no-await-in-loop -- one page is in memory at a time
    await write([{ kind: "fill", market, version, put }]);
  }
  await write([{ kind: "settle", market, version }]);
};
