/**
 * What each class of outcome leads to: the decision table of the gateway, as data. The exchange
 * reads `failover`, the breaker reads `breaker`, evidence reads `score`; docs/errors.md is generated.
 */
import type { ErrorClass } from "./classes.ts";

/** Breaker categories; each has its own threshold and first open time. */
export type BreakerCategory = "network" | "server" | "malformed" | "timeout" | "auth";

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

/** One row of the table. */
export interface Decision {
  readonly failover: FailoverRule;
  /** What the breaker hears: a counted failure, a success, a forced open, or nothing. */
  readonly breaker: BreakerCategory | "success" | "forced_open" | "none";
  readonly score: "success" | "failure" | "censored" | "capacity" | "lag" | "none";
  /** The upstream's own error object may reach the client. */
  readonly isRelayed: boolean;
  /** Rank among errors when all failed: the lowest is the most informative. */
  readonly informative: number;
  readonly meaning: string;
}

const row = (
  failover: FailoverRule,
  breaker: Decision["breaker"],
  score: Decision["score"],
  relay: number | "own",
  meaning: string,
): Decision => ({
  failover,
  breaker,
  score,
  isRelayed: relay !== "own",
  informative: relay === "own" ? 9 : relay,
  meaning,
});

/** The table, one row per class. */
export const DECISIONS: Readonly<Record<ErrorClass, Decision>> = {
  ok: row("never", "success", "success", 0, "A result."),
  empty: row("once", "success", "lag", 0, "`null` for a block, transaction or receipt lookup."),
  transport: row(
    "always",
    "network",
    "failure",
    "own",
    "Refused, reset, TLS, DNS, WebSocket 1006.",
  ),
  server: row("always", "server", "failure", 4, "HTTP 5xx, or an internal error of the provider."),
  malformed: row(
    "always",
    "malformed",
    "failure",
    "own",
    "Not JSON-RPC, cut short, or a wrong id.",
  ),
  wrong_chain: row("always", "forced_open", "failure", "own", "The provider serves another chain."),
  timeout: row("always", "timeout", "censored", "own", "No answer within the attempt's budget."),
  auth: row("always", "auth", "failure", "own", "401, 402, 403: our key or bill at the provider."),
  rate_limit: row("always", "none", "capacity", "own", "The provider throttles us; it cools down."),
  capability: row("twice", "none", "none", 2, "Method, range or archive that this provider lacks."),
  block_unavailable: row("twice", "none", "lag", 3, "The provider does not have this block (yet)."),
  node_syncing: row("twice", "none", "lag", 3, "The provider's node is syncing."),
  revert: row("never", "success", "success", 0, "The contract reverted: the same everywhere."),
  invalid_params: row("never", "success", "success", 0, "The caller's parameters are wrong."),
  tx_rejected: row("once", "success", "success", 1, "The transaction is refused; two must agree."),
  tx_known: row("never", "success", "success", 0, "The transaction is already in the pool."),
  user: row("never", "none", "none", 0, "Refused by the user (EIP-1193 4001)."),
  cancelled: row("never", "none", "none", "own", "The client left, or another attempt won."),
  unmatched: row("once", "none", "none", 1, "An error that no rule knows."),
};

/** Whether the breaker counts this class as a failure. */
export function isBreakerFailure(errorClass: ErrorClass): boolean {
  const { breaker } = DECISIONS[errorClass];
  return breaker !== "none" && breaker !== "success";
}
