/**
 * Starts Paceline. Run as a program it hands its arguments to the command line's `start`, which calls
 * `run`; everything else is loaded from there.
 *
 * Loading is put off so that the compile cache is on before it happens: stripping types and compiling
 * some two hundred files is most of a cold start.
 */
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";
import { tuneVm } from "./io/vm-tuning.ts";
import type { RunOptions } from "./main/run.ts";

/** Runs until a signal or a failure ends it; resolves with the exit code. */
export const run = async (options: RunOptions): Promise<number> => {
  tuneVm();
  return (await import("./main/run.ts")).run(options);
};

if (import.meta.main) {
  enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/compile", import.meta.url)));
  process.argv.splice(2, 0, "start");
  // Not awaited: the command line imports this module, which must have been evaluated by then.
  void import("./cli.ts");
}
