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
 * The last event of a client: without `logIndex` the block's head, which comes before its logs; with
 * `isRemoved` the retraction of that log.
 */
export interface Cursor {
  readonly blockHash: string;
  readonly logIndex: number | undefined;
  readonly isRemoved: boolean;
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

/**
 * Reads a cursor as clients give it: `blockHash`, `blockHash:logIndex` (decimal, or hex as events have
 * it) or `blockHash:logIndex:removed`.
 */
export const parseCursor = (text: unknown): Cursor | undefined => {
  const match = typeof text === "string" ? CURSOR.exec(text) : null;
  if (match === null) return undefined;
  const [, blockHash, logIndex, removed] = match;
  return {
    blockHash: blockHash as string,
    logIndex: logIndex === undefined ? undefined : Number(logIndex),
    isRemoved: removed !== undefined,
  };
};

/** Writes a cursor as clients get it. */
export const cursorText = ({ blockHash, logIndex, isRemoved }: Cursor): string =>
  logIndex === undefined ? blockHash : `${blockHash}:${logIndex}${isRemoved ? ":removed" : ""}`;

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

  const place = placeOfCursor(at, cursor);
  if (place === undefined || at.sequence <= logsSince) return undefined;
  const isUnknown = ({ isForgotten, isUnread }: Block): boolean => isForgotten || isUnread;
  if ([at, ...orphaned, ...blocks].some(isUnknown)) return undefined;
  const retracted: PlacedLog[] = [];
  const logs: PlacedLog[] = [];
  for (const block of ascending(ring)) {
    for (const log of block.logs) {
      const wasThere = wasLive(log, place);
      if (wasThere && !isLive(log)) retracted.push({ block, log });
      else if (!wasThere && isLive(log)) logs.push({ block, log });
    }
  }
  return { retracted: retracted.reverse(), blocks, logs };
};

const CURSOR = /^(0x[0-9a-f]{64})(?::(0|[1-9][0-9]{0,8}|0x[0-9a-f]{1,8})(:removed)?)?$/;

/**
 * Where in the sequence of events the client stands; `undefined` when that event never was, or when two
 * are called the same: a log that was found to be false, and the one that stands in its place.
 */
const placeOfCursor = (block: Block, cursor: Cursor): number | undefined => {
  if (cursor.logIndex === undefined) return block.sequence;
  const [place, other] = eventsOf(block, cursor);
  return other === undefined ? place : undefined;
};

/** The places in the sequence of events that a log cursor may mean. */
const eventsOf = (block: Block, { logIndex, isRemoved }: Cursor): readonly number[] =>
  block.logs.flatMap(({ index, sentAt, backAt }) => {
    const place = isRemoved ? backAt : sentAt;
    return index === logIndex && place > 0 ? [place] : [];
  });

/** True when a log cursor means one of several events: there is no going on from it. */
export const isAmbiguous = (block: Block, cursor: Cursor): boolean =>
  eventsOf(block, cursor).length > 1;

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
