/**
 * What a client has missed since a place in the chain's history: how one that comes back with a
 * cursor goes on without loss, doubles or unexplained reorganisations.
 *
 * A cursor is the last event that the client saw: a block, or a log of one. Whatever came after it in
 * the sequence of events is missed, late logs of older blocks included; what it saw of blocks that
 * are orphaned by now has to be taken back (json-rpc reference 17).
 */
import type { Block, BlockLog } from "./block.ts";
import type { Ring } from "./ring.ts";

/**
 * The last event of a client that was not taken back; without `logIndex` it saw all that was sent
 * of the block.
 */
export interface Cursor {
  readonly blockHash: string;
  readonly logIndex: number | undefined;
}

/** One log with its block. */
export interface PlacedLog {
  readonly block: Block;
  readonly log: BlockLog;
}

/** What a client has to be sent, in this order, before live events; unfiltered. */
export interface Missed {
  /** Logs of orphaned blocks that the client saw, the newest first. */
  readonly retracted: readonly PlacedLog[];
  /** Blocks that are canonical and that it has not seen, ascending. */
  readonly blocks: readonly Block[];
  /** Logs that were sent since, ascending by block and index; those not sent yet come by themselves. */
  readonly logs: readonly PlacedLog[];
}

/** Reads a cursor as clients give it: `blockHash` or `blockHash:logIndex` (decimal). */
export const parseCursor = (text: unknown): Cursor | undefined => {
  const match = typeof text === "string" ? CURSOR.exec(text) : null;
  if (match === null) return undefined;
  const [, blockHash, logIndex] = match;
  return {
    blockHash: blockHash as string,
    logIndex: logIndex === undefined ? undefined : Number(logIndex),
  };
};

/** Writes a cursor as clients get it. */
export const cursorText = ({ blockHash, logIndex }: Cursor): string =>
  logIndex === undefined ? blockHash : `${blockHash}:${logIndex}`;

/**
 * What a client at `cursor` has missed; `undefined` when the place is out of memory. `logsSince` is
 * the place in the sequence of events since which logs are kept; without it no logs are told.
 */
export const missedSince = (
  ring: Ring,
  cursor: Cursor,
  logsSince: number | undefined,
): Missed | undefined => {
  const at = ring.get(cursor.blockHash);
  if (at === undefined || (at.sequence === 0 && !at.isCanonical)) return undefined;
  const orphaned: Block[] = [];
  let fork: Block | undefined = at;
  while (fork !== undefined && !fork.isCanonical) {
    orphaned.push(fork);
    fork = ring.parentOf(fork);
  }
  if (fork === undefined) return undefined;
  const blocks = ring.above(fork).toReversed();
  if (logsSince === undefined) return { retracted: [], blocks, logs: [] };

  const seenTo = placeOfCursor(at, cursor.logIndex);
  if (seenTo === undefined || seenTo < logsSince) return undefined;
  if ([at, ...orphaned, ...blocks].some(({ isForgotten }) => isForgotten)) return undefined;
  const kept = canonicalUpTo(ring, fork);
  const retracted = orphaned.flatMap((block) =>
    block.logs.toReversed().flatMap((log) => (wasSeen(log, seenTo) ? [{ block, log }] : [])),
  );
  const late = kept.flatMap((block) =>
    // What came back after the cursor was seen before it went.
    block.sequence > seenTo ? [] : sentAfter(block, seenTo),
  );
  return { retracted, blocks, logs: [...late, ...blocks.flatMap((block) => sentAfter(block, 0))] };
};

const CURSOR = /^(0x[0-9a-f]{64})(?::(0|[1-9][0-9]{0,8}))?$/;

/** Where in the sequence of events the client stands; `undefined` when it never was sent that log. */
const placeOfCursor = (block: Block, logIndex: number | undefined): number | undefined => {
  if (logIndex !== undefined) {
    const order = block.logs.find(({ index }) => index === logIndex)?.order ?? 0;
    return order === 0 ? undefined : Math.abs(order);
  }
  return block.logs.reduce((last, { order }) => Math.max(last, Math.abs(order)), block.sequence);
};

const canonicalUpTo = (ring: Ring, block: Block): readonly Block[] => {
  const found: Block[] = [];
  for (let at: Block | undefined = block; at?.isCanonical === true; at = ring.parentOf(at)) {
    found.push(at);
  }
  return found.reverse();
};

const wasSeen = ({ order }: BlockLog, seenTo: number): boolean => order < 0 && -order <= seenTo;

const sentAfter = (block: Block, place: number): readonly PlacedLog[] =>
  block.logs.flatMap((log) => (log.order > place ? [{ block, log }] : []));
