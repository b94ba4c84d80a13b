/** Verbs that read a configuration file: validate, dump, schema. */
import { formatDiagnostic } from "../../../../config/diagnostic.ts";
import type { Diagnostic } from "../../../../config/diagnostic.ts";
import { dumpConfig, dumpYaml } from "../../../../config/dump.ts";
import type { EffectiveDump } from "../../../../config/dump.ts";
import { loadConfig, MAX_CONFIG_BYTES } from "../../../../config/load.ts";
import type { LoadedConfig, RefusedConfig } from "../../../../config/load.ts";
import { locateConfig } from "../../../../config/locate.ts";
import { configJsonSchema } from "../../../../config/keys/reference.ts";
import { withClient } from "../ask.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import type { InstanceOptions } from "../options.ts";
import { paintFor } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";

interface ValidateOptions {
  readonly format?: string;
  readonly json?: boolean;
}

/** `paceline config validate`. */
export function validateConfig(
  file: string | undefined,
  options: ValidateOptions,
  terminal: Terminal,
): number {
  const format = options.format ?? (options.json === true ? "json" : "text");
  if (!["text", "json", "github"].includes(format)) {
    throw new CliError(EXIT.usage, `unknown format "${format}": text, json or github`);
  }
  const { name, result } = load(file, terminal);
  const errors = result.ok ? [] : result.errors;
  const found = [...errors, ...result.warnings];
  if (format === "json") {
    terminal.out(`${JSON.stringify({ file: name, valid: result.ok, findings: found }, null, 2)}\n`);
  } else if (format === "github") {
    terminal.out(found.map(githubLine).join(""));
  } else terminal.out(report(name, result, found, terminal));
  return result.ok ? EXIT.done : EXIT.badConfig;
}

function report(
  name: string,
  result: LoadedConfig | RefusedConfig,
  found: readonly Diagnostic[],
  terminal: Terminal,
): string {
  const paint = paintFor(terminal);
  const lines = found.map((one) => formatDiagnostic(one));
  const warnings = `${result.warnings.length} warning${result.warnings.length === 1 ? "" : "s"}`;
  if (!result.ok) {
    const count = `${result.errors.length} error${result.errors.length === 1 ? "" : "s"}`;
    return `${[...lines, paint.bad(`${name}: ${count}, ${warnings}`)].join("\n")}\n`;
  }
  const { chains } = result.config;
  const providers = chains.reduce((sum, chain) => sum + chain.providers.length, 0);
  const summary = `${name} is valid: ${chains.length} chains, ${providers} providers, ${warnings}`;
  return `${[...lines, paint.good(summary)].join("\n")}\n`;
}

/** A line that GitHub shows beside the changed line. */
function githubLine({ severity, origin, path, message }: Diagnostic): string {
  const place =
    origin.kind === "file" ? ` file=${origin.file},line=${origin.line},col=${origin.column}` : "";
  return `::${severity}${place}::${path === "" ? "" : `${path}: `}${message}\n`;
}

interface DumpOptions extends InstanceOptions {
  readonly origin?: boolean;
  readonly running?: boolean;
}

/** `paceline config dump`. */
export async function dumpConfigFile(
  file: string | undefined,
  options: DumpOptions,
  terminal: Terminal,
): Promise<number> {
  const isRunning = options.running === true || options.region !== undefined;
  const dump = isRunning ? await runningDump(options, terminal) : fileDump(file, terminal);
  if (options.json === true) {
    const json = options.origin === true ? dump.values : dump.document;
    terminal.out(`${JSON.stringify(json, null, 2)}\n`);
  } else terminal.out(dumpYaml(dump, { origins: options.origin === true }));
  return EXIT.done;
}

function fileDump(file: string | undefined, terminal: Terminal): EffectiveDump {
  const { result } = load(file, terminal);
  if (!result.ok) {
    for (const found of [...result.errors, ...result.warnings]) {
      terminal.err(`${formatDiagnostic(found)}\n`);
    }
    throw new CliError(EXIT.badConfig, `${result.errors.length} errors in the configuration`);
  }
  return dumpConfig(result.source);
}

async function runningDump(options: DumpOptions, terminal: Terminal): Promise<EffectiveDump> {
  const reply = (await withClient(options, terminal, "viewer", (client) =>
    client.ask("config", { origin: true }),
  )) as {
    readonly document: EffectiveDump["document"];
    readonly values: EffectiveDump["values"];
    readonly remarks: Readonly<Record<string, string>>;
  };
  return { ...reply, remarks: new Map(Object.entries(reply.remarks)) };
}

/** `paceline config schema`. */
export function printSchema(terminal: Terminal): number {
  terminal.out(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  return EXIT.done;
}

interface Loaded {
  readonly name: string;
  readonly result: LoadedConfig | RefusedConfig;
}

function load(file: string | undefined, terminal: Terminal): Loaded {
  const { file: name } = locateConfig(file, terminal.env);
  let text: string;
  try {
    text = terminal.readFile(name, MAX_CONFIG_BYTES);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    throw new CliError(EXIT.badConfig, `cannot read ${name} (${code})`);
  }
  const { env, readFile } = terminal;
  return { name, result: loadConfig({ file: name, text, env, readFile }) };
}
