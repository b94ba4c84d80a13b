/** Reads and checks the configuration: the file, the environment and the flags, each time anew. */
import { existsSync } from "node:fs";
import { formatDiagnostic, type Diagnostic } from "../../config/diagnostic.ts";
import { loadConfig, MAX_CONFIG_BYTES, type LoadedConfig } from "../../config/load.ts";
import type { ConfigFlags } from "../../config/reading/overrides.ts";
import { readTextFile } from "../io/files.ts";

/** Where the configuration comes from. */
export interface ConfigPlace {
  readonly file: string;
  readonly flags: ConfigFlags;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The configuration, or what is wrong with it, one line each. */
export type ConfigReading =
  | { readonly ok: true; readonly loaded: LoadedConfig; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly errors: readonly string[] };

/** Reads `place`; never throws for what is in the file or for a file that is not there. */
export const readConfig = (place: ConfigPlace): ConfigReading => {
  const { file, flags, env } = place;
  try {
    const loaded = loadConfig({
      file,
      text: readTextFile(file, MAX_CONFIG_BYTES),
      env,
      flags,
      readFile: readTextFile,
    });
    if (!loaded.ok) return { ok: false, errors: loaded.errors.map(print) };
    return { ok: true, loaded, warnings: loaded.warnings.map(print) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return { ok: false, errors: [`${file}: ${code === "ENOENT" ? "no such file" : message}`] };
  }
};

/** `--config`, else `PACELINE_CONFIG`, else `./paceline.yaml` if it is there; undefined means the demo. */
export const configFile = (
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined => {
  if (flag !== undefined) return flag;
  const named = env["PACELINE_CONFIG"];
  if (named !== undefined && named !== "") return named;
  return existsSync("paceline.yaml") ? "paceline.yaml" : undefined;
};

const print = (diagnostic: Diagnostic): string => formatDiagnostic(diagnostic);
