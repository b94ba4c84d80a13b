/** Every way in which a document breaks its schema, in words, at its place, all at once. */
import type { z } from "zod";
import { diagnostic } from "../diagnostic.ts";
import type { Diagnostic, Path } from "../diagnostic.ts";
import type { ConfigDocument } from "../keys/document.ts";
import { documentSchema } from "../keys/document.ts";
import type { RawValue, SourceTree } from "./source.ts";
import { didYouMean } from "./suggest.ts";
import { isSecretAt, keysOf, kindOf, metaOf, ruleAt } from "../keys/walk.ts";

/** The document when it fits the schema, else everything that does not. */
export type Validated =
  | { readonly ok: true; readonly document: ConfigDocument }
  | { readonly ok: false; readonly problems: readonly Diagnostic[] };

/** Keys of the product that this version does not have, and what to do without them. */
const NOT_YET: Readonly<Record<string, string>> = {
  nats: "the market is not part of this version: remove the key",
  pairing: "pairing is not part of this version: remove the key",
  market: "the market is not part of this version: remove the key",
  cache: "the response cache is not part of this version: remove the key",
  hedge: "hedging is not part of this version: remove the key",
};

/** Checks the tree against the schema. */
export function validate(tree: SourceTree): Validated {
  const result = documentSchema.safeParse(tree.root);
  if (result.success) return { ok: true, document: result.data };
  const problems = result.error.issues.flatMap((issue) => explain(tree, issue));
  // one value may break a rule in two ways; the words are the same
  const distinct = new Map(problems.map((problem) => [`${problem.path} ${problem.code}`, problem]));
  return { ok: false, problems: [...distinct.values()] };
}

function explain(tree: SourceTree, issue: z.core.$ZodIssue): readonly Diagnostic[] {
  const path = issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey(tree, path, key));
  }
  // inside a value of several possible shapes the rule is that of the value
  const owned = longestRuledPath(path);
  const expects = metaOf(ruleAt(owned))?.["x-expects"] ?? "another value";
  const value = tree.get(path);
  if (value === undefined) {
    const origin = tree.originOf(path.slice(0, -1));
    return [diagnostic("CONFIG_MISSING_KEY", path, `is required: ${expects}`, origin)];
  }
  if (value === null) {
    const text = `is empty: expected ${expects}, or leave the key out`;
    return [diagnostic("CONFIG_WRONG_TYPE", path, text, tree.originOf(path))];
  }
  const code = issue.code === "invalid_type" ? "CONFIG_WRONG_TYPE" : "CONFIG_BAD_VALUE";
  const text = `expected ${expects}${quoted(tree, path, value)}${choice(path, value)}`;
  return [diagnostic(code, path, text, tree.originOf(path))];
}

function unknownKey(tree: SourceTree, path: Path, key: string): Diagnostic {
  const below = [...path, key];
  const rule = ruleAt(path);
  const known = keysOf(rule);
  const later = Object.hasOwn(NOT_YET, key) ? NOT_YET[key] : undefined;
  const hint = didYouMean(key, known) || elsewhere(key);
  const text = later ?? `unknown key${hint}`;
  return diagnostic("CONFIG_UNKNOWN_KEY", below, text, tree.keyOriginOf(below));
}

/** Where a key that stands in the wrong place belongs. */
function elsewhere(key: string): string {
  const homes: readonly [Path, string][] = [
    [[], "the top level"],
    [["chains", "*"], "a chain"],
    [["chains", "*", "providers", 0], "a provider"],
  ];
  for (const [path, name] of homes) {
    if (keysOf(ruleAt(path)).includes(key)) return `; it is a key of ${name}`;
  }
  return "";
}

function longestRuledPath(path: Path): Path {
  for (let length = path.length; length > 0; length--) {
    if (metaOf(ruleAt(path.slice(0, length)))?.["x-expects"] !== undefined) {
      return path.slice(0, length);
    }
  }
  return [];
}

/** `, got "x"`; never for what may hold a secret. */
function quoted(tree: SourceTree, path: Path, value: RawValue): string {
  if (Array.isArray(value)) return ", got a list";
  if (typeof value === "object" && value !== null) return ", got a map";
  if (typeof value === "string") {
    if (isSecretAt(path) || tree.isOpaque(path) || /:\/\//.test(value)) return "";
    return `, got "${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`;
  }
  return isSecretAt(path) ? "" : `, got ${String(value)}`;
}

function choice(path: Path, value: RawValue): string {
  const rule = ruleAt(path);
  if (rule === undefined || typeof value !== "string" || kindOf(rule) !== "choice") return "";
  return didYouMean(value, (rule as z.ZodEnum).options as readonly string[]);
}
