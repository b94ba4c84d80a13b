/**
 * The checks that every whole answer passes: does it speak of what was asked, and does it agree with
 * the blocks that the chain is known to have? One row per method; a method without a row costs one
 * look into a map.
 */
import { quantityAt, skipValue } from "../json-rpc/json-bytes.ts";
import { checkLogs } from "./log-checks.ts";
import {
  createFound,
  elementAt,
  findMembers,
  hexAt,
  sameHex,
  wanted,
  type Wanted,
} from "./members.ts";
import type { Answered, AnswerCheck, Fault } from "./question.ts";

/** The check of a method; `undefined` when there is nothing to check. */
export const answerCheck = (method: string): AnswerCheck | undefined => CHECKS.get(method);

const NUMBER = 0;
const HASH = 1;
const PARENT = 2;
const BLOCK = wanted("number", "hash", "parentHash");
const place = createFound(BLOCK);

/** `eth_getBlockByNumber`: its number is the asked one, its hash and parent are the chain's. */
function checkBlockByNumber(answered: Answered): Fault {
  const { bytes, start, end, body, paramsStart, paramsEnd, provider, ring } = answered;
  if (bytes[start] !== 0x7b) return undefined;
  if (findMembers(bytes, start, end, BLOCK, place) < 0) return undefined;
  const number = numberAt(bytes, NUMBER);
  const at = elementAt(body, paramsStart, paramsEnd, 0);
  const asked = at < 0 ? -1 : quantityAt(body, at, skipValue(body, at, paramsEnd, 1));
  if (asked >= 0 && number !== asked) return `block ${number} was sent for block ${asked}`;
  if (ring === undefined || number < 0) return undefined;
  const hash = hexAt(bytes, place[HASH * 2] as number, place[HASH * 2 + 1] as number);
  // A pending block has no hash yet.
  if (hash === undefined || hash.length !== HASH_CHARS) return undefined;
  const parent = hexAt(bytes, place[PARENT * 2] as number, place[PARENT * 2 + 1] as number);
  const { blockTimeMs } = answered;
  const isRefused = ring.contradicts(provider, number, hash, blockTimeMs);
  const isOrphan =
    parent !== undefined && ring.contradicts(provider, number - 1, parent, blockTimeMs);
  ring.note(provider, number, hash);
  if (parent !== undefined) ring.note(provider, number - 1, parent);
  if (isRefused) return `block ${number} has another hash at the other providers`;
  if (isOrphan) return `block ${number} does not follow the known block ${number - 1}`;
  return undefined;
}

/** `eth_getBlockByHash`: its hash is the asked one; a known hash stands at its known height. */
function checkBlockByHash(answered: Answered): Fault {
  const { bytes, start, end, body, paramsStart, paramsEnd, ring } = answered;
  if (bytes[start] !== 0x7b) return undefined;
  if (findMembers(bytes, start, end, BLOCK, place) < 0) return undefined;
  const from = place[HASH * 2] as number;
  const to = place[HASH * 2 + 1] as number;
  const at = elementAt(body, paramsStart, paramsEnd, 0);
  if (at < 0) return undefined;
  const askedEnd = skipValue(body, at, paramsEnd, 1);
  if (from < 0) return undefined;
  if (!sameHex(bytes, from, to, body, at, askedEnd)) {
    return "a block with another hash was sent";
  }
  const hash = ring === undefined ? undefined : hexAt(bytes, from, to);
  const known = hash === undefined ? -1 : (ring?.numberOf(hash) ?? -1);
  const number = numberAt(bytes, NUMBER);
  return known >= 0 && known !== number
    ? `block ${number} was sent for a hash of block ${known}`
    : undefined;
}

const HASH_CHARS = 66;

function numberAt(bytes: Buffer, which: number): number {
  return quantityAt(bytes, place[which * 2] as number, place[which * 2 + 1] as number);
}

/** The asked hash, `params[0]`, stands in this member of the answer. */
function echoesHash(member: string, what: string): AnswerCheck {
  const names: Wanted = wanted(member);
  const found = createFound(names);
  return ({ bytes, start, end, body, paramsStart, paramsEnd }) => {
    if (bytes[start] !== 0x7b) return undefined;
    if (findMembers(bytes, start, end, names, found) < 0) return undefined;
    const at = elementAt(body, paramsStart, paramsEnd, 0);
    if (at < 0) return undefined;
    const from = found[0] as number;
    if (from < 0) return undefined;
    const askedEnd = skipValue(body, at, paramsEnd, 1);
    return sameHex(bytes, from, found[1] as number, body, at, askedEnd)
      ? undefined
      : `${what} with another hash was sent`;
  };
}

/** The asked quantity or hash of the block, `params[0]`, stands in this member of the first item. */
function echoesBlock(isFirstItem: boolean): AnswerCheck {
  const names: Wanted = wanted("blockNumber", "blockHash");
  const found = createFound(names);
  return ({ bytes, start, end, body, paramsStart, paramsEnd }) => {
    const from = isFirstItem ? elementAt(bytes, start, end, 0) : start;
    if (from < 0 || bytes[from] !== 0x7b) return undefined;
    if (findMembers(bytes, from, end, names, found) < 0) return undefined;
    const at = elementAt(body, paramsStart, paramsEnd, 0);
    if (at < 0 || body[at] !== 0x22) return undefined;
    const askedEnd = skipValue(body, at, paramsEnd, 1);
    const asked = quantityAt(body, at, askedEnd);
    if (asked >= 0) {
      const number = quantityAt(bytes, found[0] as number, found[1] as number);
      return number === asked ? undefined : `an answer of block ${number} was sent for ${asked}`;
    }
    const hashAt = found[2] as number;
    if (askedEnd - at !== HASH_CHARS + 2 || hashAt < 0) return undefined;
    return sameHex(bytes, hashAt, found[3] as number, body, at, askedEnd)
      ? undefined
      : "an answer of another block was sent";
  };
}

const CHECKS: ReadonlyMap<string, AnswerCheck> = new Map<string, AnswerCheck>([
  ["eth_getBlockByNumber", checkBlockByNumber],
  ["eth_getBlockByHash", checkBlockByHash],
  ["eth_getTransactionByHash", echoesHash("hash", "a transaction")],
  ["eth_getTransactionReceipt", echoesHash("transactionHash", "a receipt")],
  ["eth_getBlockReceipts", echoesBlock(true)],
  ["eth_getTransactionByBlockNumberAndIndex", echoesBlock(false)],
  ["eth_getTransactionByBlockHashAndIndex", echoesBlock(false)],
  ["eth_getLogs", checkLogs],
]);
