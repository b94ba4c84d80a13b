/**
 * Finds in an answer where the id stands and whether it is a result or an error, without parsing
 * the result: walks the top-level members up to the key `result` or `error`.
 *
 * Only that key at top level decides. Call traces carry `"error":"execution reverted"` inside their
 * result, so nothing here searches for words.
 */
import {
  INCOMPLETE,
  isWordAt,
  skipColon,
  skipNumber,
  skipSpace,
  skipString,
  skipValue,
} from "./json-bytes.ts";
import { ID_WIDTH, readId } from "./upstream-id.ts";

/** What the head of an answer says. */
export type ReplyKind =
  /** A result begins at `valueAt`. */
  | "result"
  /** A non-null error begins at `valueAt`. */
  | "error"
  /** The bytes end before the answer is decided. */
  | "more"
  /** Not a JSON-RPC answer. */
  | "bad";

/** Filled by `walkReply`; copy what you keep, the record is shared. */
export interface ReplyHead {
  kind: ReplyKind;
  /** Range of the id token, or -1 when it did not come before the value. */
  idStart: number;
  idEnd: number;
  valueAt: number;
}

const head: ReplyHead = { kind: "bad", idStart: -1, idEnd: -1, valueAt: -1 };

/**
 * Walks `bytes` from its start; `isWhole` says that nothing follows. A `result: null` is decided by
 * what follows it, since an `error` beside it makes it one.
 */
export function walkReply(bytes: Uint8Array, end: number, isWhole: boolean): ReplyHead {
  head.idStart = -1;
  head.idEnd = -1;
  head.valueAt = -1;
  head.kind = walk(bytes, end, isWhole ? "bad" : "more");
  return head;
}

function walk(bytes: Uint8Array, end: number, short: ReplyKind): ReplyKind {
  let nullAt = -1;
  let at = skipSpace(bytes, 0, end);
  if (at >= end) return short;
  if (bytes[at] !== 0x7b) return "bad";
  at = skipSpace(bytes, at + 1, end);
  for (;;) {
    if (at >= end) return short;
    if (bytes[at] !== 0x22) return "bad";
    const keyAt = at + 1;
    const keyEnd = skipString(bytes, at, end);
    at = skipColon(bytes, keyEnd, end);
    if (at < 0) return at === INCOMPLETE ? short : "bad";
    if (at >= end) return short;
    const length = keyEnd - 1 - keyAt;
    const first = bytes[keyAt] as number;
    if (length === 6 && first === 0x72 && isWordAt(bytes, keyAt, RESULT)) {
      if (bytes[at] !== 0x6e) return found(at, "result");
      nullAt = at;
    } else if (length === 5 && first === 0x65 && isWordAt(bytes, keyAt, ERROR)) {
      if (bytes[at] !== 0x6e) return found(at, "error");
    } else if (length === 2 && first === 0x69 && bytes[keyAt + 1] === 0x64) {
      // A number that touches the end may go on in the next chunk.
      const tokenEnd = skipToken(bytes, at, end);
      if (tokenEnd < 0) return tokenEnd === INCOMPLETE ? short : "bad";
      if (tokenEnd >= end) return short;
      head.idStart = at;
      head.idEnd = tokenEnd;
      at = skipSpace(bytes, tokenEnd, end);
      if (at >= end) return short;
      if (bytes[at] === 0x2c) {
        at = skipSpace(bytes, at + 1, end);
        continue;
      }
      return bytes[at] === 0x7d ? closed(nullAt) : "bad";
    }
    at = skipValue(bytes, at, end, 1);
    if (at < 0) return at === INCOMPLETE ? short : "bad";
    at = skipSpace(bytes, at, end);
    if (at >= end) return short;
    if (bytes[at] === 0x7d) return closed(nullAt);
    if (bytes[at] !== 0x2c) return "bad";
    at = skipSpace(bytes, at + 1, end);
  }
}

function found(at: number, kind: ReplyKind): ReplyKind {
  head.valueAt = at;
  return kind;
}

function closed(nullAt: number): ReplyKind {
  return nullAt < 0 ? "bad" : found(nullAt, "result");
}

