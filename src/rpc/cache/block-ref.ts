/**
 * Which block an answer belongs to, as far as the request says: the table of methods that may be
 * remembered, and how each names its block (json-rpc reference 13).
 *
 * Methods that are not listed are never remembered: nobody has said what their answers depend on.
 */
import { skipColon, skipString, skipValue } from "../json-rpc/json-bytes.ts";
import { blockParamOf, type BlockMethod } from "../json-rpc/block-params.ts";
import type { CanonicalParams } from "./canonical.ts";

/** What ties an answer to a block. */
export type BlockRef =
  /** Nothing: it is the same for ever. */
  | { readonly kind: "static" }
  /** The block of this number. */
  | { readonly kind: "number"; readonly number: number }
  /** The block of this hash, lower case. */
  | { readonly kind: "hash"; readonly hash: string }
  /** Whatever the newest, the safe or the finalized block is. */
  | { readonly kind: "tag" }
  /** The block that the answer itself names. */
  | { readonly kind: "answer" }
  /** Nobody can say. */
  | { readonly kind: "none" };

/** How a method names its block. */
export interface MethodRule {
  readonly by: "static" | "param" | "filter" | "answer" | "head";
  /** Place of the block parameter. */
  readonly position: number;
  /** A call without a block parameter means the latest block. */
  readonly defaultsToLatest: boolean;
}

const rule = (by: MethodRule["by"], position = -1, defaultsToLatest = false): MethodRule => ({
  by,
  position,
  defaultsToLatest,
});

/** A kept method whose block is a parameter; its place stands in `json-rpc/block-params`. */
const byParam = (method: BlockMethod): [BlockMethod, MethodRule] => [
  method,
  rule("param", blockParamOf(method).position),
];
/** Every node takes the latest block when these name none; others differ between nodes. */
const orLatest = (method: BlockMethod): [BlockMethod, MethodRule] => {
  const { position, defaultsToLatest } = blockParamOf(method);
  return [method, rule("param", position, defaultsToLatest)];
};
/** Named by its hash only, which stands first. */
const byHash = (method: `${string}Hash${string}`): [string, MethodRule] => [
  method,
  rule("param", 0),
];

const METHODS: ReadonlyMap<string, MethodRule> = new Map<string, MethodRule>([
  ["web3_sha3", rule("static")],
  orLatest("eth_call"),
  orLatest("eth_getBalance"),
  orLatest("eth_getCode"),
  orLatest("eth_getStorageAt"),
  orLatest("eth_getTransactionCount"),
  byParam("eth_createAccessList"),
  byParam("eth_estimateGas"),
  byParam("eth_getProof"),
  byParam("eth_simulateV1"),
  byParam("eth_feeHistory"),
  byParam("eth_getBlockByNumber"),
  byHash("eth_getBlockByHash"),
  byParam("eth_getBlockReceipts"),
  byParam("eth_getBlockTransactionCountByNumber"),
  byHash("eth_getBlockTransactionCountByHash"),
  byParam("eth_getTransactionByBlockNumberAndIndex"),
  byHash("eth_getTransactionByBlockHashAndIndex"),
  byParam("eth_getUncleByBlockNumberAndIndex"),
  byHash("eth_getUncleByBlockHashAndIndex"),
  byParam("eth_getUncleCountByBlockNumber"),
  byHash("eth_getUncleCountByBlockHash"),
  ["eth_getTransactionByHash", rule("answer")],
  ["eth_getTransactionReceipt", rule("answer")],
  ["eth_getLogs", rule("filter", 0)],
  ["eth_gasPrice", rule("head")],
  ["eth_maxPriorityFeePerGas", rule("head")],
  ["eth_blobBaseFee", rule("head")],
  byParam("debug_traceBlockByNumber"),
  byHash("debug_traceBlockByHash"),
  byParam("debug_traceCall"),
  byParam("trace_block"),
  byParam("trace_replayBlockTransactions"),
]);

/** How `method` names its block; `undefined` when its answers are not remembered. */
export function cacheRule(method: string): MethodRule | undefined {
  return METHODS.get(method);
}

const NONE: BlockRef = { kind: "none" };
const STATIC: BlockRef = { kind: "static" };
const TAG: BlockRef = { kind: "tag" };
const ANSWER: BlockRef = { kind: "answer" };
const EARLIEST: BlockRef = { kind: "number", number: 0 };

