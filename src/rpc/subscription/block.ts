/** One block in the ring of a chain, with the logs that are known of it. */

/** A block header as it arrived. */
export interface Head {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  readonly bloom: string | undefined;
  /** The header as JSON, exactly as it goes to clients. */
  readonly bytes: Uint8Array;
}

/** One log of a block. */
export interface BlockLog {
  readonly index: number;
  /** The log as JSON with `removed: false`. */
  readonly bytes: Buffer;
  /** Delivered and not retracted since. */
  isSent: boolean;
}

/** A block that the ring knows of; without `head` only its logs have been seen so far. */
export interface Block {
  readonly hash: string;
  readonly number: number;
  head: Head | undefined;
  isCanonical: boolean;
  /** Place in the sequence of transitions to canonical; clients get blocks newer than themselves. */
  sequence: number;
  /** Monotonic ms at which the block was first seen. */
  seenAtMs: number;
  /** Monotonic ms at which it became canonical. */
  raisedAtMs: number;
  /** Ascending by index. */
  logs: BlockLog[];
  /** Every log of the block is in `logs`, as far as can be known. */
  isComplete: boolean;
  /** Its logs must be fetched before later logs may be sent. */
  isWaiting: boolean;
  /** Some of its logs fell out of memory: they can be neither retracted nor told from duplicates. */
  isForgotten: boolean;
  /** Log sources that have been live since well before the block; any of them makes it complete. */
  coveredBy: readonly string[];
}

/** A block of which nothing is known but its place. */
export const createBlock = (hash: string, number: number, nowMs: number): Block => ({
  hash,
  number,
  head: undefined,
  isCanonical: false,
  sequence: 0,
  seenAtMs: nowMs,
  raisedAtMs: nowMs,
  logs: [],
  isComplete: false,
  isWaiting: false,
  isForgotten: false,
  coveredBy: [],
});

/** Where a log belongs among the block's logs, or -1 when the block has it already. */
export const placeOf = (block: Block, index: number): number => {
  const { logs } = block;
  let at = logs.length;
  // Logs arrive in order, so the end is nearly always the place.
  while (at > 0) {
    const before = logs[at - 1]?.index ?? -1;
    if (before === index) return -1;
    if (before < index) break;
    at--;
  }
  return at;
};
