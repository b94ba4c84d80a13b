/**
 * Which block an answer says it belongs to: read from the top-level members of its result, which is
 * neither parsed nor walked further than needed (nodes send both members early).
 */
import { skipColon, skipSpace, skipString, skipValue } from "../json-rpc/json-bytes.ts";
import { quantity } from "../json-rpc/quantity.ts";

/** A block as an answer names it. */
export interface AnswerBlock {
  readonly number: number;
  readonly hash: string;
}

const HASH_CHARS = 66;

/**
 * The block of the result at `start..end`: of a block itself, of a transaction or receipt, or of the
 * first element of a list of receipts, logs or traces. `undefined` when it names none.
 */
export function answerBlock(bytes: Buffer, start: number, end: number): AnswerBlock | undefined {
  let at = start;
  if (bytes[at] === 0x5b) at = skipSpace(bytes, at + 1, end);
  if (bytes[at] !== 0x7b) return undefined;
  let own: Partial<AnswerBlock> = {};
  let outer: Partial<AnswerBlock> = {};
  at = skipSpace(bytes, at + 1, end);
  while (at < end && bytes[at] === 0x22) {
    const keyAt = at + 1;
    const keyEnd = skipString(bytes, at, end);
    const valueAt = skipColon(bytes, keyEnd, end);
    if (valueAt < 0) return undefined;
    const valueEnd = skipValue(bytes, valueAt, end, 1);
    if (valueEnd < 0) return undefined;
    switch (keyEnd - 1 - keyAt <= LONGEST_KEY ? bytes.toString("latin1", keyAt, keyEnd - 1) : "") {
      case "blockHash":
        outer = { ...outer, ...hashAt(bytes, valueAt, valueEnd) };
        break;
      case "blockNumber":
        outer = { ...outer, ...numberAt(bytes, valueAt, valueEnd) };
        break;
      case "hash":
        own = { ...own, ...hashAt(bytes, valueAt, valueEnd) };
        break;
      case "number":
        own = { ...own, ...numberAt(bytes, valueAt, valueEnd) };
        break;
    }
    if (isComplete(outer)) return outer;
    if (isComplete(own)) return own;
    at = skipSpace(bytes, valueEnd, end);
    if (bytes[at] !== 0x2c) return undefined;
    at = skipSpace(bytes, at + 1, end);
  }
  return undefined;
}

/** `blockNumber` */
const LONGEST_KEY = 11;

function isComplete(block: Partial<AnswerBlock>): block is AnswerBlock {
  return block.hash !== undefined && block.number !== undefined;
}

function hashAt(bytes: Buffer, start: number, end: number): Partial<AnswerBlock> {
  const hash = textAt(bytes, start, end, HASH_CHARS);
  return hash.length === HASH_CHARS && hash.startsWith("0x") ? { hash: hash.toLowerCase() } : {};
}

function numberAt(bytes: Buffer, start: number, end: number): Partial<AnswerBlock> {
  const text = textAt(bytes, start, end, 18);
  const number = quantity(text);
  return number === undefined ? {} : { number };
}

function textAt(bytes: Buffer, start: number, end: number, maxChars: number): string {
  return bytes[start] === 0x22 && end - start - 2 <= maxChars
    ? bytes.toString("latin1", start + 1, end - 1)
    : "";
}
