/**
 * `eth_getLogs`: every log lies inside the asked range, passes the asked filter, and stands behind
 * the one before it. Wrong logs are found, missing ones cannot be: that takes a quorum.
 */
import { quantityAt, skipSpace, skipValue } from "../json-rpc/json-bytes.ts";
import { closeObject, createFound, elementAt, findMembers, hexAt, wanted } from "./members.ts";
import type { Answered, Fault } from "./question.ts";

/** Larger answers are not walked: it would hold up everybody else. */
const MAX_CHECKED_BYTES = 1024 * 1024;
/** A filter with more bytes names thousands of addresses; its answers are not held against it. */
const MAX_FILTER_BYTES = 16 * 1024;

const FILTER = wanted("fromBlock", "toBlock", "blockHash", "address", "topics");
const LOG = wanted("blockNumber", "logIndex", "address", "blockHash", "topics");
const filterAt = createFound(FILTER);
const logAt = createFound(LOG);

/** One lower-case value, several, or anything. */
type Choice = string | ReadonlySet<string> | undefined;

interface LogFilter {
  readonly fromBlock: number;
  readonly toBlock: number;
  readonly blockHash: string | undefined;
  readonly addresses: Choice;
  readonly topics: readonly Choice[];
}

/** Checks a whole list of logs against its filter. */
export function checkLogs(answered: Answered): Fault {
  const { bytes, start, end } = answered;
  // Old nodes say `null` where they mean none; other shapes are for the client to judge.
  if (bytes[start] !== 0x5b) return undefined;
  if (end - start > MAX_CHECKED_BYTES) return undefined;
  let at = skipSpace(bytes, start + 1, end);
  if (bytes[at] === 0x5d) return undefined;
  const filter = readFilter(answered);
  if (filter === undefined) return undefined;
  let lastNumber = -1;
  let lastIndex = -1;
  for (;;) {
    const stop = findMembers(bytes, at, end, LOG, logAt);
    if (stop < 0) return "a log is no object";
    const number = quantityAt(bytes, logAt[0] as number, logAt[1] as number);
    const index = quantityAt(bytes, logAt[2] as number, logAt[3] as number);
    const fault = outOfRange(filter, bytes, number) ?? unasked(filter, bytes);
    if (fault !== undefined) return fault;
    if (number >= 0 && index >= 0) {
      if (number < lastNumber) return `logs of block ${number} follow those of ${lastNumber}`;
      if (number === lastNumber && index <= lastIndex) {
        return `log ${index} of block ${number} follows log ${lastIndex}`;
      }
      lastNumber = number;
      lastIndex = index;
    }
    at = closeObject(bytes, stop, end);
    if (at < 0) return "a log is cut";
    at = skipSpace(bytes, at, end);
    if (bytes[at] !== 0x2c) return undefined;
    at = skipSpace(bytes, at + 1, end);
  }
}

function outOfRange(filter: LogFilter, bytes: Buffer, number: number): Fault {
  if (filter.blockHash !== undefined) {
    const hash = hexAt(bytes, logAt[6] as number, logAt[7] as number);
    return hash === undefined || hash === filter.blockHash
      ? undefined
      : "a log of another block was sent";
  }
  if (number < 0 || (number >= filter.fromBlock && number <= filter.toBlock)) return undefined;
  return `a log of block ${number} was sent for ${filter.fromBlock} to ${filter.toBlock}`;
}

function unasked({ addresses, topics }: LogFilter, bytes: Buffer): Fault {
  if (addresses !== undefined) {
    const address = hexAt(bytes, logAt[4] as number, logAt[5] as number);
    if (address !== undefined && !isAmong(addresses, address))
      return "a log of another address was sent";
  }
  if (topics.length === 0) return undefined;
  const from = logAt[8] as number;
  const to = logAt[9] as number;
  if (from < 0 || bytes[from] !== 0x5b) return undefined;
  let at = skipSpace(bytes, from + 1, to);
  for (const choice of topics) {
    if (bytes[at] !== 0x22) return "a log with too few topics was sent";
    const after = skipValue(bytes, at, to, 1);
    if (after < 0) return undefined;
    if (choice !== undefined && !isAmong(choice, hexAt(bytes, at, after) ?? "")) {
      return "a log with another topic was sent";
    }
    at = skipSpace(bytes, after, to);
    if (bytes[at] === 0x2c) at = skipSpace(bytes, at + 1, to);
  }
  return undefined;
}

/** The filter as far as it can be held against logs; `undefined` when it cannot be read. */
function readFilter({ body, paramsStart, paramsEnd }: Answered): LogFilter | undefined {
  if (paramsEnd - paramsStart > MAX_FILTER_BYTES) return undefined;
  const at = elementAt(body, paramsStart, paramsEnd, 0);
  if (at < 0 || findMembers(body, at, paramsEnd, FILTER, filterAt) < 0) return undefined;
  const number = (which: number): number =>
    quantityAt(body, filterAt[which * 2] as number, filterAt[which * 2 + 1] as number);
  const value = (which: number): unknown => {
    const from = filterAt[which * 2] as number;
    const to = filterAt[which * 2 + 1] as number;
    if (from < 0) return undefined;
    // Nearly always one address: a string of hex needs no parser.
    return hexAt(body, from, to) ?? JSON.parse(body.toString("utf8", from, to));
  };
  const to = number(1);
  const topics = value(4);
  return {
    fromBlock: number(0),
    // A tag may mean any height by now.
    toBlock: to < 0 ? Number.POSITIVE_INFINITY : to,
    blockHash: hexAt(body, filterAt[4] as number, filterAt[5] as number),
    addresses: choiceOf(value(3)),
    topics: Array.isArray(topics) ? topics.map(choiceOf) : [],
  };
}

function isAmong(choice: string | ReadonlySet<string>, value: string): boolean {
  return typeof choice === "string" ? choice === value : choice.has(value);
}

/** Lower-case alternatives; `undefined` for anything, which an empty list means too. */
function choiceOf(value: unknown): Choice {
  if (typeof value === "string") return value.toLowerCase();
  if (!Array.isArray(value)) return undefined;
  const texts = value.filter((item) => typeof item === "string");
  return texts.length === 0 ? undefined : new Set(texts.map((text) => text.toLowerCase()));
}