function skipToken(bytes: Uint8Array, from: number, end: number): number {
  const byte = bytes[from] as number;
  return byte >= 0x30 && byte <= 0x39
    ? skipNumber(bytes, from, end)
    : skipValue(bytes, from, end, 1);
}

const RESULT = Buffer.from("result");
const ERROR = Buffer.from("error");

/** Bytes of a body's end that hold a trailing id with any sensible spacing. */
export const TAIL_BYTES = 64;

/**
 * Position of an id of our width at the end of a whole body, `,"id":N}`, or -1. Such an ending lies
 * at top level in every valid body: inner objects end in `}}` or `]}`, strings in `"}`. The version
 * may stand behind the id: an unescaped quote before `2.0` opens that very string.
 */
export function tailIdAt(bytes: Uint8Array, end: number): number {
  let at = backSpace(bytes, end);
  if (at < 1 || bytes[at - 1] !== 0x7d) return -1;
  const tokenEnd = backVersion(bytes, backSpace(bytes, at - 1));
  const start = tokenEnd - ID_WIDTH;
  if (start < 1 || readId(bytes, start, tokenEnd) < 0) return -1;
  at = backSpace(bytes, start);
  if (at < 6 || bytes[at - 1] !== 0x3a) return -1;
  at = backSpace(bytes, at - 1);
  if (
    at < 5 ||
    bytes[at - 1] !== 0x22 ||
    bytes[at - 2] !== 0x64 ||
    bytes[at - 3] !== 0x69 ||
    bytes[at - 4] !== 0x22
  ) {
    return -1;
  }
  at = backSpace(bytes, at - 4);
  return at >= 1 && bytes[at - 1] === 0x2c ? start : -1;
}

const VERSION_TAIL = Buffer.from('"2.0"');
const VERSION_KEY = Buffer.from('"jsonrpc"');

/** Steps back over a trailing `,"jsonrpc":"2.0"`, when there is one. */
function backVersion(bytes: Uint8Array, from: number): number {
  let at = backWord(bytes, from, VERSION_TAIL);
  if (at < 1 || bytes[at - 1] !== 0x3a) return from;
  at = backWord(bytes, backSpace(bytes, at - 1), VERSION_KEY);
  return at < 1 || bytes[at - 1] !== 0x2c ? from : backSpace(bytes, at - 1);
}

/** Position before `word` and the white space in front of it, or -1 when it does not end at `from`. */
function backWord(bytes: Uint8Array, from: number, word: Uint8Array): number {
  const start = from - word.length;
  if (start < 0) return -1;
  for (let index = word.length - 1; index >= 0; index--) {
    if (bytes[start + index] !== word[index]) return -1;
  }
  return backSpace(bytes, start);
}

function backSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at > 0) {
    const byte = bytes[at - 1] as number;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    at--;
  }
  return at;
}

/** Whether a whole body ends like an object does; a cut one rarely does. */
export function endsLikeObject(bytes: Uint8Array, end: number): boolean {
  const at = backSpace(bytes, end);
  return at > 0 && bytes[at - 1] === 0x7d;
}

/** Range of the id token of a whole answer in any position, by walking all of it; -1 without one. */
export function findId(bytes: Uint8Array, end: number): { start: number; end: number } {
  const none = { start: -1, end: -1 };
  let at = skipSpace(bytes, 0, end);
  if (bytes[at] !== 0x7b) return none;
  at = skipSpace(bytes, at + 1, end);
  while (at < end && bytes[at] === 0x22) {
    const keyAt = at + 1;
    const keyEnd = skipString(bytes, at, end);
    const valueAt = skipColon(bytes, keyEnd, end);
    if (valueAt < 0) return none;
    at = skipValue(bytes, valueAt, end, 1);
    if (at < 0) return none;
    if (keyEnd - 1 - keyAt === 2 && bytes[keyAt] === 0x69 && bytes[keyAt + 1] === 0x64) {
      return { start: valueAt, end: at };
    }
    at = skipSpace(bytes, at, end);
    if (bytes[at] !== 0x2c) return none;
    at = skipSpace(bytes, at + 1, end);
  }
  return none;
}
