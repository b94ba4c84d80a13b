/**
 * What is wrong with a whole answer besides its id: bytes that are no UTF-8, members that contradict
 * each other, levels without end. Small answers are walked; large ones only when their end looks as
 * if something stood behind the result, since a walk costs more than all else that is done with them.
 */
import { isUtf8 } from "node:buffer";
import {
  INCOMPLETE,
  isWordAt,
  MAX_DEPTH,
  skipColon,
  skipSpace,
  skipString,
  skipValue,
  TOO_DEEP,
} from "./json-bytes.ts";

/** Answers up to this size are walked to their end. */
const WALKED_BYTES = 512;
/** Bytes of a larger answer's end that are searched for what does not belong behind a result. */
const SEARCHED_BYTES = 256;

const RESULT_KEY = Buffer.from('"result"');
const ERROR_KEY = Buffer.from('"error"');
/** No answer of a node opens so many arrays in a row: it is made to break whoever parses it. */
const DEEP = Buffer.from("[".repeat(MAX_DEPTH + 1));

/** What makes an answer, whose result begins at `valueAt`, unfit to be passed on. */
export function replyFault(body: Buffer, valueAt: number): string | undefined {
  if (!isText(body)) return "answer is not valid UTF-8";
  const end = body.length;
  if (end <= WALKED_BYTES) return memberFault(body);
  if (body[valueAt] === 0x5b && body.includes(DEEP, valueAt)) return DEEP_FAULT;
  const tail = body.subarray(Math.max(valueAt + 1, end - SEARCHED_BYTES));
  return tail.includes(ERROR_KEY) || tail.includes(RESULT_KEY) ? memberFault(body) : undefined;
}

/** Bodies below this are looked through here; the way into native code takes longer. */
const SHORT_BYTES = 128;

function isText(body: Buffer): boolean {
  if (body.length > SHORT_BYTES) return isUtf8(body);
  for (let at = 0; at < body.length; at++) if ((body[at] as number) > 0x7f) return isUtf8(body);
  return true;
}

/** Walks all members of an answer: it has one id, and either one result or one error. */
export function memberFault(body: Buffer): string | undefined {
  const end = body.length;
  let ids = 0;
  let outcomes = 0;
  let at = skipSpace(body, skipSpace(body, 0, end) + 1, end);
  while (at < end && body[at] === 0x22) {
    const keyAt = at + 1;
    const keyEnd = skipString(body, at, end);
    const valueAt = skipColon(body, keyEnd, end);
    if (valueAt < 0) return CUT;
    const length = keyEnd - 1 - keyAt;
    const first = body[keyAt];
    if (length === 2 && first === 0x69 && body[keyAt + 1] === 0x64) ids++;
    else if (
      ((length === 6 && first === 0x72 && isWordAt(body, at, RESULT_KEY)) ||
        (length === 5 && first === 0x65 && isWordAt(body, at, ERROR_KEY))) &&
      body[valueAt] !== 0x6e
    ) {
      outcomes++;
    }
    at = end <= WALKED_BYTES ? skipValue(body, valueAt, end, 1) : skipLoosely(body, valueAt, end);
    if (at < 0) return at === TOO_DEEP ? DEEP_FAULT : CUT;
    at = skipSpace(body, at, end);
    if (body[at] === 0x7d) {
      if (skipSpace(body, at + 1, end) !== end) return "answer has bytes behind it";
      if (outcomes > 1) return CONTRADICTION;
      return ids > 1 ? "answer has more than one id" : undefined;
    }
    if (body[at] !== 0x2c) return CUT;
    at = skipSpace(body, at + 1, end);
  }
  return CUT;
}

/** The answer says two things at once. */
export const CONTRADICTION = "answer has more than one result or error";
const CUT = "answer is cut or not JSON";
const DEEP_FAULT = "answer is nested too deep";

/** Levels of a large answer: a trace of 1,024 calls within each other has twice as many. */
const MAX_ANSWER_DEPTH = 4096;

/** Behind a value of any depth, counting brackets only: who relays it need not know its grammar. */
function skipLoosely(body: Buffer, from: number, end: number): number {
  const first = body[from];
  if (first !== 0x7b && first !== 0x5b) return skipValue(body, from, end, 1);
  let depth = 0;
  let at = from;
  while (at < end) {
    const byte = body[at] as number;
    if (byte === 0x22) {
      at = skipString(body, at, end);
      if (at < 0) return at;
      continue;
    }
    at++;
    if (byte === 0x7b || byte === 0x5b) {
      if (++depth > MAX_ANSWER_DEPTH) return TOO_DEEP;
    } else if ((byte === 0x7d || byte === 0x5d) && --depth === 0) return at;
  }
  return INCOMPLETE;
}
