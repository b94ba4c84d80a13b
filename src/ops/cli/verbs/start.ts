/** Verbs that run the gateway in this very process: start, demo. */

interface StartOptions {
  readonly config?: string;
  readonly port?: number;
  readonly host?: string;
  readonly socket?: string;
  readonly logLevel?: string;
  readonly seed?: number;
  readonly demo: boolean;
}

/** Time for last lines to leave; whatever is still open then must not hold the end. */
const LINGER_MS = 200;

/** `paceline start` and `paceline demo`. */
export async function startHost(options: StartOptions): Promise<number> {
  const { config, ...rest } = options;
  const { run } = await import("../../../main.ts");
  const exitCode = await run({ ...rest, ...(config !== undefined && { configFile: config }) });
  setTimeout(() => process.exit(exitCode), LINGER_MS).unref();
  return exitCode;
}
