/**
 * One spelling for all ways to write the same params: white space between tokens goes, hex strings
 * become lower case, a missing block parameter becomes `"latest"` where every node reads it so.
 *
 * Nothing else is touched: two calls that could mean different things to any node keep different
 * spellings. So members are not sorted, zeros are not trimmed, escapes are not resolved. Works on
 * bytes, in a buffer that is reused: a request of 300 bytes costs about 0.5 us.
 */
import type { MethodRule } from "./block-ref.ts";

/** Params longer than this are not remembered, bytes. */
export const MAX_PARAMS_BYTES = 128 * 1024;

/** Params in their one spelling; read it at once, the next call overwrites it. */
export interface CanonicalParams {
  readonly bytes: Buffer;
  /** The params are `bytes[0..length)`. */
  length: number;
  /** Number of elements. */
  count: number;
  /** Where the block parameter stands, or -1 when there is none. */
  blockStart: number;
  blockEnd: number;
}

const LATEST = Buffer.from('"latest"');
const EMPTY = Buffer.from("[]");

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

const shared: CanonicalParams = {
  bytes: Buffer.allocUnsafeSlow(MAX_PARAMS_BYTES + LATEST.length + 2),
  length: 0,
  count: 0,
  blockStart: -1,
  blockEnd: -1,
};

/**
 * Spells the params at `start..end` of `body`, which must be valid JSON; absent ones (`start < 0`)
 * are an empty list. `undefined` for params that are no list, or too long.
 */
export function canonicalParams(
  body: Buffer,
  start: number,
  end: number,
  { position, defaultsToLatest }: MethodRule,
): CanonicalParams | undefined {
  if (start < 0) return spell(EMPTY, 0, EMPTY.length, position, defaultsToLatest);
  if (body[start] !== 0x5b || end - start > MAX_PARAMS_BYTES) return undefined;
  return spell(body, start, end, position, defaultsToLatest);
}

function spell(
  body: Buffer,
  start: number,
  end: number,
  position: number,
  defaultsToLatest: boolean,
): CanonicalParams {
  const out = shared.bytes;
  let length = 0;
  let depth = 0;
  let commas = 0;
  let blockStart = -1;
  let blockEnd = -1;
  let at = start;
  while (at < end) {
    const byte = body[at] as number;
    if (byte === QUOTE) {
      const stringEnd = copyString(body, at, end, out, length);
      length += stringEnd - at;
      at = stringEnd;
      continue;
    }
    at++;
    if (byte <= 0x20) continue;
    out[length++] = byte;
    if (byte === 0x5b || byte === 0x7b) {
      if (depth++ === 0 && position === 0) blockStart = length;
    } else if (byte === 0x5d || byte === 0x7d) {
      if (--depth === 0 && commas === position) blockEnd = length - 1;
    } else if (byte === COMMA && depth === 1) {
      if (commas === position) blockEnd = length - 1;
      if (++commas === position) blockStart = length;
    }
  }
  const isEmpty = length === EMPTY.length;
  let count = isEmpty ? 0 : commas + 1;
  if (isEmpty) blockStart = -1;
  if (defaultsToLatest && count === position) {
    length = appendLatest(out, length, count);
    count++;
    blockEnd = length - 1;
    blockStart = blockEnd - LATEST.length;
  }
  shared.length = length;
  shared.count = count;
  shared.blockStart = blockStart;
  shared.blockEnd = blockEnd;
  return shared;
}

/** Adds `"latest"` as a last element. */
function appendLatest(out: Buffer, length: number, count: number): number {
  let at = length - 1;
  if (count > 0) out[at++] = COMMA;
  at += LATEST.copy(out, at);
  out[at++] = 0x5d;
  return at;
}

/** Copies a string with its quotes, hex in lower case; its length stays what it was. */
function copyString(body: Buffer, start: number, end: number, out: Buffer, to: number): number {
  out[to] = QUOTE;
  if (body[start + 1] === 0x30 && body[start + 2] === 0x78) {
    const hexEnd = copyHex(body, start + 3, out, to + 3);
    if (hexEnd > 0) {
      out[to + 1] = 0x30;
      out[to + 2] = 0x78;
      return hexEnd;
    }
  }
  let at = start + 1;
  let length = to + 1;
  while (at < end) {
    const byte = body[at++] as number;
    out[length++] = byte;
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) out[length++] = body[at++] as number;
  }
  return at;
}

/** Copies hex digits up to and with the closing quote; -1 when something else is among them. */
function copyHex(body: Buffer, start: number, out: Buffer, to: number): number {
  let at = start;
  let length = to;
  for (;;) {
    const byte = body[at++] as number;
    const lower = HEX[byte] as number;
    if (lower === 0) break;
    out[length++] = lower;
  }
  if (body[at - 1] !== QUOTE) return -1;
  out[length] = QUOTE;
  return at;
}

/** The lower-case form of each hex digit, 0 for every other byte. */
const HEX = Uint8Array.from({ length: 256 }, (_, byte) => {
  const isDigit = byte >= 0x30 && byte <= 0x39;
  const lower = byte | 0x20;
  const isLetter = byte >= 0x41 && lower >= 0x61 && lower <= 0x66;
  return isDigit ? byte : isLetter ? lower : 0;
});
