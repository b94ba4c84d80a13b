/** Which reads need agreement, and how their answers are compared. */
import { QUORUM_RULE_DEFAULTS } from "../../../config/default.ts";
import type { QuorumRuleConfig } from "../../../config/schema.ts";
import { NameGlobs } from "../../lib/name-globs.ts";
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
  // Each make of node searches in its own way.
  "eth_estimateGas",
  "eth_gasPrice",
  "eth_maxPriorityFeePerGas",
  "eth_protocolVersion",
  "eth_syncing",
  "net_peerCount",
  "web3_clientVersion",
]);

/** What a caller asks for. */
type Asked = Pick<QuorumTerms, "agree" | "of"> & { readonly prefer?: QuorumPreference };

const defaultIgnored = ignoredFields(QUORUM_RULE_DEFAULTS.ignore_fields);

/** A rule as it is looked up: made once for each that the configuration has. */
interface CompiledRule {
  readonly methods: NameGlobs;
  readonly ignored: IgnoredFields;
}

const compiled = new WeakMap<QuorumRuleConfig, CompiledRule>();

function compile(rule: QuorumRuleConfig): CompiledRule {
  let made = compiled.get(rule);
  if (made === undefined) {
    made = { methods: new NameGlobs(rule.methods), ignored: ignoredFields(rule.ignoreFields) };
    compiled.set(rule, made);
  }
  return made;
}

function ruleOf(
  rules: readonly QuorumRuleConfig[] | undefined,
  method: string,
): QuorumRuleConfig | undefined {
  return rules?.find((rule) => compile(rule).methods.has(method));
}

function ignoredBy(rule: QuorumRuleConfig | undefined): IgnoredFields {
  return rule === undefined ? defaultIgnored : compile(rule).ignored;
}

/**
 * The terms of a method's vote: the caller's figures or the rule's, with the rule's comparison;
 * `undefined` when one answer is enough.
 */
export function quorumTerms(
  rules: readonly QuorumRuleConfig[] | undefined,
  method: string,
  asked: Asked | undefined,
): QuorumTerms | undefined {
  if (asked === undefined && (rules === undefined || rules.length === 0)) return undefined;
  if (VOLATILE.has(method)) return undefined;
  const rule = ruleOf(rules, method);
  const figures = asked ?? rule;
  if (figures === undefined) return undefined;
  const { agree, of } = figures;
  return {
    agree,
    of,
    ignored: ignoredBy(rule),
    prefer: asked?.prefer ?? rule?.prefer ?? "non_empty",
  };
}

/** What does not count when two answers of a method are compared. */
export const comparison = (
  rules: readonly QuorumRuleConfig[] | undefined,
  method: string,
): IgnoredFields => ignoredBy(ruleOf(rules, method));
