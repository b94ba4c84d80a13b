/**
 * From the text of a file to a `Config`, or to everything that is wrong with it, at once.
 *
 * Order: YAML, environment and flags, substitution, schema, names, defaults. Nothing outside is
 * touched: text, environment and a file reader are arguments.
 */
import { checkClients } from "./reading/check-clients.ts";
import { checkPairing } from "./reading/check-pairing.ts";
import { checkDocument } from "./reading/check.ts";
import { completeTree } from "./reading/complete.ts";
import type { Completion } from "./reading/complete.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { applyOverrides } from "./reading/overrides.ts";
import type { ConfigFlags } from "./reading/overrides.ts";
import { resolveConfig } from "./reading/resolve.ts";
import type { Config } from "./schema.ts";
import { parseSource } from "./reading/source.ts";
import type { SourceTree } from "./reading/source.ts";
import type { Surroundings } from "./reading/substitute.ts";
import { validate } from "./reading/validate.ts";

/** What a configuration is made of. */
export interface ConfigInput extends Surroundings {
  /** Name of the file, as messages show it. */
  readonly file: string;
  readonly text: string;
  readonly flags?: ConfigFlags;
}

/** A configuration that can be used, with what it was made from. */
export interface LoadedConfig {
  readonly ok: true;
  readonly config: Config;
  readonly warnings: readonly Diagnostic[];
  /** For `config dump`: the values as written, with their origins. */
  readonly source: EffectiveSource;
}

/** The document behind a configuration. */
export interface EffectiveSource {
  readonly tree: SourceTree;
  readonly completion: Completion;
}

/** Everything that is wrong with a configuration. */
export interface RefusedConfig {
  readonly ok: false;
  readonly errors: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

/** Files larger than this are refused unread. */
export const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

/** Loads a configuration; never throws for what is in it. */
export function loadConfig(input: ConfigInput): LoadedConfig | RefusedConfig {
  const parsed = parseSource(input.text, input.file);
  if (parsed.isBroken) return { ok: false, errors: parsed.problems, warnings: [] };
  const { tree } = parsed;
  const overridden = applyOverrides(tree, input.env, input.flags ?? {});
  const completion = completeTree(tree, input);
  const validated = validate(tree);
  const found = [
    ...parsed.problems,
    ...overridden,
    ...completion.problems,
    // a value that substitution could not give is already reported
    ...(validated.ok ? [] : validated.problems).filter(({ path }) => !completion.leftOut.has(path)),
    ...checkDocument(tree, completion.leftOut),
    ...checkClients(tree),
    ...checkPairing(tree),
  ].sort(inFileOrder);
  const errors = found.filter(({ severity }) => severity === "error");
  const warnings = found.filter(({ severity }) => severity === "warning");
  if (errors.length > 0 || !validated.ok) return { ok: false, errors, warnings };
  const config = resolveConfig(validated.document, completion);
  return { ok: true, config, warnings, source: { tree, completion } };
}

function inFileOrder(a: Diagnostic, b: Diagnostic): number {
  if (a.origin.kind !== "file" || b.origin.kind !== "file") {
    return Number(a.origin.kind === "file") - Number(b.origin.kind === "file");
  }
  return a.origin.line - b.origin.line || a.origin.column - b.origin.column;
}
