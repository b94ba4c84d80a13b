/** `paceline simulate pairing`: plays pairing on made-up data in this very process. */
import type { Terminal } from "../terminal.ts";

/** Options of the simulation. */
export interface SimulatePairingOptions {
  readonly seed?: number;
  readonly providers?: number;
  readonly policies?: number;
  readonly epochs?: number;
  readonly epoch?: number;
  readonly churn?: number;
  readonly strategy?: "top" | "weighted";
  readonly top?: number;
  readonly json?: boolean;
}

/** Runs the simulation and prints what came of it. */
export async function simulatePairing(
  options: SimulatePairingOptions,
  terminal: Terminal,
): Promise<number> {
  const { pairSimulation } = await import("../../../main.ts");
  const { epoch: epochMs, churn: churnPerSec, strategy: mode, json = false, ...same } = options;
  const { text, report } = await pairSimulation({ ...same, epochMs, churnPerSec, mode });
  terminal.out(json ? `${JSON.stringify(report)}\n` : text);
  return 0;
}
