/**
 * The raw document and where every value of it came from.
 *
 * `parseSource` reads YAML into plain values (null-prototype maps, so that no key of the input is
 * special) and marks each path with its line and column. Environment and flags write into the same
 * tree, each value keeping its origin.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Document, Node, ParsedNode } from "yaml";
import { diagnostic } from "../diagnostic.ts";
import type { Diagnostic, Origin, Path } from "../diagnostic.ts";

/** A map of the document. */
export interface RawMap {
  [key: string]: RawValue;
}

/** Any value of the document. */
export type RawValue = string | number | boolean | null | RawMap | RawValue[];

interface Mark {
  readonly key: Origin;
  readonly value: Origin;
  /** The text came out of a substitution: never quoted in a message. */
  readonly isOpaque: boolean;
}

const SEPARATOR = "\u0000";
const MAX_NODES = 500_000;
const MAX_DEPTH = 32;
const MAX_ALIASES = 1_000;

/** A document under construction: values and their origins. */
export class SourceTree {
  readonly root: RawMap = emptyMap();
  readonly #marks = new Map<string, Mark>();

  /** The value at a path, undefined when there is none. */
  get(path: Path): RawValue | undefined {
    let at: RawValue | undefined = this.root;
    for (const step of path) {
      if (Array.isArray(at)) at = at[Number(step)];
      else if (isRawMap(at)) at = at[String(step)];
      else return undefined;
    }
    return at;
  }

  /** Writes a value, creating the maps on the way; false when something else than a map is there. */
  set(path: Path, value: RawValue, origin: Origin, isOpaque = false): boolean {
    let at: RawValue = this.root;
    for (const step of path.slice(0, -1)) {
      if (Array.isArray(at)) {
        const next: RawValue | undefined = at[Number(step)];
        if (next === undefined) return false;
        at = next;
      } else if (isRawMap(at)) {
        at = at[String(step)] ??= emptyMap();
      } else return false;
    }
    const last = path.at(-1);
    if (last === undefined) return false;
    if (Array.isArray(at)) at[Number(last)] = value;
    else if (isRawMap(at)) at[String(last)] = value;
    else return false;
    const key = this.#marks.get(path.join(SEPARATOR))?.key ?? origin;
    this.mark(path, { key, value: origin, isOpaque });
    return true;
  }

  /** Takes a key out of its map. */
  remove(path: Path): void {
    const parent = this.get(path.slice(0, -1));
    if (isRawMap(parent)) delete parent[String(path.at(-1))];
  }

  mark(path: Path, mark: Mark): void {
    this.#marks.set(path.join(SEPARATOR), mark);
  }

  /** Where the value at a path came from; the nearest enclosing one when the path itself is absent. */
  originOf(path: Path): Origin {
    return this.#nearest(path)?.value ?? { kind: "default" };
  }

  /** Where the key at a path is written. */
  keyOriginOf(path: Path): Origin {
    return this.#nearest(path)?.key ?? { kind: "default" };
  }

  /** Whether the value may be quoted in a message. */
  isOpaque(path: Path): boolean {
    return this.#marks.get(path.join(SEPARATOR))?.isOpaque ?? false;
  }

  /** Whether this very path was written by file, environment or flag. */
  has(path: Path): boolean {
    return this.#marks.has(path.join(SEPARATOR));
  }

  #nearest(path: Path): Mark | undefined {
    for (let length = path.length; length >= 0; length--) {
      const mark = this.#marks.get(path.slice(0, length).join(SEPARATOR));
      if (mark !== undefined) return mark;
    }
    return undefined;
  }
}

/** What a file gave: the tree, and what was wrong with its YAML. */
export interface ParsedSource {
  readonly tree: SourceTree;
  readonly problems: readonly Diagnostic[];
  /** The text is no YAML document; there is no use in looking further. */
  readonly isBroken: boolean;
}

