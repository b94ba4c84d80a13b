/**
 * Finds a few members of a JSON object in its bytes, without building values: the cheap half of every
 * check of an answer. Stops as soon as it has found what it looks for.
 */
import {
  hexDigit,
  isWordAt,
  skipColon,
  skipSpace,
  skipString,
  skipValue,
} from "../json-rpc/json-bytes.ts";

/** Member names to look for, at most 8; the position in the list is the position of the find. */
export type Wanted = readonly Uint8Array[];

/** Names as the bytes they are searched by. */
export const wanted = (...names: readonly string[]): Wanted =>
  names.map((name) => Buffer.from(name));

/** Where values were found: start and end in turn; -1 for what the object does not have. */
export type Found = Int32Array;

/** Room for the finds of one walk; copy what you keep, or bring your own. */
export const createFound = (names: Wanted): Found => new Int32Array(names.length * 2);

/**
 * Walks the object at `from` and notes where the wanted members' values stand. Returns the position
 * where it stopped: behind the last wanted value, or at the closing brace; -1 when it is no object.
 */
export function findMembers(
  bytes: Uint8Array,
  from: number,
  end: number,
  names: Wanted,
  found: Found,
): number {
  found.fill(-1);
  if (from >= end || bytes[from] !== 0x7b) return -1;
  let missing = names.length;
  let at = skipSpace(bytes, from + 1, end);
  while (at < end && bytes[at] === 0x22) {
    const keyAt = at + 1;
    const keyEnd = skipString(bytes, at, end);
    const valueAt = skipColon(bytes, keyEnd, end);
    if (valueAt < 0) return -1;
    const valueEnd = skipFast(bytes, valueAt, end);
    if (valueEnd < 0) return -1;
    const which = indexOfName(bytes, keyAt, keyEnd - 1 - keyAt, names);
    if (which >= 0 && (found[which * 2] as number) < 0) {
      found[which * 2] = valueAt;
      found[which * 2 + 1] = valueEnd;
      if (--missing === 0) return valueEnd;
    }
    at = skipSpace(bytes, valueEnd, end);
    if (bytes[at] !== 0x2c) break;
    at = skipSpace(bytes, at + 1, end);
  }
  return at < end && bytes[at] === 0x7d ? at : -1;
}

/** Long hex strings (bloom, input) are crossed by one native search instead of byte by byte. */
function skipFast(bytes: Uint8Array, from: number, end: number): number {
  if (bytes[from] === 0x22 && bytes[from + 1] === 0x30 && bytes[from + LONG] !== undefined) {
    let near = from + 1;
    const limit = Math.min(end, from + LONG);
    while (near < limit && bytes[near] !== 0x22) near++;
    if (near < limit) return near + 1;
    const quote = bytes.indexOf(0x22, near);
    // An escape never occurs in hex; whoever sends one gets the careful walk.
    if (quote < 0 || quote >= end) return -1;
    return bytes[quote - 1] === 0x5c ? skipString(bytes, from, end) : quote + 1;
  }
  return skipValue(bytes, from, end, 1);
}

/** A hash with its quotes is 68 bytes. */
const LONG = 80;

function indexOfName(bytes: Uint8Array, at: number, length: number, names: Wanted): number {
  for (let index = 0; index < names.length; index++) {
    const name = names[index] as Uint8Array;
    if (name.length === length && isWordAt(bytes, at, name)) return index;
  }
  return -1;
}

/** Position behind the object of which a member's value ends at `from`, or -1. */
export function closeObject(bytes: Uint8Array, from: number, end: number): number {
  let at = skipSpace(bytes, from, end);
  while (at < end && bytes[at] === 0x2c) {
    const keyAt = skipSpace(bytes, at + 1, end);
    const valueAt = skipColon(bytes, skipString(bytes, keyAt, end), end);
    if (valueAt < 0) return -1;
    const valueEnd = skipFast(bytes, valueAt, end);
    if (valueEnd < 0) return -1;
    at = skipSpace(bytes, valueEnd, end);
  }
  return at < end && bytes[at] === 0x7d ? at + 1 : -1;
}

/** Whether two hex strings, quotes included, say the same; upper and lower case are one. */
export function sameHex(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): boolean {
  if (aEnd - aStart !== bEnd - bStart) return false;
  for (let at = aStart, other = bStart; at < aEnd; at++, other++) {
    const left = a[at] as number;
    const right = b[other] as number;
    if (left === right) continue;
    if ((left | 0x20) !== (right | 0x20) || hexDigit(left) < 10) return false;
  }
  return true;
}

/** The text of a hex string at `from..to` without its quotes, in lower case; undefined for others. */
export function hexAt(bytes: Buffer, from: number, to: number): string | undefined {
  if (from < 0 || bytes[from] !== 0x22) return undefined;
  return bytes.toString("latin1", from + 1, to - 1).toLowerCase();
}

/** Where element number `position` of the array at `from` begins, or -1 when it has none. */
export function elementAt(bytes: Uint8Array, from: number, end: number, position: number): number {
  if (from < 0 || bytes[from] !== 0x5b) return -1;
  let at = skipSpace(bytes, from + 1, end);
  for (let index = 0; index < position; index++) {
    at = skipValue(bytes, at, end, 1);
    if (at < 0) return -1;
    at = skipSpace(bytes, at, end);
    if (bytes[at] !== 0x2c) return -1;
    at = skipSpace(bytes, at + 1, end);
  }
  return at < end && bytes[at] !== 0x5d ? at : -1;
}
