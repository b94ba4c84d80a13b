/**
 * The identity of an event, equal for every provider that reports it.
 *
 * Never the frame: it holds the provider's own subscription id. A log's key holds its index and the
 * `removed` flag, since two logs of one transaction, or a log and its retraction, are two events.
 */
import {
  firstOfMember,
  member,
  ownMember,
  resultMember,
  type SubscriptionFrame,
} from "./subscription-frame.ts";
import type { RaceEvent } from "./race/settled-race.ts";

/** SHA-256 as hex, supplied by the driver side. */
export type Digest = (bytes: Uint8Array) => string;

const m = {
  hash: member("hash"),
  number: member("number"),
  parentHash: member("parentHash"),
  timestamp: member("timestamp"),
  blockNumber: member("blockNumber"),
  blockHash: member("blockHash"),
  logIndex: member("logIndex"),
  removed: member("removed"),
  address: member("address"),
  topics: member("topics"),
};

/** The key of an event: hash; blockHash + logIndex + removed; tx hash; else digest of the result. */
export const messageKey = (event: RaceEvent, frame: SubscriptionFrame, digest: Digest): string => {
  switch (event) {
    case "newHeads": {
      const hash = ownMember(frame, m.hash);
      if (hash !== undefined && isHash(hash)) return hash;
      break;
    }
    case "logs": {
      const blockHash = resultMember(frame, m.blockHash);
      const logIndex = resultMember(frame, m.logIndex);
      if (blockHash === undefined || logIndex === undefined || !isHash(blockHash)) break;
      if (!logIndex.startsWith("0x")) break;
      return isRemoved(frame) ? `${blockHash}${logIndex}-` : `${blockHash}${logIndex}`;
    }
    case "newPendingTransactions": {
      const hash = pendingHash(frame);
      if (hash !== undefined) return hash;
      break;
    }
    // An unknown event is identified by its content.
  }
  return digest(frame.bytes.subarray(frame.resultStart, frame.resultEnd));
};

const hashChars = 66;

const isHash = (value: string): boolean => value.length === hashChars && value.startsWith("0x");

const isRemoved = (frame: SubscriptionFrame): boolean => resultMember(frame, m.removed) === "true";

/** A pending transaction is its hash, or, where the node sends bodies, the hash inside. */
const pendingHash = (frame: SubscriptionFrame): string | undefined => {
  const { resultStart, resultEnd, bytes, parsed, isParsed } = frame;
  if (isParsed && typeof parsed === "string") return isHash(parsed) ? parsed : undefined;
  if (bytes[resultStart] === 0x22) {
    const hash = bytes.toString("latin1", resultStart + 1, resultEnd - 1);
    return isHash(hash) ? hash : undefined;
  }
  const hash = ownMember(frame, m.hash);
  return hash !== undefined && isHash(hash) ? hash : undefined;
};

/** The facts of a head that head truth and subscriptions need. */
export interface HeadFields {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  /** Seconds since 1970 as the block says, or 0 when absent. */
  readonly timestampSec: number;
}

/** Reads a head; `undefined` when a field is missing or not what it must be. */
export const headFields = (frame: SubscriptionFrame): HeadFields | undefined => {
  const number = quantity(resultMember(frame, m.number));
  const hash = ownMember(frame, m.hash);
  const parentHash = ownMember(frame, m.parentHash);
  if (number === undefined || hash === undefined || parentHash === undefined) return undefined;
  if (!isHash(hash) || !isHash(parentHash)) return undefined;
  return {
    number,
    hash,
    parentHash,
    timestampSec: quantity(resultMember(frame, m.timestamp)) ?? 0,
  };
};

/** Where a log stands. */
export interface LogPlace {
  readonly hash: string;
  readonly number: number;
  readonly index: number;
  readonly isRemoved: boolean;
}

/** Reads where a log stands; `undefined` when a field is missing or not what it must be. */
export const logPlace = (frame: SubscriptionFrame): LogPlace | undefined => {
  const number = quantity(resultMember(frame, m.blockNumber));
  const hash = resultMember(frame, m.blockHash);
  const index = quantity(resultMember(frame, m.logIndex));
  if (number === undefined || hash === undefined || index === undefined) return undefined;
  if (!isHash(hash) || firstOfMember(frame, m.address) !== '"') return undefined;
  if (firstOfMember(frame, m.topics) !== "[") return undefined;
  return { hash, number, index, isRemoved: isRemoved(frame) };
};

/** What filters look at in a log, in lower case. */
export interface LogConditions {
  readonly address: string;
  readonly topics: readonly string[];
}

/** Reads what filters look at. */
export const logConditions = (frame: SubscriptionFrame): LogConditions => ({
  address: resultMember(frame, m.address)?.toLowerCase() ?? "",
  topics: topicsOf(resultMember(frame, m.topics)?.toLowerCase() ?? ""),
});

/** The height an event belongs to, as far as it says. */
export const blockNumberOf = (event: RaceEvent, frame: SubscriptionFrame): number | undefined => {
  if (event === "newPendingTransactions") return undefined;
  return quantity(resultMember(frame, event === "logs" ? m.blockNumber : m.number));
};

/** A 0x quantity as a safe integer. */
const quantity = (text: string | undefined): number | undefined => {
  if (text === undefined || text.length < 3 || !text.startsWith("0x")) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
};

const noTopics: readonly string[] = [];

/** The strings of an array. */
const topicsOf = (raw: string): readonly string[] => {
  const topics: string[] = [];
  for (let open = raw.indexOf('"'); open >= 0; ) {
    const close = raw.indexOf('"', open + 1);
    if (close < 0) return noTopics;
    topics.push(raw.slice(open + 1, close));
    open = raw.indexOf('"', close + 1);
  }
  return topics.length === 0 ? noTopics : topics;
};
