/**
 * Walks JSON in bytes without building values (RFC 8259 grammar, ECMA-404 numbers and strings).
 *
 * Every function takes a position and returns the position behind what it read, or a negative
 * reason. UTF-8 validity is checked once per body by the caller, not here.
 */

/** The bytes are not JSON. */
export const SYNTAX = -1;
/** The value is nested deeper than the limit. */
export const TOO_DEEP = -2;
/** The bytes end inside the value. */
export const INCOMPLETE = -3;

/** Levels of objects and arrays that a request may nest. */
export const MAX_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Position of the first byte that is not JSON white space. */
export function skipSpace(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const byte = bytes[at] as number;
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break;
    at++;
  }
  return at;
}

/** Reads a string whose opening quote is at `from`. */
export function skipString(bytes: Uint8Array, from: number, end: number): number {
  let at = from + 1;
  while (at < end) {
    const byte = bytes[at++] as number;
    if (byte === QUOTE) return at;
    if (byte < 0x20) return SYNTAX;
    if (byte === BACKSLASH) {
      at = skipEscape(bytes, at, end);
      if (at < 0) return at;
    }
  }
  return INCOMPLETE;
}

/** Reads what follows a backslash. */
function skipEscape(bytes: Uint8Array, from: number, end: number): number {
  if (from >= end) return INCOMPLETE;
  switch (bytes[from]) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return from + 1;
    case 0x75: {
      for (let at = from + 1; at < from + 5; at++) {
        if (at >= end) return INCOMPLETE;
        if (hexDigit(bytes[at] as number) < 0) return SYNTAX;
      }
      return from + 5;
    }
    default:
      return SYNTAX;
  }
}

/** The value of a hex digit, or -1. */
export function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function skipDigits(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const byte = bytes[at] as number;
    if (byte < 0x30 || byte > 0x39) break;
    at++;
  }
  return at;
}

/** Reads a number; its end is where no further number byte follows. */
export function skipNumber(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  if (bytes[at] === 0x2d) at++;
  if (at >= end) return INCOMPLETE;
  const first = bytes[at] as number;
  if (first < 0x30 || first > 0x39) return SYNTAX;
  at = first === 0x30 ? at + 1 : skipDigits(bytes, at, end);
  if (at < end && bytes[at] === 0x2e) {
    const digits = skipDigits(bytes, at + 1, end);
    if (digits === at + 1) return digits >= end ? INCOMPLETE : SYNTAX;
    at = digits;
  }
  if (at < end && ((bytes[at] as number) | 0x20) === 0x65) {
    at++;
    if (at < end && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at++;
    const digits = skipDigits(bytes, at, end);
    if (digits === at) return digits >= end ? INCOMPLETE : SYNTAX;
    at = digits;
  }
  return at;
}

/** Whether `word` stands at `at`; the caller knows that so many bytes are there. */
export function isWordAt(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
  for (let index = 0; index < word.length; index++) {
    if (bytes[at + index] !== word[index]) return false;
  }
  return true;
}

/** `true`, `false`, `null` as bytes. */
const LITERALS: readonly Uint8Array[] = ["true", "false", "null"].map((word) => Buffer.from(word));

function skipLiteral(bytes: Uint8Array, from: number, end: number, which: number): number {
  const word = LITERALS[which] as Uint8Array;
  for (let index = 0; index < word.length; index++) {
    if (from + index >= end) return INCOMPLETE;
    if (bytes[from + index] !== word[index]) return SYNTAX;
  }
  return from + word.length;
}

/**
 * Reads one value of any kind; `depth` is the number of containers it stands in, and a container
 * beyond `MAX_DEPTH` ends the walk, so recursion is bounded too.
 */
export function skipValue(bytes: Uint8Array, from: number, end: number, depth: number): number {
  if (from >= end) return INCOMPLETE;
  const byte = bytes[from] as number;
  switch (byte) {
    case QUOTE:
      return skipString(bytes, from, end);
    case 0x7b:
      return skipObject(bytes, from, end, depth + 1);
    case 0x5b:
      return skipArray(bytes, from, end, depth + 1);
    case 0x74:
      return skipLiteral(bytes, from, end, 0);
    case 0x66:
      return skipLiteral(bytes, from, end, 1);
    case 0x6e:
      return skipLiteral(bytes, from, end, 2);
    default:
      return byte === 0x2d || (byte >= 0x30 && byte <= 0x39)
        ? skipNumber(bytes, from, end)
        : SYNTAX;
  }
}

function skipArray(bytes: Uint8Array, from: number, end: number, depth: number): number {
  if (depth > MAX_DEPTH) return TOO_DEEP;
  let at = skipSpace(bytes, from + 1, end);
  if (at < end && bytes[at] === 0x5d) return at + 1;
  for (;;) {
    at = skipValue(bytes, at, end, depth);
    if (at < 0) return at;
    at = skipSpace(bytes, at, end);
    if (at >= end) return INCOMPLETE;
    const byte = bytes[at] as number;
    if (byte === 0x5d) return at + 1;
    if (byte !== 0x2c) return SYNTAX;
    at = skipSpace(bytes, at + 1, end);
  }
}

function skipObject(bytes: Uint8Array, from: number, end: number, depth: number): number {
  if (depth > MAX_DEPTH) return TOO_DEEP;
  let at = skipSpace(bytes, from + 1, end);
  if (at < end && bytes[at] === 0x7d) return at + 1;
  for (;;) {
    if (at >= end) return INCOMPLETE;
    if (bytes[at] !== QUOTE) return SYNTAX;
    at = skipColon(bytes, skipString(bytes, at, end), end);
    if (at < 0) return at;
    at = skipValue(bytes, at, end, depth);
    if (at < 0) return at;
    at = skipSpace(bytes, at, end);
    if (at >= end) return INCOMPLETE;
    const byte = bytes[at] as number;
    if (byte === 0x7d) return at + 1;
    if (byte !== 0x2c) return SYNTAX;
    at = skipSpace(bytes, at + 1, end);
  }
}

/** Reads `:` and the white space on both sides; `from` is the end of the key or a negative reason. */
export function skipColon(bytes: Uint8Array, from: number, end: number): number {
  if (from < 0) return from;
  const at = skipSpace(bytes, from, end);
  if (at >= end) return INCOMPLETE;
  return bytes[at] === 0x3a ? skipSpace(bytes, at + 1, end) : SYNTAX;
}

/** The number of a hex quantity `"0x1b4"` at `from..to`, or -1 for anything else. */
export function quantityAt(bytes: Uint8Array, from: number, to: number): number {
  const last = to - 1;
  if (from < 0 || last - from < 4 || last - from > MAX_QUANTITY || bytes[from] !== 0x22) return -1;
  if (bytes[from + 1] !== 0x30 || ((bytes[from + 2] as number) | 0x20) !== 0x78) return -1;
  let value = 0;
  for (let at = from + 3; at < last; at++) {
    const digit = hexDigit(bytes[at] as number);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** Quote, 0x and 13 digits: more than that is beyond 2^52. */
const MAX_QUANTITY = 16;