/** Reads the YAML text of `file`; never throws. */
export function parseSource(text: string, file: string): ParsedSource {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    stringKeys: false,
    logLevel: "error",
  });
  const at = (offset: number | undefined): Origin => {
    const { line, col } = lines.linePos(offset ?? 0);
    return { kind: "file", file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const tree = new SourceTree();
  const syntax = syntaxProblems(document, text, at);
  if (document.errors.length > 0) return { tree, problems: syntax, isBroken: true };
  const walker = new Walker(document, tree, at);
  walker.enter(document.contents);
  return {
    tree,
    problems: [...syntax, ...walker.problems],
    isBroken: walker.isBroken,
  };
}

/** After a first slip the parser stumbles on: of equal findings only the first says something. */
function syntaxProblems(
  document: Document.Parsed,
  text: string,
  at: (offset: number | undefined) => Origin,
): readonly Diagnostic[] {
  const found = new Map<string, Diagnostic>();
  for (const error of [...document.errors, ...document.warnings]) {
    // the library's own text may quote the line, and the line may hold a key
    const words = SYNTAX[error.code] ?? "not valid YAML here";
    if (found.has(words)) continue;
    const [offset] = error.pos;
    const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1).split("\n", 1)[0] ?? "";
    const hint = /[{[].*\$\{/.test(line) ? "; inside { } or [ ] put ${…} in quotes" : "";
    found.set(words, diagnostic("CONFIG_YAML", [], words + hint, at(offset)));
  }
  return [...found.values()];
}

/** Turns nodes into values; positions go into the tree's marks. */
class Walker {
  readonly problems: Diagnostic[] = [];
  isBroken = false;
  readonly #document: Document.Parsed;
  readonly #tree: SourceTree;
  readonly #at: (offset: number | undefined) => Origin;
  #nodes = 0;
  #aliases = 0;

  constructor(
    document: Document.Parsed,
    tree: SourceTree,
    at: (offset: number | undefined) => Origin,
  ) {
    this.#document = document;
    this.#tree = tree;
    this.#at = at;
  }

  enter(contents: ParsedNode | null): void {
    const origin = this.#at(contents?.range[0]);
    this.#tree.mark([], { key: origin, value: origin, isOpaque: false });
    if (contents === null || (isScalar(contents) && contents.value === null)) return;
    if (!isMap(contents)) {
      this.#fail("CONFIG_WRONG_TYPE", [], "the document must be a map of keys", contents);
      return;
    }
    Object.assign(this.#tree.root, this.#value(contents, []));
  }

  #value(given: Node | null, path: Path): RawValue {
    if (++this.#nodes > MAX_NODES || path.length > MAX_DEPTH) {
      if (!this.isBroken) {
        const text = `the document is too large: at most ${MAX_NODES} values, ${MAX_DEPTH} levels`;
        this.#fail("CONFIG_TOO_LARGE", [], text, given);
      }
      return null;
    }
    if (this.isBroken) return null;
    const node = isAlias(given) ? this.#follow(given, path) : given;
    if (isMap(node)) return this.#map(node.items as readonly MapItem[], path);
    if (isSeq(node)) {
      return node.items.map((item, index) => this.#entry(item as Node, [...path, index]));
    }
    if (!isScalar(node)) return null;
    const { value } = node;
    if (typeof value === "string" || typeof value === "number") return value;
    if (typeof value === "boolean") return value;
    // a date or a binary would need a tag, and tags are refused
    return typeof value === "bigint" ? Number(value) : null;
  }

  #map(items: readonly MapItem[], path: Path): RawMap {
    const map = emptyMap();
    for (const { key, value } of items) {
      if (!isScalar(key)) {
        this.#fail("CONFIG_WRONG_TYPE", path, "a key must be a plain text", key as Node);
        continue;
      }
      const name = String(key.value);
      const below = [...path, name];
      const keyOrigin = this.#at(key.range?.[0]);
      if (name === "__proto__") {
        this.#fail("CONFIG_UNKNOWN_KEY", below, "unknown key", key);
        continue;
      }
      if (name in map) {
        const first = this.#tree.keyOriginOf(below);
        const where = first.kind === "file" ? ` (first on line ${first.line})` : "";
        this.problems.push(
          diagnostic("CONFIG_DUPLICATE_KEY", below, `given twice${where}`, keyOrigin),
        );
        continue;
      }
      const valueOrigin = value?.range ? this.#at(value.range[0]) : keyOrigin;
      this.#tree.mark(below, { key: keyOrigin, value: valueOrigin, isOpaque: false });
      map[name] = this.#value(value, below);
    }
    return map;
  }

  #entry(item: Node, path: Path): RawValue {
    const origin = this.#at(item.range?.[0]);
    this.#tree.mark(path, { key: origin, value: origin, isOpaque: false });
    return this.#value(item, path);
  }

  #follow(alias: Parameters<typeof isAlias>[0], path: Path): Node | null {
    if (!isAlias(alias)) return null;
    if (++this.#aliases > MAX_ALIASES) {
      this.#fail("CONFIG_TOO_LARGE", path, `more than ${MAX_ALIASES} aliases`, alias);
      return null;
    }
    const node = alias.resolve(this.#document);
    if (node === undefined) this.#fail("CONFIG_YAML", path, "an alias without its anchor", alias);
    return node ?? null;
  }

  #fail(code: Diagnostic["code"], path: Path, text: string, node: Node | null): void {
    this.isBroken ||= code === "CONFIG_TOO_LARGE" || path.length === 0;
    this.problems.push(diagnostic(code, path, text, this.#at(node?.range?.[0])));
  }
}

interface MapItem {
  readonly key: unknown;
  readonly value: Node | null;
}

/** Our words for what the YAML library found. */
const SYNTAX: Readonly<Record<string, string>> = {
  BAD_ALIAS: "an alias without its anchor",
  BAD_DQ_ESCAPE: "an escape that YAML does not know in a double-quoted text",
  BAD_INDENT: "wrong indentation",
  BAD_SCALAR_START: "a plain text cannot start with this character: quote it",
  BLOCK_AS_IMPLICIT_KEY: "a nested map on the line of its parent: start a new line and indent it",
  BLOCK_IN_FLOW: "an indented block inside { } or [ ]",
  KEY_OVER_1024_CHARS: "a key of more than 1024 characters",
  MISSING_CHAR: "a character is missing, such as a closing quote, bracket or colon",
  MULTILINE_IMPLICIT_KEY: "a key must stand on one line; is a colon or a quote missing?",
  MULTIPLE_DOCS: "more than one YAML document in the file",
  TAB_AS_INDENT: "a tab as indentation: use spaces",
  TAG_RESOLVE_FAILED: "a YAML tag that is not known",
  UNEXPECTED_TOKEN: "unexpected text",
};

/** Whether a value is a map. */
export function isRawMap(value: unknown): value is RawMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A map without a prototype. */
export function emptyMap(): RawMap {
  return Object.create(null) as RawMap;
}
