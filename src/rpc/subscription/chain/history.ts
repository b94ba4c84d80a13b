/**
 * What a client has missed since a place in the chain's history: how one that comes back with a
 * cursor goes on without loss, doubles or unexplained reorganisations.
 *
 * A cursor is the last event that the client saw: a block, or a log of one. Whatever came after it in
 * the sequence of events is missed, late logs of older blocks included; what it saw of blocks that
 * are orphaned by now has to be taken back (json-rpc reference 17).
 */
import { isLive, type Block, type BlockLog } from "./block.ts";
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

/**
 * What a client has to be sent, in this order, before live events. Unfiltered: of logs only those are
 * for a subscription whose block has a `sequence` above its `since`, as with live ones.
 */
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
  const retracted: PlacedLog[] = [];
  const logs: PlacedLog[] = [];
  for (const block of ascending(ring)) {
    for (const log of block.logs) {
      const wasThere = wasLive(log, seenTo);
      if (wasThere && !isLive(log)) retracted.push({ block, log });
      else if (!wasThere && isLive(log)) logs.push({ block, log });
    }
  }
  return { retracted: retracted.reverse(), blocks, logs };
};

const CURSOR = /^(0x[0-9a-f]{64})(?::(0|[1-9][0-9]{0,8}))?$/;

/** Where in the sequence of events the client stands; `undefined` when it never was sent that log. */
const placeOfCursor = (block: Block, logIndex: number | undefined): number | undefined => {
  if (logIndex === undefined) {
    return block.logs.reduce((last, { sentAt }) => Math.max(last, sentAt), block.sequence);
  }
  const place = block.logs.find(({ index }) => index === logIndex)?.sentAt ?? 0;
  return place === 0 ? undefined : place;
};

/** Whether the clients had a log at that place of the sequence. */
const wasLive = ({ firstAt, sentAt, backAt }: BlockLog, place: number): boolean => {
  if (firstAt === 0 || firstAt > place) return false;
  // Between being taken back and coming again it was not there.
  return sentAt > backAt ? place >= sentAt || place < backAt || backAt === 0 : place < backAt;
};

const ascending = (ring: Ring): readonly Block[] =>
  [...ring.blocks()]
    .filter(({ logs }) => logs.length > 0)
    .sort((one, other) => one.number - other.number);
