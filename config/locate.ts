/** Which file holds the configuration. */
import { fileURLToPath } from "node:url";

/** The configuration of the embedded demo, copied by readers and loaded when there is no other. */
export const demoConfigFile = fileURLToPath(new URL("./demo.yml", import.meta.url));

/** A file to load; `isChosen` when somebody named it, so that its absence is an error. */
export interface ConfigLocation {
  readonly file: string;
  readonly isChosen: boolean;
}

/** `--config`, else `PACELINE_CONFIG`, else `./paceline.yaml`; no other place is searched. */
export function locateConfig(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): ConfigLocation {
  const named = flag ?? env["PACELINE_CONFIG"];
  return named === undefined || named === ""
    ? { file: "paceline.yaml", isChosen: false }
    : { file: named, isChosen: true };
}
