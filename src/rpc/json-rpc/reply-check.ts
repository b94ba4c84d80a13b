/**
 * What is wrong with a whole answer besides its id: bytes that are no UTF-8, members that contradict
 * each other, levels without end. Small answers are walked; in large ones only what a search of the
 * bytes finds suspicious is, since a walk costs more than all else that is done with them.
 */
import { isUtf8 } from "node:buffer";
import {
  INCOMPLETE,
  MAX_DEPTH,
  skipColon,
  skipSpace,
  skipString,
  skipValue,
  TOO_DEEP,
} from "./json-bytes.ts";

/** Answers up to this size are walked to their end. */
const WALKED_BYTES = 512;

const RESULT_KEY = Buffer.from('"result"');
const ERROR_KEY = Buffer.from('"error"');
/** No answer of a node opens so many arrays in a row: it is made to break whoever parses it. */
const DEEP = Buffer.from("[".repeat(MAX_DEPTH + 1));

/** What makes an answer, whose result begins at `valueAt`, unfit to be passed on. */
export function replyFault(body: Buffer, valueAt: number): string | undefined {
  if (!isUtf8(body)) return "answer is not valid UTF-8";
  if (body.length <= WALKED_BYTES) return memberFault(body);
  if (body[valueAt] === 0x5b && body.includes(DEEP, valueAt)) return DEEP_FAULT;
  const after = valueAt + 1;
  return body.includes(RESULT_KEY, after) || body.includes(ERROR_KEY, after)
    ? memberFault(body)
    : undefined;
}

/** Walks all members of an answer: it has one id, and either one result or one error. */
export function memberFault(body: Buffer): string | undefined {
  const end = body.length;
  const seen = { id: 0, result: 0, error: 0 };
  let at = skipSpace(body, skipSpace(body, 0, end) + 1, end);
  while (at < end && body[at] === 0x22) {
    const key = body.toString("latin1", at + 1, Math.min(end, at + 1 + LONGEST_KEY));
    const valueAt = skipColon(body, skipString(body, at, end), end);
    if (valueAt < 0) return CUT;
    const isNull = body[valueAt] === 0x6e;
    if (key.startsWith('id"')) seen.id++;
    else if (key.startsWith('result"') && !isNull) seen.result++;
    else if (key.startsWith('error"') && !isNull) seen.error++;
    at = end <= WALKED_BYTES ? skipValue(body, valueAt, end, 1) : skipLoosely(body, valueAt, end);
    if (at < 0) return at === TOO_DEEP ? DEEP_FAULT : CUT;
    at = skipSpace(body, at, end);
    if (body[at] === 0x7d) {
      if (skipSpace(body, at + 1, end) !== end) return "answer has bytes behind it";
      return contradiction(seen);
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
/** `result` and its closing quote. */
const LONGEST_KEY = 7;

/** What contradicts what among the members that were counted. */
function contradiction(seen: {
  readonly id: number;
  readonly result: number;
  readonly error: number;
}): string | undefined {
  if (seen.result + seen.error > 1) return CONTRADICTION;
  return seen.id > 1 ? "answer has more than one id" : undefined;
}

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