/** The block of a call whose canonical params these are. */
export function blockRefOf({ by }: MethodRule, params: CanonicalParams): BlockRef {
  switch (by) {
    case "static":
      return STATIC;
    case "head":
      return TAG;
    case "answer":
      return params.count === 1 ? ANSWER : NONE;
    case "param":
      return params.blockStart < 0
        ? NONE
        : refAt(params.bytes, params.blockStart, params.blockEnd, false);
    case "filter":
      return params.blockStart < 0
        ? NONE
        : filterRef(params.bytes, params.blockStart, params.blockEnd);
    default:
      return by satisfies never;
  }
}

/** Longest block parameter: `{"blockHash":"0x…","requireCanonical":false}`. */
const MAX_REF_BYTES = 128;
const HASH_CHARS = 66;

/** A tag, a quantity, a hash, or an object of EIP-1898. */
function refAt(bytes: Buffer, start: number, end: number, isInner: boolean): BlockRef {
  if (end - start > MAX_REF_BYTES) return NONE;
  if (bytes[start] === 0x7b) return isInner ? NONE : objectRef(bytes, start, end);
  if (bytes[start] !== 0x22) return NONE;
  return refOf(bytes.toString("latin1", start + 1, end - 1));
}

function refOf(word: string): BlockRef {
  switch (word) {
    case "latest":
    case "safe":
    case "finalized":
      return TAG;
    case "earliest":
      return EARLIEST;
    case "pending":
      return NONE;
  }
  if (word.length === HASH_CHARS) {
    return /^0x[0-9a-f]{64}$/.test(word) ? { kind: "hash", hash: word } : NONE;
  }
  // A quantity has no leading zeros: what else a node takes it for is its own affair.
  return /^0x(0|[1-9a-f][0-9a-f]{0,12})$/.test(word)
    ? { kind: "number", number: Number(word) }
    : NONE;
}

/** EIP-1898: exactly one of `blockHash` and `blockNumber`, perhaps with `requireCanonical`. */
function objectRef(bytes: Buffer, start: number, end: number): BlockRef {
  let ref: BlockRef | undefined;
  const isClean = eachMember(bytes, start, end, (name, from, to) => {
    if (name === "requireCanonical") return true;
    if ((name !== "blockHash" && name !== "blockNumber") || ref !== undefined) return false;
    ref = refAt(bytes, from, to, true);
    return ref.kind === (name === "blockHash" ? "hash" : "number");
  });
  return isClean ? (ref ?? NONE) : NONE;
}

/** The last block of a filter: a reorg of any block before it replaces that one too. */
function filterRef(bytes: Buffer, start: number, end: number): BlockRef {
  if (bytes[start] !== 0x7b) return NONE;
  const named: Partial<Record<string, BlockRef>> = {};
  const isClean = eachMember(bytes, start, end, (name, from, to) => {
    if (name === "address" || name === "topics") return true;
    if (name !== "fromBlock" && name !== "toBlock" && name !== "blockHash") return false;
    if (named[name] !== undefined) return false;
    named[name] = refAt(bytes, from, to, true);
    return true;
  });
  if (!isClean) return NONE;
  const { fromBlock, toBlock, blockHash } = named;
  if (blockHash !== undefined) {
    const isAlone = fromBlock === undefined && toBlock === undefined;
    return isAlone && blockHash.kind === "hash" ? blockHash : NONE;
  }
  const last = toBlock ?? TAG;
  const first = fromBlock ?? TAG;
  if (last.kind === "tag") return first.kind === "number" || first.kind === "tag" ? TAG : NONE;
  const isRange = last.kind === "number" && first.kind === "number" && first.number <= last.number;
  return isRange ? last : NONE;
}

/** Visits the members of an object without white space; false when the visitor refused one. */
function eachMember(
  bytes: Buffer,
  start: number,
  end: number,
  visit: (name: string, from: number, to: number) => boolean,
): boolean {
  let at = start + 1;
  while (at < end && bytes[at] === 0x22) {
    const keyEnd = skipString(bytes, at, end);
    const from = skipColon(bytes, keyEnd, end);
    const to = from < 0 ? from : skipValue(bytes, from, end, 1);
    if (to < 0 || !visit(bytes.toString("latin1", at + 1, keyEnd - 1), from, to)) return false;
    at = bytes[to] === 0x2c ? to + 1 : to;
  }
  return bytes[at] === 0x7d;
}
