/** `paceline bench`: hands over to the benchmarks of the repository. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CliError, EXIT } from "../exit-codes.ts";

const RUNNER = fileURLToPath(new URL("../../../../bench/run.ts", import.meta.url));

/** Runs one benchmark, or all. */
export async function runBench(
  name: string | undefined,
  options: { readonly json?: boolean },
): Promise<number> {
  if (!existsSync(RUNNER)) {
    throw new CliError(
      EXIT.failed,
      "the benchmarks are part of the repository, not of the package",
    );
  }
  const args = [RUNNER, ...(name === undefined ? [] : [name])];
  if (options.json === true) args.push("--json");
  const child = spawn(process.execPath, args, { stdio: "inherit" });
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code) => done(code ?? EXIT.failed));
  });
}
