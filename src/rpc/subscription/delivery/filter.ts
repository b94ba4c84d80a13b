/**
 * The filter of a `logs` subscription: which logs a client asked for, decided locally.
 *
 * Semantics are eth_subscribe's: an address or a list of addresses; up to four topic positions, each
 * `null` (anything), one topic or a list of alternatives; a log with fewer topics than the filter has
 * positions never matches (as in geth, where `[null]` asks for at least one topic).
 */
import { keccak256 } from "../../../lib/keccak256.ts";

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

const ADDRESS = /^0x[0-9a-f]{40}$/;
const TOPIC = /^0x[0-9a-f]{64}$/;
const OPEN_ENDED = new Set<unknown>([undefined, null, "latest", "pending"]);

/** Reads the second parameter of `eth_subscribe("logs", filter)`; absent means every log. */
export const parseFilter = (input: unknown): FilterResult => {
  if (input === undefined || input === null) return { ok: true, filter: everything };
  if (typeof input !== "object" || Array.isArray(input)) return refused("filter is not an object");
  const { address, topics, fromBlock, toBlock, blockHash } = input as Record<string, unknown>;
  if (blockHash !== undefined) return refused("a subscription takes no blockHash");
  if (!OPEN_ENDED.has(fromBlock) || !OPEN_ENDED.has(toBlock)) {
    return refused("a subscription starts now: fromBlock and toBlock may only be latest");
  }

  const addresses = alternatives(address, ADDRESS);
  if (typeof addresses === "string") return refused(`address: ${addresses}`);
  if (topics !== undefined && topics !== null && !Array.isArray(topics)) {
    return refused("topics is not an array");
  }
  const positions: Alternatives[] = [];
  for (const [position, topic] of ((topics as unknown[] | null | undefined) ?? []).entries()) {
    if (position >= MAX_TOPICS) return refused(`more than ${MAX_TOPICS} topic positions`);
    const choice = alternatives(topic, TOPIC);
    if (typeof choice === "string") return refused(`topics[${position}]: ${choice}`);
    positions.push(choice);
  }
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

/** The alternatives of one condition; a string says what is wrong with it. */
const alternatives = (value: unknown, shape: RegExp): Alternatives | string => {
  if (value === undefined || value === null) return undefined;
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) return undefined;
  if (list.length > MAX_ALTERNATIVES) return `more than ${MAX_ALTERNATIVES} alternatives`;
  const choice = new Set<string>();
  for (const item of list) {
    const text = typeof item === "string" ? item.toLowerCase() : "";
    if (!shape.test(text)) return "not a hex string of the right length";
    choice.add(text);
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
