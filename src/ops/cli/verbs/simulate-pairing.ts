/** `paceline simulate pairing`: plays pairing on made-up data in this very process. */
import type { Assigned } from "../assignments.ts";
import { CliError, EXIT } from "../exit-codes.ts";
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
  readonly whatIf?: Assigned;
  readonly json?: boolean;
}

/** Runs the simulation and prints what came of it. */
export async function simulatePairing(
  options: SimulatePairingOptions,
  terminal: Terminal,
): Promise<number> {
  const { pairSimulation } = await import("../../../main.ts");
  const { epoch: epochMs, churn: churnPerSec, strategy: mode, json = false, ...same } = options;
  const played = await pairSimulation({ ...same, epochMs, churnPerSec, mode });
  if (!played.ok) throw new CliError(EXIT.usage, `simulate pairing: ${played.message}`);
  terminal.out(json ? `${JSON.stringify(played.report)}\n` : played.text);
  return 0;
}
