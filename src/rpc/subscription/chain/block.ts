/** One block in the ring of a chain, with the logs that are known of it. */
import type { BlockLogs } from "../logs/block-logs.ts";
import { longer, NEVER, type Places } from "./places.ts";

/** A block header as it arrived. */
export interface Head {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  readonly bloom: string | undefined;
  /** The header as JSON, exactly as it goes to clients. */
  readonly bytes: Uint8Array;
}

/** One log of a block, as it was told. */
export interface BlockLog {
  readonly index: number;
  /** The provider that told it first; undefined when it was asked for. */
  readonly source: string | undefined;
  /** Suspected while others deny it: then it is not sent; false when it does not exist. */
  standing: "told" | "suspected" | "false";
  /** The log as JSON with `removed: false`. */
  readonly bytes: Buffer;
  /** Places in the sequence of events: of its last sending, of its last taking back. */
  sentAt: number;
  backAt: number;
  /** Those of its sendings and takings back before the last sending, in turn. */
  before: Places;
}

/** An answer that the block's bloom does not prove, and since when it is the same each time. */
export interface UnprovenAnswer {
  readonly answer: BlockLogs;
  readonly sinceMs: number;
}

/** A block that the ring knows of; without `head` only its logs have been seen so far. */
export interface Block {
  readonly hash: string;
  readonly number: number;
  head: Head | undefined;
  /** Somebody was asked for its header by its hash. */
  isLookedUp: boolean;
  isCanonical: boolean;
  /** Whoever told of it as their head. */
  readonly tellers: Set<string>;
  /** Place of its last rise in the sequence of events; clients get blocks newer than themselves. */
  sequence: number;
  /** Places of its rises before. */
  risenBefore: Places;
  /** Monotonic ms at which the block was first seen. */
  seenAtMs: number;
  /** Monotonic ms at which it became canonical. */
  raisedAtMs: number;
  /** Monotonic ms at which a stream last told a log of it. */
  toldAtMs: number;
  /** Ascending by index. */
  logs: BlockLog[];
  /** Every log of the block is in `logs`, as far as can be known. */
  isComplete: boolean;
  /** Its bloom is empty although a log was told: until somebody was asked no log of it is sent. */
  isDoubtful: boolean;
  /** Its logs were in dispute and are settled: streams tell nothing new of it. */
  isSettled: boolean;
  /** Some of its logs are missing, and later logs wait for them. */
  isWaiting: boolean;
  /** Logs that were sent one after the other from the first one on. */
  sent: number;
  /** The last answer about its logs that could not be proven. */
  unproven: UnprovenAnswer | undefined;
  /** Some of its logs fell out of memory: they can be neither retracted nor told from duplicates. */
  isForgotten: boolean;
  /** Its logs were not asked for, because nobody who was there then can have wanted one. */
  isUnread: boolean;
  /** Log sources that have been live since well before the block; any of them makes it complete. */
  coveredBy: readonly string[];
  /** Whose streams have told of it since they are live. */
  readonly streamedBy: Set<string>;
  /** One that covers it has told of a block above it. */
  isPassed: boolean;
}

/** A block of which nothing is known but its place. */
export const createBlock = (hash: string, number: number, nowMs: number): Block => ({
  hash,
  number,
  head: undefined,
  isLookedUp: false,
  isCanonical: false,
  tellers: new Set(),
  sequence: 0,
  risenBefore: NEVER,
  seenAtMs: nowMs,
  raisedAtMs: nowMs,
  toldAtMs: Number.NEGATIVE_INFINITY,
  logs: [],
  isComplete: false,
  isDoubtful: false,
  isSettled: false,
  isWaiting: false,
  sent: 0,
  unproven: undefined,
  isForgotten: false,
  isUnread: false,
  coveredBy: [],
  streamedBy: new Set(),
  isPassed: false,
});

/** True when clients have the log: it was sent and not taken back since. */
export const isLive = ({ sentAt, backAt }: BlockLog): boolean => sentAt > backAt;

/** Clients are sent the log, for the first time or again. */
export const sendAt = (log: BlockLog, place: number): void => {
  if (log.sentAt > 0) log.before = longer(log.before, log.sentAt, log.backAt);
  log.sentAt = place;
};

/** The block becomes canonical, for the first time or again. */
export const raiseAt = (block: Block, place: number): void => {
  if (block.sequence > 0) block.risenBefore = longer(block.risenBefore, block.sequence);
  block.sequence = place;
};

/** True when the block's known logs have every index from 0 on: none is missing between them. */
export const isDense = ({ logs }: Block): boolean =>
  logs.length === 0 || logs.at(-1)?.index === logs.length - 1;

/** Where a log belongs among the block's logs, or -1 when the block has one of this index that may be true. */
export const placeOf = (block: Block, index: number): number => {
  const { logs } = block;
  let at = logs.length;
  // Logs arrive in order, so the end is nearly always the place.
  while (at > 0) {
    const before = logs[at - 1] as BlockLog;
    if (before.index < index) break;
    if (before.index === index) return before.standing === "false" ? at : -1;
    at--;
  }
  return at;
};
