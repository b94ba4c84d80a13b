/**
 * Tells what an upstream's error means: provider's rule, vendor's rule, HTTP status, revert selector,
 * words, code; the first that matches decides. The rules are data (`table/`), the words are looked
 * for in one pass.
 */
import { FragmentFinder } from "../../lib/fragment-finder.ts";
import type { ErrorClass } from "./classes.ts";
import { matchesMethod, type ErrorRule, type TableRule } from "./rules.ts";
import { CODE_RANGES, CODE_RULES, REVERT_SELECTORS, STATUS_RULES } from "./table/codes.ts";
import { VENDOR_RULES } from "./table/vendor.ts";
import { WORD_RULES } from "./table/words.ts";

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
  const own = byOwnRules(error, rules);
  if (own !== undefined) return own;
  // Vendors' words and all others are looked for in the same pass.
  const worded = WORDS.find(error.message, error);
  if (worded !== undefined && VENDOR_WORDS.has(worded)) return worded.class;
  return (
    firstOf(VENDOR_CODES, error)?.class ??
    byStatus(error.status) ??
    (hasRevertData(error.data) ? "revert" : undefined) ??
    byWords(worded, error) ??
    byCode(error)
  );
}

function byOwnRules(error: UpstreamError, rules: readonly ErrorRule[]): ErrorClass | undefined {
  if (rules.length === 0) return undefined;
  const text = error.message.toLowerCase();
  for (const { code, messageContains, class: errorClass } of rules) {
    if (code !== undefined && code !== error.code) continue;
    if (messageContains !== undefined && !text.includes(messageContains.toLowerCase())) continue;
    return errorClass;
  }
  return undefined;
}

/** A rule with one of its fragments: the finder ranks fragments, not rules. */
interface Ranked {
  readonly rule: TableRule;
  readonly text: string;
}

const rankedOf = (rules: readonly TableRule[]): readonly Ranked[] =>
  rules.flatMap((rule) => (rule.texts ?? []).map((text) => ({ rule, text })));

/** Looks for the fragments of a table; the rule of the first in the table's order. */
class WordTable {
  readonly #ranked: readonly Ranked[];
  readonly #finder: FragmentFinder;
  #method = "";
  #code: number | undefined = undefined;

  constructor(rules: readonly TableRule[]) {
    this.#ranked = rankedOf(rules);
    this.#finder = new FragmentFinder(this.#ranked.map(({ text }) => text));
  }

  find(text: string, error: UpstreamError): TableRule | undefined {
    this.#method = error.method;
    this.#code = error.code;
    const end = Math.min(text.length, MAX_WORDS);
    const rank = this.#finder.lowest(text, end, this.#ranked.length, this.#admits);
    return this.#ranked[rank]?.rule;
  }

  readonly #admits = (rank: number): boolean => {
    const { codes, methods } = (this.#ranked[rank] as Ranked).rule;
    if (codes !== undefined && (this.#code === undefined || !codes.includes(this.#code))) {
      return false;
    }
    return matchesMethod(methods, this.#method);
  };
}

/** Longest text that is searched for words, in chars. */
const MAX_WORDS = 1024;

const VENDOR_WORDS: ReadonlySet<TableRule> = new Set(VENDOR_RULES);
/** Vendors' words first: whatever follows is outranked by them. */
const WORDS = new WordTable([...VENDOR_RULES, ...WORD_RULES]);
/** Vendor rules that need no words, by code. */
const VENDOR_CODES = byCodes(VENDOR_RULES.filter(({ texts }) => texts === undefined));
const CODES = byCodes(CODE_RULES);

function byCodes(rules: readonly TableRule[]): ReadonlyMap<number, readonly TableRule[]> {
  const map = new Map<number, TableRule[]>();
  for (const rule of rules) {
    for (const code of rule.codes ?? []) {
      const known = map.get(code);
      if (known === undefined) map.set(code, [rule]);
      else known.push(rule);
    }
  }
  return map;
}

function firstOf(
  rules: ReadonlyMap<number, readonly TableRule[]>,
  { code, method }: UpstreamError,
): TableRule | undefined {
  if (code === undefined) return undefined;
  return rules.get(code)?.find(({ methods }) => matchesMethod(methods, method));
}

/** What an HTTP status means whatever the body says, if it does. */
export function byStatus(status: number): ErrorClass | undefined {
  if (status < 400) return undefined;
  for (const rule of STATUS_RULES) {
    if (status >= rule.status && status <= (rule.last ?? rule.status)) return rule.class;
  }
  return undefined;
}

const SELECTORS = new RegExp(
  `0x(?:${REVERT_SELECTORS.map(({ selector }) => selector).join("|")})`,
  "i",
);

function hasRevertData(data: string): boolean {
  return data !== "" && SELECTORS.test(data);
}

function byWords(worded: TableRule | undefined, error: UpstreamError): ErrorClass | undefined {
  const { data } = error;
  let rule = worded;
  if ((rule === undefined || rule.isWeak === true) && data !== "" && !data.startsWith("0x")) {
    rule = WORDS.find(data, error) ?? rule;
  }
  if (rule === undefined) return undefined;
  return error.isNearHead === true && rule.nearHead !== undefined ? rule.nearHead : rule.class;
}

function byCode(error: UpstreamError): ErrorClass {
  const { code, status } = error;
  if (code === undefined) return status === 200 ? "malformed" : "server";
  const known = firstOf(CODES, error);
  if (known !== undefined) return known.class;
  for (const range of CODE_RANGES) {
    if (code >= range.first && code <= range.last) return range.class;
  }
  return "unmatched";
}
