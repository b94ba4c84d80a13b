/**
 * Tells what an upstream's error means: vendor rule, HTTP status, revert selector, message fragment,
 * code; the first that matches decides. The rules are data (`vendor-rules.ts`).
 */
import type { ErrorClass } from "./classes.ts";
import type { ErrorRule } from "./rules.ts";
import { CODES, FRAGMENTS, VENDOR_RULES } from "./vendor-rules.ts";

/** One error answer as it came. */
export interface UpstreamError {
  readonly method: string;
  /** HTTP status; 200 for answers over WebSocket. */
  readonly status: number;
  /** Undefined when the body holds no JSON-RPC error. */
  readonly code: number | undefined;
  readonly message: string;
  /** `error.data` as text: a hex string, or JSON. */
  readonly data: string;
  /** The block asked for is within the last 128 of the served tip; undefined when not known. */
  readonly isNearHead?: boolean | undefined;
}

/** The class of an error; `rules` are the provider's own and come first. */
export function classifyError(error: UpstreamError, rules: readonly ErrorRule[]): ErrorClass {
  const text = error.message.toLowerCase();
  return (
    byRule(error, text, rules) ??
    byRule(error, text, VENDOR_RULES) ??
    byStatus(error.status) ??
    byRevertData(error.data) ??
    byFragment(error, text) ??
    byCode(error)
  );
}

function byRule(
  error: UpstreamError,
  text: string,
  rules: readonly ErrorRule[],
): ErrorClass | undefined {
  for (const rule of rules) {
    if (rule.code !== undefined && rule.code !== error.code) continue;
    if (rule.status !== undefined && rule.status !== error.status) continue;
    if (rule.messageContains !== undefined && !text.includes(rule.messageContains.toLowerCase())) {
      continue;
    }
    if (rule.methods !== undefined && !matchesMethod(rule.methods, error.method)) continue;
    return rule.class;
  }
  return undefined;
}

function matchesMethod(patterns: readonly string[], method: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith("*") ? method.startsWith(pattern.slice(0, -1)) : pattern === method,
  );
}

/** Only statuses that mean the same whatever the body says; other 4xx leave the word to the body. */
export function byStatus(status: number): ErrorClass | undefined {
  if (status >= 500) return "server";
  switch (status) {
    case 401:
    case 402:
    case 403:
    case 407:
      return "auth";
    case 429:
      return "rate_limit";
    case 408:
      return "server";
    default:
      return undefined;
  }
}

/** Error(string) and Panic(uint256). */
const REVERT_SELECTOR = /0x(08c379a0|4e487b71)/i;

function byRevertData(data: string): ErrorClass | undefined {
  return data !== "" && REVERT_SELECTOR.test(data) ? "revert" : undefined;
}

function byFragment(error: UpstreamError, text: string): ErrorClass | undefined {
  for (const fragment of FRAGMENTS) {
    if (!text.includes(fragment.text)) continue;
    if (fragment.methods !== undefined && !matchesMethod(fragment.methods, error.method)) continue;
    // A node that lost recent state lags; one that lost old state never kept it.
    if (fragment.text === "missing trie node" && error.isNearHead === true) {
      return "block_unavailable";
    }
    return fragment.class;
  }
  return undefined;
}

function byCode(error: UpstreamError): ErrorClass {
  const { code } = error;
  if (code === undefined) return error.status === 200 ? "malformed" : "server";
  const known = CODES.get(code);
  // -32003 and -32010 mean "transaction rejected" only where one was sent.
  if (known === "tx_rejected" && !error.method.startsWith("eth_send")) return "unmatched";
  if (known !== undefined) return known;
  // execution-apis: 1-199 execution, 800- gas, 1000- transaction pool.
  if (code >= 1 && code <= 199) return "revert";
  if (code >= 800 && code <= 999) return "revert";
  if (code >= 1000 && code <= 1999) return "tx_rejected";
  return "unmatched";
}
