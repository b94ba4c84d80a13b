/** The effective configuration as a document: every key, every default, secrets as their labels. */
import { Document, isScalar, visit } from "yaml";
import { Secret } from "../src/lib/secret.ts";
import { formatOrigin, formatPath } from "./diagnostic.ts";
import type { Path } from "./diagnostic.ts";
import type { EffectiveSource } from "./load.ts";
import { emptyMap, isRawMap } from "./reading/source.ts";
import type { RawMap, RawValue } from "./reading/source.ts";
import { isSecretAt, keysOf, kindOf, metaOf, ruleAt } from "./keys/walk.ts";

/** One effective value and where it comes from. */
export interface EffectiveValue {
  readonly path: string;
  readonly value: RawValue;
  readonly origin: string;
}

/** The effective document and its values one by one. */
export interface EffectiveDump {
  readonly document: RawMap;
  readonly values: readonly EffectiveValue[];
  /** Remarks on single keys, by dotted path. */
  readonly remarks: ReadonlyMap<string, string>;
}

/** Everything that is in force, safe to show. */
export function dumpConfig(source: EffectiveSource): EffectiveDump {
  const { tree, completion } = source;
  const values: EffectiveValue[] = [];
  const remarks = new Map<string, string>();

  const group = (path: Path): RawMap => {
    const map = emptyMap();
    const rule = ruleAt(path);
    const given = tree.get(path);
    const names = rule !== undefined && kindOf(rule) === "map" ? keysOf(rule) : [];
    const keys = names.length > 0 ? names : isRawMap(given) ? Object.keys(given) : [];
    for (const key of keys) {
      const below = [...path, key];
      const value = entry(below);
      if (value !== undefined) map[key] = value;
    }
    return map;
  };

  const entry = (path: Path): RawValue | undefined => {
    const rule = ruleAt(path);
    const kind = rule === undefined ? "text" : kindOf(rule);
    if (kind === "map" || (path.length === 1 && path[0] === "chains")) {
      const inner = group(path);
      return Object.keys(inner).length > 0 ? inner : undefined;
    }
    const given = tree.get(path);
    if (path.at(-1) === "providers" && Array.isArray(given)) {
      return given.map((_, at) => group([...path, at]));
    }
    const dotted = formatPath(path);
    const reason = completion.leftOut.get(dotted);
    if (reason !== undefined) {
      remarks.set(dotted, `left out: ${reason}`);
      return null;
    }
    const value = given ?? (metaOf(rule)?.default as RawValue | undefined);
    if (value === undefined) return undefined;
    const shown = isSecretAt(path) || isServer(value) ? masked(value, dotted) : value;
    const origin = given === undefined ? "default" : formatOrigin(tree.originOf(path));
    values.push({ path: dotted, value: shown, origin });
    return shown;
  };

  const masked = (value: RawValue, dotted: string): RawValue => {
    if (typeof value === "string") {
      const hides = completion.hiddenHosts.has(dotted) || dotted.includes(".headers");
      return new Secret(value, hides ? "hide" : "show").toString();
    }
    if (!isRawMap(value)) return "***";
    const map = emptyMap();
    for (const [key, item] of Object.entries(value)) map[key] = masked(item, `${dotted}.${key}`);
    return map;
  };

  return { document: group([]), values, remarks };
}

/** A database server's URL has its password in it. */
const isServer = (value: RawValue): boolean =>
  typeof value === "string" && /^postgres(ql)?:\/\//.test(value);

/** The dump as YAML; with `origins` every value says where it comes from. */
export function dumpYaml(dump: EffectiveDump, options: { readonly origins: boolean }): string {
  const document = new Document(dump.document);
  const origins = new Map(dump.values.map(({ path, origin }) => [path, origin]));
  const note = (path: string): string | undefined =>
    dump.remarks.get(path) ?? (options.origins ? origins.get(path) : undefined);
  visit(document, {
    Seq: (_, node) => {
      if (node.items.every((item) => isScalar(item))) node.flow = true;
    },
    Map: (_, node) => {
      if (node.items.length === 0) node.flow = true;
    },
  });
  const annotate = (node: unknown, path: Path): void => {
    const found = document.getIn(path, true) as { comment?: string | null } | undefined;
    const text = note(formatPath(path));
    if (found !== undefined && text !== undefined) found.comment = ` ${text}`;
    if (Array.isArray(node)) node.forEach((item, at) => annotate(item, [...path, at]));
    else if (isRawMap(node)) {
      for (const [key, value] of Object.entries(node)) annotate(value, [...path, key]);
    }
  };
  annotate(dump.document, []);
  return document.toString({ lineWidth: 0 });
}
