/**
 * What the gateway knows of each method: how it is served, how long it may take, whether it may be
 * repeated. Unknown methods are forwarded as state reads: a provider says best whether it has them.
 */

import { NameGlobs } from "../../lib/name-globs.ts";

/** How a method is served. */
export type MethodRoute =
  /** By providers. */
  | "forward"
  /** By us, on what providers say of the chain: the `eth_newFilter` family. */
  | "filter"
  /** By us, without a provider. */
  | "local"
  /** `eth_subscribe`, `eth_unsubscribe` and `paceline_resume`: over WebSocket only. */
  | "subscription"
  /** Not at all. */
  | "denied"
  /** Names that JSON-RPC keeps for itself (section 8: `rpc.`); no provider is asked for them. */
  | "reserved";

/** Groups of methods that share their time limits. */
export type MethodClass = "state" | "logs" | "trace" | "write";

/** One method's row. */
export interface MethodInfo {
  readonly name: string;
  readonly route: MethodRoute;
  readonly class: MethodClass;
  /** Time for all attempts together. */
  readonly totalMs: number;
  /** Longest single attempt. */
  readonly attemptCapMs: number;
  /** May be sent again, to another provider or over a fresh connection. */
  readonly isIdempotent: boolean;
  /** `null` means "not here yet" and not an answer. */
  readonly isLookup: boolean;
  /** Counted by the stall rule: a provider that works answers it quickly. */
  readonly isCheap: boolean;
  /** A refusal is answered by asking for less, not by asking somebody else. */
  readonly isCut?: boolean;
}

const LIMITS: Readonly<Record<MethodClass, { totalMs: number; attemptCapMs: number }>> = {
  state: { totalMs: 10_000, attemptCapMs: 4000 },
  logs: { totalMs: 30_000, attemptCapMs: 10_000 },
  trace: { totalMs: 60_000, attemptCapMs: 30_000 },
  write: { totalMs: 15_000, attemptCapMs: 10_000 },
};

function describe(
  name: string,
  route: MethodRoute,
  kind: MethodClass,
  isIdempotent = true,
  isLookup = false,
): MethodInfo {
  const isCheap = kind === "state" && route === "forward";
  return { name, route, class: kind, ...LIMITS[kind], isIdempotent, isLookup, isCheap };
}

const LOCAL = [
  "eth_chainId",
  "net_version",
  "web3_clientVersion",
  "net_listening",
  "eth_accounts",
  "rpc.discover",
];
const LOOKUPS = [
  "eth_getBlockByHash",
  "eth_getBlockByNumber",
  "eth_getBlockReceipts",
  "eth_getBlockTransactionCountByHash",
  "eth_getBlockTransactionCountByNumber",
  "eth_getTransactionByHash",
  "eth_getTransactionByBlockHashAndIndex",
  "eth_getTransactionByBlockNumberAndIndex",
  "eth_getTransactionReceipt",
  "eth_getUncleByBlockHashAndIndex",
  "eth_getUncleByBlockNumberAndIndex",
];
const READS = [
  "eth_blockNumber",
  "eth_blobBaseFee",
  "eth_call",
  "eth_createAccessList",
  "eth_estimateGas",
  "eth_feeHistory",
  "eth_gasPrice",
  "eth_getBalance",
  "eth_getCode",
  "eth_getProof",
  "eth_getStorageAt",
  "eth_getTransactionCount",
  "eth_getUncleCountByBlockHash",
  "eth_getUncleCountByBlockNumber",
  "eth_maxPriorityFeePerGas",
  "eth_protocolVersion",
  "eth_simulateV1",
  "eth_syncing",
  "net_peerCount",
  "web3_sha3",
];
/** How each is spread over the providers: src/rpc/write/methods.ts. */
const WRITES = [
  "eth_sendRawTransaction",
  "eth_sendRawTransactionConditional",
  "eth_sendRawTransactionSync",
  "eth_sendPrivateTransaction",
  "eth_sendPrivateRawTransaction",
];
/** They hold state, which no provider may: a second one could not continue it. */
const FILTERS = [
  "eth_newFilter",
  "eth_newBlockFilter",
  "eth_newPendingTransactionFilter",
  "eth_getFilterChanges",
  "eth_getFilterLogs",
  "eth_uninstallFilter",
];
const DENIED = [
  "eth_sendTransaction",
  "eth_sign",
  "eth_signTransaction",
  "eth_signTypedData",
  "eth_signTypedData_v3",
  "eth_signTypedData_v4",
  "eth_submitWork",
  "eth_submitHashrate",
];
/** Namespaces that administer a node, hold its keys or cost it minutes. */
const DENIED_BY_DEFAULT = new NameGlobs([
  "personal_*",
  "admin_*",
  "miner_*",
  "engine_*",
  "debug_*",
  "trace_*",
  "txpool_*",
  "clique_*",
  "les_*",
  "db_*",
  "shh_*",
  "eth_sign*",
  "eth_submit*",
]);
/** Of those, what only reads: where the operator allows it, another provider may be asked too. */
const DENIED_READS = new NameGlobs([
  "trace_*",
  "txpool_*",
  "debug_trace*",
  "debug_get*",
  "debug_storage*",
]);

const METHODS = new Map<string, MethodInfo>(
  [
    ...LOCAL.map((name) => describe(name, "local", "state")),
    ...LOOKUPS.map((name) => describe(name, "forward", "state", true, true)),
    ...READS.map((name) => describe(name, "forward", "state")),
    ...FILTERS.map((name) => describe(name, "filter", "state", false)),
    ...DENIED.map((name) => describe(name, "denied", "write", false)),
    describe("eth_getLogs", "forward", "logs"),
    ...WRITES.map((name) => describe(name, "forward", "write")),
    describe("eth_subscribe", "subscription", "state", false),
    describe("eth_unsubscribe", "subscription", "state", false),
    describe("paceline_resume", "subscription", "state", false),
  ].map((info) => [info.name, info]),
);

/** Rows of unlisted methods; clients choose the names, so the memory starts anew when full. */
const UNLISTED = new Map<string, MethodInfo>();
const MAX_UNLISTED = 1024;

/** The row of a method; unlisted names get one by their namespace. */
export function methodInfo(name: string): MethodInfo {
  const known = METHODS.get(name) ?? UNLISTED.get(name);
  if (known !== undefined) return known;
  const info = unlisted(name);
  if (UNLISTED.size >= MAX_UNLISTED) UNLISTED.clear();
  UNLISTED.set(name, info);
  return info;
}

function unlisted(name: string): MethodInfo {
  if (DENIED_BY_DEFAULT.has(name)) {
    const kind = name.startsWith("eth_") ? "write" : "trace";
    return describe(name, "denied", kind, DENIED_READS.has(name));
  }
  if (name.startsWith("rpc.")) return describe(name, "reserved", "state");
  const isRead = /^(eth|net|web3)_(get|call|estimate|fee|block|gas|max|simulate|chain)/.test(name);
  return describe(name, "forward", "state", isRead);
}

/** The methods that are known and served, by name; unlisted ones are forwarded all the same. */
export function servedMethods(): string[] {
  return [...METHODS.values()]
    .filter(({ route }) => route !== "denied")
    .map(({ name }) => name)
    .sort();
}
