/**
 * What a client has missed since a place in the chain's history: how one that comes back with a
 * cursor goes on without loss, doubles or unexplained reorganisations.
 *
 * A cursor is the last event that the client saw: a block, or a log of one. Whatever came after it in
 * the sequence of events is missed, late logs of older blocks included; what it saw of blocks that
 * are orphaned by now has to be taken back (json-rpc reference 17).
 */
import { isLive, type Block, type BlockLog } from "./block.ts";
import { isCut, NEVER, type Places } from "./places.ts";
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
 *
 * Where branches replace each other again and again one event is told several times. Clients have the
 * same after each, unless a late or a false log came or went between them: then it is ambiguous.
 */
export const missedSince = (
  ring: Ring,
  cursor: Cursor,
  logsSince: number | undefined,
): Missed | "ambiguous" | undefined => {
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

  if (at.sequence <= logsSince) return undefined;
  const isUnknown = ({ isForgotten, isUnread }: Block): boolean => isForgotten || isUnread;
  if ([at, ...orphaned, ...blocks].some(isUnknown)) return undefined;
  const places = placesOf(at, cursor)?.filter((place) => place > logsSince);
  if (places?.length === 0) return undefined;
  const known = ascending(ring);
  const [first, ...others] = places?.map((place) => logsMissed(known, place)) ?? [];
  if (first === undefined) return "ambiguous";
  return others.every((other) => isSame(first, other)) ? { ...first, blocks } : "ambiguous";
};

const CURSOR = /^(0x[0-9a-f]{64})(?::(0|[1-9][0-9]{0,8}|0x[0-9a-f]{1,8})(:removed)?)?$/;

/** Where in the sequence of events the client may stand; undefined when some of it is not known any more. */
const placesOf = (block: Block, { logIndex, isRemoved }: Cursor): Places | undefined => {
  const { risenBefore, sequence } = block;
  if (logIndex === undefined) return isCut(risenBefore) ? undefined : [...risenBefore, sequence];
  const meant = block.logs.filter(({ index }) => index === logIndex);
  if (meant.some(({ before }) => isCut(before))) return undefined;
  return meant.flatMap((log) => movesOf(log).filter((_, at) => at % 2 === (isRemoved ? 1 : 0)));
};

/** True when a log cursor means events of several logs: one that was found to be false, and the true one. */
export const isAmbiguous = (block: Block, { logIndex, isRemoved }: Cursor): boolean =>
  block.logs.filter((log) => log.index === logIndex && (isRemoved ? log.backAt : log.sentAt) > 0)
    .length > 1;

/** Logs that clients had at a place and have no more, and those that they got since; undefined when not known. */
const logsMissed = (
  blocks: readonly Block[],
  place: number,
): Pick<Missed, "retracted" | "logs"> | undefined => {
  const retracted: PlacedLog[] = [];
  const logs: PlacedLog[] = [];
  for (const block of blocks) {
    for (const log of block.logs) {
      const wasThere = wasLive(log, place);
      if (wasThere === undefined) return undefined;
      if (wasThere && !isLive(log)) retracted.push({ block, log });
      else if (!wasThere && isLive(log)) logs.push({ block, log });
    }
  }
  return { retracted: retracted.reverse(), logs };
};

/** The places at which clients got a log and had it taken back, in turn. */
const movesOf = (log: BlockLog): Places => {
  if (log.sentAt === 0) return NEVER;
  return isLive(log) ? [...log.before, log.sentAt] : [...log.before, log.sentAt, log.backAt];
};

/** Whether the clients had a log at that place of the sequence; undefined when that is not known any more. */
const wasLive = (log: BlockLog, place: number): boolean | undefined => {
  const { before, sentAt, backAt } = log;
  // Nearly every log is sent once.
  if (before.length === 0) return sentAt > 0 && place >= sentAt && (isLive(log) || place < backAt);
  const count = movesOf(log).filter((move) => move <= place).length;
  return isCut(before) && count === 1 ? undefined : count % 2 === 1;
};

const isSame = (
  one: Pick<Missed, "retracted" | "logs">,
  other: Pick<Missed, "retracted" | "logs"> | undefined,
): boolean =>
  other !== undefined && areSame(one.retracted, other.retracted) && areSame(one.logs, other.logs);

const areSame = (some: readonly PlacedLog[], others: readonly PlacedLog[]): boolean =>
  some.length === others.length && some.every(({ log }, at) => log === others[at]?.log);

const ascending = (ring: Ring): readonly Block[] =>
  [...ring.blocks()]
    .filter(({ logs }) => logs.length > 0)
    .sort((one, other) => one.number - other.number);
