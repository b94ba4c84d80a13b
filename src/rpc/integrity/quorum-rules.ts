/** Which reads need agreement, and how their answers are compared. */
import { QUORUM_RULE_DEFAULTS } from "../../../config/default.ts";
import type { QuorumRuleConfig } from "../../../config/schema.ts";
import { ignoredFields, type IgnoredFields } from "./canonical.ts";
import type { QuorumPreference } from "./quorum-tally.ts";

/** What one call's vote is held by. */
export interface QuorumTerms {
  readonly agree: number;
  readonly of: number;
  readonly ignored: IgnoredFields;
  readonly prefer: QuorumPreference;
}

/** Answers that differ between honest nodes at any moment: their agreement would mean nothing. */
const VOLATILE: ReadonlySet<string> = new Set([
  "eth_blobBaseFee",
  "eth_blockNumber",
  "eth_gasPrice",
  "eth_maxPriorityFeePerGas",
  "eth_protocolVersion",
  "eth_syncing",
  "net_peerCount",
  "web3_clientVersion",
]);

const defaultIgnored = ignoredFields(QUORUM_RULE_DEFAULTS.ignore_fields);
const ignoredByRule = new WeakMap<QuorumRuleConfig, IgnoredFields>();

/**
 * The terms of a method's vote: the caller's figures or the rule's, with the rule's comparison;
 * `undefined` when one answer is enough.
 */
export function quorumTerms(
  rules: readonly QuorumRuleConfig[] | undefined,
  method: string,
  asked: { readonly agree: number; readonly of: number } | undefined,
): QuorumTerms | undefined {
  if (asked === undefined && (rules === undefined || rules.length === 0)) return undefined;
  if (VOLATILE.has(method)) return undefined;
  const rule = rules?.find(({ methods }) => methods.some((pattern) => matches(pattern, method)));
  if (rule === undefined) {
    return asked && { ...asked, ignored: defaultIgnored, prefer: "non_empty" };
  }
  let ignored = ignoredByRule.get(rule);
  if (ignored === undefined) {
    ignored = ignoredFields(rule.ignoreFields);
    ignoredByRule.set(rule, ignored);
  }
  const { agree, of } = asked ?? rule;
  return { agree, of, ignored, prefer: rule.prefer };
}

function matches(pattern: string, method: string): boolean {
  return pattern.endsWith("*") ? method.startsWith(pattern.slice(0, -1)) : pattern === method;
}
