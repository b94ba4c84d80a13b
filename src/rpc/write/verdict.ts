/** What the end of one attempt says about the transaction that it carried. */
import type { ErrorClass } from "../errors/classes.ts";

/** What became of one copy. */
export type Verdict =
  /** The provider took it. */
  | "accepted"
  /** It had it already. */
  | "known"
  /** The account's nonce is past it: mined, or replaced by another one. */
  | "stale_nonce"
  /** Looked at and refused. */
  | "refused"
  /** The chain limits this sender: another provider, or another try, only makes it worse. */
  | "throttled"
  /** It surely did not get that far: no connection, our rate limit, a method that is missing. */
  | "not_taken"
  /** Nobody can say. */
  | "unknown";

/** One attempt's end, as far as it matters here. */
export interface WriteOutcome {
  readonly errorClass: ErrorClass;
  /** How the transport broke, when it did. */
  readonly failureKind: string | undefined;
  /** The provider's words, when it answered with an error. */
  readonly message: string;
}

/** Reads one attempt's end. */
export const verdictOf = ({ errorClass, failureKind, message }: WriteOutcome): Verdict => {
  if (errorClass === "tx_rejected") return ofRefusal(message.toLowerCase());
  const neverLeft = failureKind !== undefined && NEVER_LEFT.has(failureKind);
  return errorClass === "transport" && neverLeft ? "not_taken" : VERDICTS[errorClass];
};

const VERDICTS: Readonly<Record<ErrorClass, Verdict>> = {
  ok: "accepted",
  tx_known: "known",
  tx_rejected: "refused",
  revert: "refused",
  invalid_params: "refused",
  user: "refused",
  unmatched: "refused",
  empty: "refused",
  rate_limit: "not_taken",
  auth: "not_taken",
  capability: "not_taken",
  block_unavailable: "not_taken",
  node_syncing: "not_taken",
  wrong_chain: "not_taken",
  transport: "unknown",
  server: "unknown",
  malformed: "unknown",
  timeout: "unknown",
  cancelled: "unknown",
};

/** Why a copy was refused; two refusals for one reason agree. */
export const refusalKind = (message: string): string => {
  const text = message.toLowerCase();
  return REASONS.find(([, words]) => words.some((word) => text.includes(word)))?.[0] ?? "rejected";
};

/** Failures before a byte of the request was on its way. */
const NEVER_LEFT: ReadonlySet<string> = new Set(["refused", "dns", "tls"]);

const STALE_NONCE = [
  "nonce too low",
  "nonce is too low",
  "oldnonce",
  "nonce has already been used",
];
const THROTTLED = ["sender is over rate limit"];

const REASONS: readonly (readonly [string, readonly string[]])[] = [
  ["nonce", [...STALE_NONCE, "nonce"]],
  ["price", ["underpriced", "fee too low", "feetoolow", "max fee per gas", "tip", "base fee"]],
  ["funds", ["insufficient funds", "insufficientfunds", "insufficient balance"]],
  ["gas", ["gas limit", "intrinsic gas", "gas too low", "out of gas"]],
  ["form", ["rlp", "decode", "invalid sender", "chain id", "transaction type"]],
];

const ofRefusal = (text: string): Verdict => {
  if (THROTTLED.some((word) => text.includes(word))) return "throttled";
  return STALE_NONCE.some((word) => text.includes(word)) ? "stale_nonce" : "refused";
};
