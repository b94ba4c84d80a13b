/** Verbs that run the gateway in this very process: start, demo. */
import type { Terminal } from "../terminal.ts";

interface StartOptions {
  readonly config?: string;
  readonly port?: number;
  readonly host?: string;
  readonly socket?: string;
  readonly logLevel?: string;
  readonly seed?: number;
  readonly demo: boolean;
}

/** `paceline start` and `paceline demo`. */
export async function startHost(options: StartOptions, _terminal: Terminal): Promise<number> {
  const { config, ...rest } = options;
  const { run } = await import("../../../main.ts");
  return run({ ...rest, ...(config !== undefined && { configFile: config }) });
}
