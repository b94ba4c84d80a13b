/** `paceline pair demo`: runs in this very process until it is interrupted. */
import type { Terminal } from "../terminal.ts";

/** Options of the demo; times in ms. */
export interface PairDemoOptions {
  readonly seed?: number;
  readonly providers?: number;
  readonly workers?: number;
  readonly policiesEvery?: number;
  readonly providersEvery?: number;
  readonly statsEvery?: number;
  readonly resultsEvery?: number;
  readonly for?: number;
}

/** Runs the demo. */
export async function showPairDemo(options: PairDemoOptions, terminal: Terminal): Promise<number> {
  const { pairDemo } = await import("../../../main.ts");
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    await pairDemo(
      {
        seed: options.seed,
        providers: options.providers,
        workers: options.workers,
        policiesMs: options.policiesEvery,
        providersMs: options.providersEvery,
        statsMs: options.statsEvery,
        resultsMs: options.resultsEvery,
        forMs: options.for,
      },
      terminal.out,
      stop.signal,
    );
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
  return 0;
}
