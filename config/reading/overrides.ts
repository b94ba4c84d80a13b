/**
 * Values from the environment and from flags, written over those of the file.
 *
 * `PACELINE__DRAIN__TIMEOUT=20s` sets `drain.timeout`: two underscores separate levels, chains and
 * providers are named by their id, with `_` for every character a variable cannot hold.
 */
import { parseDocument } from "yaml";
import { diagnostic } from "../diagnostic.ts";
import type { Diagnostic, Origin, Path } from "../diagnostic.ts";
import type { RawMap, RawValue, SourceTree } from "./source.ts";
import { isRawMap } from "./source.ts";
import { didYouMean } from "./suggest.ts";
import { keysOf, kindOf, ruleAt } from "../keys/walk.ts";

/** Values given on the command line. */
export interface ConfigFlags {
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly logLevel?: string | undefined;
  readonly socket?: string | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

const PREFIX = "PACELINE__";

/** Writes environment and flags into the tree; weakest first, so that a stronger one wins. */
export function applyOverrides(tree: SourceTree, env: Env, flags: ConfigFlags): Diagnostic[] {
  const problems: Diagnostic[] = [];
  named(tree, env, ["listen", "port"], ["PORT", "API_PORT"]);
  named(tree, env, ["region"], ["LIVECHAIN_REGION", "PACELINE_REGION"]);
  for (const name of Object.keys(env).sort()) {
    const value = env[name];
    if (name.startsWith(PREFIX) && value !== undefined) {
      const problem = override(tree, name, value);
      if (problem !== undefined) problems.push(problem);
    }
  }
  flagged(tree, ["listen", "port"], "--port", flags.port);
  flagged(tree, ["listen", "host"], "--host", flags.host);
  flagged(tree, ["log", "level"], "--log-level", flags.logLevel);
  flagged(tree, ["admin", "socket"], "--socket", flags.socket);
  return problems;
}

function named(tree: SourceTree, env: Env, path: Path, names: readonly string[]): void {
  for (const name of names) {
    const value = env[name];
    if (value === undefined || value === "") continue;
    tree.set(path, typed(path, value), { kind: "env", name }, true);
  }
}

function flagged(
  tree: SourceTree,
  path: Path,
  name: string,
  value: string | number | undefined,
): void {
  if (value !== undefined) tree.set(path, value, { kind: "flag", name });
}

function override(tree: SourceTree, name: string, value: string): Diagnostic | undefined {
  const origin: Origin = { kind: "env", name };
  const refuse = (text: string): Diagnostic =>
    diagnostic("CONFIG_UNKNOWN_OVERRIDE", [], text, origin);
  const path: (string | number)[] = [];
  for (const segment of name.slice(PREFIX.length).split("__")) {
    const rule = ruleAt(path);
    const wanted = normal(segment);
    const known = rule === undefined ? [] : candidates(tree, path, keysOf(rule));
    const found = known.filter((candidate) => normal(candidate.name) === wanted);
    if (found.length > 1) return refuse(`names more than one of ${list(found)}`);
    const step = found[0]?.step;
    if (step === undefined) {
      const names = known.map((candidate) => candidate.name);
      const where = path.length === 0 ? "the document" : path.join(".");
      return refuse(`sets no key of ${where}${didYouMean(wanted, names)}`);
    }
    path.push(step);
  }
  const rule = ruleAt(path);
  if (rule === undefined || path.length === 0) return refuse("sets no key");
  if (kindOf(rule) === "map" || path.join(".") === "chains") {
    return refuse("names a group of keys, not one key");
  }
  return tree.set(path, typed(path, value), origin, true)
    ? undefined
    : refuse("sets a key inside something that is no map");
}

interface Candidate {
  readonly name: string;
  readonly step: string | number;
}

/** What may follow a path: keys of the schema, chains by name, providers by id. */
function candidates(tree: SourceTree, path: Path, keys: readonly string[]): readonly Candidate[] {
  if (keys.length > 0) return keys.map((name) => ({ name, step: name }));
  const value = tree.get(path);
  if (isRawMap(value)) return Object.keys(value).map((name) => ({ name, step: name }));
  if (!Array.isArray(value)) return [];
  return value.flatMap((item, step) =>
    isRawMap(item) && typeof item["id"] === "string" ? [{ name: item["id"], step }] : [],
  );
}

const normal = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "_");
const list = (found: readonly Candidate[]): string => found.map(({ name }) => name).join(", ");

/**
 * A text as the type its key takes: environment variables and substitutions have no types of their
 * own. What does not fit stays a text, and validation says what is wrong with it.
 */
export function typed(path: Path, text: string): RawValue {
  const rule = ruleAt(path);
  if (rule === undefined) return text;
  switch (kindOf(rule)) {
    case "number":
    case "mixed":
      return asNumber(text);
    case "flag":
      return text === "true" ? true : text === "false" ? false : text;
    case "list":
    case "names":
      return asYaml(text);
    default:
      return text;
  }
}

function asNumber(text: string): RawValue {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** Lists and maps are written in YAML's flow form: `[a, b]`. */
function asYaml(text: string): RawValue {
  const document = parseDocument(text, { prettyErrors: false, logLevel: "silent" });
  if (document.errors.length > 0) return text;
  const value = document.toJS({ maxAliasCount: 0 }) as RawMap | RawValue[] | null;
  return value ?? text;
}
