/**
 * What each class of outcome leads to: the decision table of the gateway, as data. The exchange
 * reads `failover`, the breaker `breaker`, evidence `score`, the pool and the books `memory`, the
 * cache `cache`, the answer `client`; docs/errors.md is generated. One row says everything.
 */
import type { FailureCategory } from "../breaker-rules.ts";
import type { ErrorClass } from "./classes.ts";

/** Whether another provider is tried. */
export type FailoverRule =
  /** The answer is final. */
  | "never"
  /** As long as attempts, time and providers are left. */
  | "always"
  /** At most twice for the same class within one request. */
  | "twice"
  /** One other provider. */
  | "once";

/** What is remembered of the provider beyond breaker and score. */
export type MemoryRule =
  | "none"
  /** It rests: Retry-After, else 1 s x 2^n, at most 5 minutes, +-10 %. */
  | "cooldown"
  /** Retry-After of a 503 lengthens the pause of its breaker. */
  | "retry_after"
  /** Nothing is sent until its chain id is right again; the operator is told. */
  | "quarantine"
  /** The operator is told; no probing on the caller's behalf. */
  | "alert"
  /** Goes into the capability book: 1 h, a missing method 10 minutes after two sightings. */
  | "capability"
  /** Its head is believed to be lower than it said. */
  | "head"
  /** Counted by fingerprint, so that a rule can be made of it. */
  | "fingerprint";

/** Whether the answer may be kept. */
export type CacheRule =
  | "no"
  /** By the finality of what it answers. */
  | "finality"
  /** Only where the call names a fixed block. */
  | "fixed_block";

/** What the client gets once nothing more is tried. */
export type ClientRule =
  /** The answer as it is. */
  | "result"
  /** The upstream's own code, message and data. */
  | "theirs"
  /** -32002 of ours: the trouble is between us and the provider. */
  | "own"
  /** Nobody waits for it. */
  | "nobody";

/** One row of the table. */
export interface Decision {
  readonly failover: FailoverRule;
  /** What the breaker hears: a counted failure, a success, a forced open, or nothing. */
  readonly breaker: FailureCategory | "success" | "forced_open" | "none";
  readonly score: "success" | "failure" | "censored" | "capacity" | "lag" | "none";
  readonly memory: MemoryRule;
  readonly cache: CacheRule;
  readonly client: ClientRule;
  /** Rank among errors when all failed: the lowest is the most informative. */
  readonly informative: number;
  readonly meaning: string;
}

/** Rank of what is never relayed. */
const SILENT = 9;

/** The table, one row per class. */
export const DECISIONS: Readonly<Record<ErrorClass, Decision>> = {
  ok: {
    failover: "never",
    breaker: "success",
    score: "success",
    memory: "none",
    cache: "finality",
    client: "result",
    informative: 0,
    meaning: "A result.",
  },
  empty: {
    failover: "once",
    breaker: "success",
    score: "lag",
    memory: "none",
    cache: "no",
    client: "result",
    informative: 0,
    meaning: "`null` for a block, transaction or receipt lookup.",
  },
  transport: {
    failover: "always",
    breaker: "network",
    score: "failure",
    memory: "none",
    cache: "no",
    client: "own",
    informative: SILENT,
    meaning: "Refused, reset, TLS, DNS, WebSocket 1006.",
  },
  server: {
    failover: "always",
    breaker: "server",
    score: "failure",
    memory: "retry_after",
    cache: "no",
    client: "theirs",
    informative: 4,
    meaning: "HTTP 5xx, or an internal error of the provider.",
  },
  malformed: {
    failover: "always",
    breaker: "malformed",
    score: "failure",
    memory: "none",
    cache: "no",
    client: "own",
    informative: SILENT,
    meaning: "Not JSON-RPC, cut short, or a wrong id.",
  },
  wrong_chain: {
    failover: "always",
    breaker: "forced_open",
    score: "failure",
    memory: "quarantine",
    cache: "no",
    client: "own",
    informative: SILENT,
    meaning: "The provider serves another chain.",
  },
  timeout: {
    failover: "always",
    breaker: "timeout",
    score: "censored",
    memory: "none",
    cache: "no",
    client: "own",
    informative: SILENT,
    meaning: "No answer within the attempt's budget.",
  },
  auth: {
    failover: "always",
    breaker: "auth",
    score: "failure",
    memory: "alert",
    cache: "no",
    client: "own",
    informative: SILENT,
    meaning: "401, 402, 403: our key or bill at the provider.",
  },
  rate_limit: {
    failover: "always",
    breaker: "none",
    score: "capacity",
    memory: "cooldown",
    cache: "no",
    client: "own",
    informative: SILENT,
    meaning: "The provider throttles us; it cools down.",
  },
  capability: {
    failover: "twice",
    breaker: "none",
    score: "none",
    memory: "capability",
    cache: "no",
    client: "theirs",
    informative: 2,
    meaning: "Method, range or archive that this provider lacks.",
  },
  block_unavailable: {
    failover: "twice",
    breaker: "none",
    score: "lag",
    memory: "head",
    cache: "no",
    client: "theirs",
    informative: 3,
    meaning: "The provider does not have this block (yet).",
  },
  node_syncing: {
    failover: "twice",
    breaker: "none",
    score: "lag",
    memory: "head",
    cache: "no",
    client: "theirs",
    informative: 3,
    meaning: "The provider's node is syncing.",
  },
  revert: {
    failover: "never",
    breaker: "success",
    score: "success",
    memory: "none",
    cache: "fixed_block",
    client: "theirs",
    informative: 0,
    meaning: "The contract reverted: the same everywhere.",
  },
  invalid_params: {
    failover: "never",
    breaker: "success",
    score: "success",
    memory: "none",
    cache: "no",
    client: "theirs",
    informative: 0,
    meaning: "The caller's parameters are wrong.",
  },
  tx_rejected: {
    failover: "once",
    breaker: "success",
    score: "success",
    memory: "none",
    cache: "no",
    client: "theirs",
    informative: 1,
    meaning: "The transaction is refused; two must agree.",
  },
  tx_known: {
    failover: "never",
    breaker: "success",
    score: "success",
    memory: "none",
    cache: "no",
    client: "result",
    informative: 0,
    meaning: "The transaction is already in the pool: success, with its hash.",
  },
  user: {
    failover: "never",
    breaker: "none",
    score: "none",
    memory: "none",
    cache: "no",
    client: "theirs",
    informative: 0,
    meaning: "Refused by the user (EIP-1193 4001).",
  },
  cancelled: {
    failover: "never",
    breaker: "none",
    score: "none",
    memory: "none",
    cache: "no",
    client: "nobody",
    informative: SILENT,
    meaning: "The client left, or another attempt won.",
  },
  unmatched: {
    failover: "once",
    breaker: "none",
    score: "none",
    memory: "fingerprint",
    cache: "no",
    client: "theirs",
    informative: 1,
    meaning: "An error that no rule knows.",
  },
};

/** Whether the upstream's own error of this class may reach the client. */
export function isRelayed(errorClass: ErrorClass): boolean {
  const { client } = DECISIONS[errorClass];
  // tx_known relays only where we cannot say the hash ourselves.
  return client === "theirs" || client === "result";
}
