/** Puts numbers in the place of tags, and ends a range where the chain ends, as nodes do. */
import type { BlockRef, LogsQuery } from "./query.ts";

/** Where the chain's tags stand; -1 while unknown. */
export interface TagHeights {
  readonly latest: number;
  readonly safe: number;
  readonly finalized: number;
}

/** The blocks that a query asks for. */
export interface LogsRange {
  readonly fromBlock: number;
  readonly toBlock: number;
  /** The client has named these very numbers. */
  readonly isAsWritten: boolean;
}

/**
 * The range of a query; `undefined` when it is empty, begins above the tip or hangs on a tag that
 * nobody knows: what such a call means is the provider's to say.
 */
export function resolveRange(query: LogsQuery, heights: TagHeights): LogsRange | undefined {
  const fromBlock = numberOf(query.fromBlock, heights);
  const wanted = numberOf(query.toBlock, heights);
  if (fromBlock < 0 || wanted < 0) return undefined;
  const { latest } = heights;
  if (latest >= 0 && fromBlock > latest) return undefined;
  const toBlock = latest < 0 ? wanted : Math.min(wanted, latest);
  if (fromBlock > toBlock) return undefined;
  const isAsWritten = query.fromBlock === fromBlock && query.toBlock === toBlock;
  return { fromBlock, toBlock, isAsWritten };
}

function numberOf(ref: BlockRef, heights: TagHeights): number {
  if (typeof ref === "number") return ref;
  return ref === "earliest" ? 0 : heights[ref];
}
