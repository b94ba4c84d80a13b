/**
 * Starts Paceline: the command line's `start` calls `run`; everything else is loaded from there. Run as
 * a program, this file hands its arguments to that `start`.
 *
 * Loading is put off so that the compile cache is on before it happens: stripping types and compiling
 * hundreds of files is most of a cold start. `npm start` comes through bin/paceline.mjs, which is
 * JavaScript and turns the cache on before any type has to be stripped.
 */
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";
import { tuneVm } from "./io/vm-tuning.ts";
import type { SimulationOptions, SimulationReport } from "./pairing/simulation/simulation.ts";
import type { PairingDemoOptions } from "./main/pairing/demo.ts";
import type { RunOptions } from "./main/run.ts";

/** Runs until a signal or a failure ends it; resolves with the exit code. */
export const run = async (options: RunOptions): Promise<number> => {
  tuneVm();
  return (await import("./main/run.ts")).run(options);
};

/** Runs the pairing demo until `signal` is aborted; what is undefined is as usual. */
export const pairDemo = async (
  given: { readonly [Key in keyof PairingDemoOptions]?: PairingDemoOptions[Key] | undefined },
  out: (text: string) => void,
  signal: AbortSignal,
): Promise<void> => {
  const { PAIRING_DEMO, runPairingDemo } = await import("./main/pairing/demo.ts");
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  const options: PairingDemoOptions = { ...PAIRING_DEMO, ...Object.fromEntries(named) };
  await runPairingDemo(options, out, signal);
};

/** `paceline simulate pairing`: what came of it, and as people read it; or what is wrong with it. */
export const pairSimulation = async (
  given: {
    readonly [Key in keyof SimulationOptions]?: SimulationOptions[Key] | undefined;
  },
): Promise<
  | { readonly ok: true; readonly report: SimulationReport; readonly text: string }
  | { readonly ok: false; readonly message: string }
> => {
  const { SIMULATION, simulate } = await import("./pairing/simulation/simulation.ts");
  const { simulationText } = await import("./pairing/simulation/report-text.ts");
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  const options: SimulationOptions = { ...SIMULATION, ...Object.fromEntries(named) };
  const played = simulate(options, () => performance.now() * 1_000);
  if (played.ok) return { ok: true, report: played.value, text: simulationText(played.value) };
  const message = played.faults.map((fault) => `${fault.path}: ${fault.message}`).join("; ");
  return { ok: false, message };
};

if (import.meta.main) {
  enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/compile", import.meta.url)));
  process.argv.splice(2, 0, "start");
  // Not awaited: the command line imports this module, which must have been evaluated by then.
  void import("./cli.ts");
}
