/**
 * Reads where one log stands (block, index, block hash) from the bytes of its object, and nothing
 * else: what the log says is passed on unread.
 */
import {
  isWordAt,
  INCOMPLETE,
  quantityAt,
  skipColon,
  skipSpace,
  skipString,
  skipValue,
  SYNTAX,
} from "../json-rpc/json-bytes.ts";

/** Filled by `readLog`; copy what you keep, the record is shared. */
export interface LogPlace {
  /** Height of its block, or -1. */
  block: number;
  /** Its index within the block, or -1. */
  index: number;
  /** Where the 64 digits of the block hash begin, or -1. */
  hashAt: number;
}

/** Digits of a hash. */
export const HASH_DIGITS = 64;

const place: LogPlace = { block: -1, index: -1, hashAt: -1 };

/** The place of the log that `readLog` has read last. */
export const lastPlace: Readonly<LogPlace> = place;

/** Reads the log at `from`; returns the position behind it, or a negative reason. */
export function readLog(bytes: Uint8Array, from: number, end: number): number {
  place.block = -1;
  place.index = -1;
  place.hashAt = -1;
  if (from >= end) return INCOMPLETE;
  if (bytes[from] !== 0x7b) return SYNTAX;
  let at = skipSpace(bytes, from + 1, end);
  for (;;) {
    if (at >= end) return INCOMPLETE;
    if (bytes[at] !== 0x22) return SYNTAX;
    const keyEnd = skipString(bytes, at, end);
    const valueAt = skipColon(bytes, keyEnd, end);
    if (valueAt < 0) return valueAt;
    const valueEnd = skipValue(bytes, valueAt, end, 3);
    if (valueEnd < 0) return valueEnd;
    note(bytes, at + 1, keyEnd - at - 2, valueAt, valueEnd);
    at = skipSpace(bytes, valueEnd, end);
    if (at >= end) return INCOMPLETE;
    if (bytes[at] === 0x7d) return at + 1;
    if (bytes[at] !== 0x2c) return SYNTAX;
    at = skipSpace(bytes, at + 1, end);
  }
}

const BLOCK_NUMBER = Buffer.from("blockNumber");
const LOG_INDEX = Buffer.from("logIndex");
const BLOCK_HASH = Buffer.from("blockHash");

function note(
  bytes: Uint8Array,
  keyAt: number,
  length: number,
  valueAt: number,
  valueEnd: number,
): void {
  // Lengths tell the three apart from each other and from nearly all other names.
  if (length === BLOCK_NUMBER.length && isWordAt(bytes, keyAt, BLOCK_NUMBER)) {
    place.block = quantityAt(bytes, valueAt, valueEnd);
  } else if (length === LOG_INDEX.length && isWordAt(bytes, keyAt, LOG_INDEX)) {
    place.index = quantityAt(bytes, valueAt, valueEnd);
  } else if (length === BLOCK_HASH.length && isWordAt(bytes, keyAt, BLOCK_HASH)) {
    // `"0x` + digits + `"`
    place.hashAt = valueEnd - valueAt === HASH_DIGITS + 4 ? valueAt + 3 : -1;
  }
}
