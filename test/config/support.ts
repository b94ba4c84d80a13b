/** Configurations for the tests of the loader. */
import { formatDiagnostic } from "../../config/diagnostic.ts";
import { loadConfig } from "../../config/load.ts";
import type { ConfigInput, LoadedConfig, RefusedConfig } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";

/** The smallest file that loads. */
export const SMALLEST = `
chains:
  ethereum:
    chain_id: 1
    providers:
      - { id: a, url: "https://a.example/key" }
`;

/** Loads a text as `paceline.yaml`; no files are there unless given. */
export function load(
  text: string,
  given: Partial<Pick<ConfigInput, "env" | "flags">> & {
    readonly files?: Readonly<Record<string, string>>;
  } = {},
): LoadedConfig | RefusedConfig {
  return loadConfig({
    file: "paceline.yaml",
    text,
    env: given.env ?? {},
    ...(given.flags && { flags: given.flags }),
    readFile: (path, maxBytes) => {
      const found = given.files?.[path];
      const code = found === undefined ? "ENOENT" : found.length > maxBytes ? "EFBIG" : undefined;
      if (found === undefined || code !== undefined) throw Object.assign(new Error("no"), { code });
      return found;
    },
  });
}

/** The configuration of a text that must load. */
export function mustLoad(text: string, given: Parameters<typeof load>[1] = {}): Config {
  const result = load(text, given);
  if (!result.ok) throw new Error(result.errors.map(formatDiagnostic).join("\n"));
  return result.config;
}

/** The errors of a text, as printed. */
export function errorsOf(text: string, given: Parameters<typeof load>[1] = {}): string[] {
  const result = load(text, given);
  return result.ok ? [] : result.errors.map(formatDiagnostic);
}

/** The warnings of a text, as printed. */
export function warningsOf(text: string, given: Parameters<typeof load>[1] = {}): string[] {
  return load(text, given).warnings.map(formatDiagnostic);
}
