/**
 * What a log filter asks for, as `eth_newFilter` takes it. The rules are go-ethereum's: a filter tells
 * of logs that come after its making, within its range; only `eth_getFilterLogs` looks back.
 */
import { quantity } from "../json-rpc/quantity.ts";
import { parseFilter } from "../subscription/delivery/filter.ts";

/** A log filter. */
export interface LogCriteria {
  /** The client's own words, for `eth_getFilterLogs`. */
  readonly original: Readonly<Record<string, unknown>>;
  /** Address and topics, to be asked with another range. */
  readonly matching: Readonly<Record<string, unknown>>;
  /** First and last block whose logs are told. */
  readonly fromBlock: number;
  readonly toBlock: number;
}

/** A filter, or why it is none. */
export type CriteriaResult =
  | { readonly ok: true; readonly criteria: LogCriteria }
  | { readonly ok: false; readonly message: string };

/** Reads the parameter of `eth_newFilter`. */
export const readCriteria = (input: unknown): CriteriaResult => {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return refused("the filter is not an object");
  }
  const original = input as Record<string, unknown>;
  const { address, topics, fromBlock, toBlock, blockHash } = original;
  const parsed = parseFilter({ address, topics });
  if (!parsed.ok) return refused(parsed.message);
  const matching = {
    ...(address === undefined || address === null ? {} : { address }),
    ...(topics === undefined || topics === null ? {} : { topics }),
  };
  if (blockHash !== undefined && blockHash !== null) {
    if (isGiven(fromBlock) || isGiven(toBlock)) {
      return refused("can't specify fromBlock/toBlock with blockHash");
    }
    // The block is there or will never be: nothing can come after.
    return { ok: true, criteria: { original, matching, fromBlock: Infinity, toBlock: -1 } };
  }
  if (fromBlock === "pending" || toBlock === "pending") {
    return refused("pending logs are not supported");
  }
  const from = blockOf(fromBlock, NOW);
  const to = blockOf(toBlock, Infinity);
  const isOpen = to === Infinity;
  // "latest" to a number asks for a range that has no fixed start.
  if (from === undefined || to === undefined || (from === NOW && !isOpen) || from > to) {
    return refused("invalid block range params");
  }
  return { ok: true, criteria: { original, matching, fromBlock: from, toBlock: to } };
};

/** From whatever is the newest block. */
const NOW = -1;

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

const blockOf = (value: unknown, latest: number): number | undefined => {
  if (!isGiven(value) || value === "latest") return latest;
  return value === "earliest" ? 0 : quantity(value);
};

const refused = (message: string): CriteriaResult => ({ ok: false, message });
