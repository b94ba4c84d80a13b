/**
 * The filter of a `logs` subscription: which logs a client asked for, decided locally.
 *
 * Semantics are eth_subscribe's: an address or a list of addresses; up to four topic positions, each
 * `null` (anything), one topic or a list of alternatives; a log with fewer topics than the filter has
 * positions never matches (as in geth, where `[null]` asks for at least one topic).
 */
import { keccak256 } from "../../../lib/keccak256.ts";
import { hexFault } from "./hex-fault.ts";

/** A parsed, canonical log filter; equal filters have equal keys. */
export interface LogFilter {
  /** Canonical text; clients with the same key share one stream. */
  readonly key: string;
  /** Lower-case addresses, `undefined` for any. */
  readonly addresses: ReadonlySet<string> | undefined;
  /** Per position: lower-case alternatives, `undefined` for any. */
  readonly topics: readonly (ReadonlySet<string> | undefined)[];
  /** For each condition the alternatives' bloom bits; computed at first use. */
  bloomBits: readonly (readonly BloomBits[])[] | undefined;
}

/** A filter, or why it is not one. */
export type FilterResult =
  | { readonly ok: true; readonly filter: LogFilter }
  | { readonly ok: false; readonly message: string };

type BloomBits = readonly [number, number, number];
type Alternatives = ReadonlySet<string> | undefined;

/** Most addresses, or alternatives in one topic position, that one filter may name. */
export const MAX_ALTERNATIVES = 1_000;
const MAX_TOPICS = 4;

const ADDRESS_BYTES = 20;
const TOPIC_BYTES = 32;
const TOO_MANY = "exceed max addresses or topics per search position";
const OPEN_ENDED = new Set<unknown>([undefined, null, "latest", "pending"]);

/**
 * Reads the second parameter of `eth_subscribe("logs", filter)`; absent means every log. A fault is
 * told in go-ethereum's words where it has some.
 */
export const parseFilter = (input: unknown): FilterResult => {
  if (input === undefined || input === null) return { ok: true, filter: everything };
  if (typeof input !== "object" || Array.isArray(input)) return refused("filter is not an object");
  const { address, topics, fromBlock, toBlock, blockHash } = input as Record<string, unknown>;
  if (blockHash !== undefined && blockHash !== null) {
    return refused("a subscription takes no blockHash");
  }
  if (!OPEN_ENDED.has(fromBlock) || !OPEN_ENDED.has(toBlock)) {
    return refused("a subscription starts now: fromBlock and toBlock may only be latest");
  }

  const addresses = readAddresses(address);
  if (typeof addresses === "string") return refused(addresses);
  const positions = readTopics(topics);
  if (typeof positions === "string") return refused(positions);
  if (addresses === undefined && positions.length === 0) return { ok: true, filter: everything };
  const key = [addresses, ...positions].map(keyOf).join("/");
  return { ok: true, filter: { key, addresses, topics: positions, bloomBits: undefined } };
};

/** True when a log with this address and these topics (lower-case) is asked for. */
export const matchesLog = (
  filter: LogFilter,
  address: string,
  topics: readonly string[],
): boolean => {
  if (filter.addresses !== undefined && !filter.addresses.has(address)) return false;
  if (topics.length < filter.topics.length) return false;
  for (let i = 0; i < filter.topics.length; i++) {
    const wanted = filter.topics[i];
    if (wanted !== undefined && !wanted.has(topics[i] ?? "")) return false;
  }
  return true;
};

/**
 * False only when the block's `logsBloom` proves that no log of it matches; an unreadable bloom
 * proves nothing. Bits as the yellow paper 4.3.1 defines them.
 */
export const bloomMayMatch = (filter: LogFilter, bloom: string | undefined): boolean => {
  if (bloom === undefined || bloom.length !== BLOOM_CHARS) return true;
  if (isEmptyBloom(bloom)) return false;
  filter.bloomBits ??= [filter.addresses, ...filter.topics].flatMap((wanted) =>
    wanted === undefined ? [] : [[...wanted].map(bitsOf)],
  );
  return filter.bloomBits.every((choices) =>
    choices.some((bits) => bits.every((bit) => isSet(bloom, bit))),
  );
};

/** True when the bloom proves that the block has no log at all. */
export const isEmptyBloom = (bloom: string | undefined): boolean =>
  bloom !== undefined && bloom.length === BLOOM_CHARS && NOTHING_SET.test(bloom);

const BLOOM_CHARS = 2 + 512;
const NOTHING_SET = /^0x0+$/;

/** A filter that takes every log. */
const everything: LogFilter = { key: "*", addresses: undefined, topics: [], bloomBits: [] };

const refused = (message: string): FilterResult => ({ ok: false, message });

const keyOf = (choice: Alternatives): string =>
  choice === undefined ? "*" : [...choice].sort().join(",");

/** The addresses that are asked for; a string says what is wrong with them. */
const readAddresses = (value: unknown): Alternatives | string => {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string" && !Array.isArray(value)) return "invalid addresses in query";
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) return undefined;
  if (list.length > MAX_ALTERNATIVES) return TOO_MANY;
  const addresses = new Set<string>();
  for (const [index, one] of list.entries()) {
    const where = Array.isArray(value) ? ` at index ${index}` : "";
    if (typeof one !== "string") return `non-string address${where}`;
    const fault = hexFault(one, ADDRESS_BYTES, "address");
    if (fault !== undefined) return `invalid address${where}: ${fault}`;
    addresses.add(one.toLowerCase());
  }
  return addresses;
};

/** The conditions by position; a string says what is wrong with them. */
const readTopics = (value: unknown): readonly Alternatives[] | string => {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return "topics is not an array";
  if (value.length > MAX_TOPICS) return "exceed max topics";
  const positions: Alternatives[] = [];
  for (const [position, topic] of value.entries()) {
    const choice = readTopic(topic);
    if (typeof choice === "string") return `${choice} (topics[${position}])`;
    positions.push(choice);
  }
  return positions;
};

const readTopic = (value: unknown): Alternatives | string => {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string" && !Array.isArray(value)) return "invalid topic(s)";
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  // As in go-ethereum: a null among the alternatives is anything.
  if (list.length === 0 || list.includes(null)) return undefined;
  if (list.length > MAX_ALTERNATIVES) return TOO_MANY;
  const choice = new Set<string>();
  for (const one of list) {
    if (typeof one !== "string") return "invalid topic(s)";
    const fault = hexFault(one, TOPIC_BYTES, "topic");
    if (fault !== undefined) return fault;
    choice.add(one.toLowerCase());
  }
  return choice;
};

const bitsOf = (hex: string): BloomBits => {
  const digest = keccak256(Buffer.from(hex.slice(2), "hex"));
  const bit = (at: number) => (((digest[at] ?? 0) << 8) | (digest[at + 1] ?? 0)) & 0x7ff;
  return [bit(0), bit(2), bit(4)];
};

const isSet = (bloom: string, bit: number): boolean => {
  const nibble = Number.parseInt(bloom[BLOOM_CHARS - 1 - (bit >> 2)] ?? "0", 16);
  return ((nibble >> (bit & 3)) & 1) === 1;
};
