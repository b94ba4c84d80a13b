/** Verbs about the program itself. */
import type { Command } from "commander";
import { type Finish, withExamples, withInstance } from "../options.ts";
import type { Terminal } from "../terminal.ts";

/** Adds `bench` and `version`. */
export function addOtherVerbs(program: Command, terminal: Terminal, finish: Finish): void {
  const bench = program
    .command("bench")
    .argument("[name]", "benchmark, all when not given")
    .description("run the benchmarks of the repository")
    .option("--json", "one JSON object a line")
    .action(async (name, options) => {
      const { runBench } = await import("../verbs/bench.ts");
      finish(await runBench(name, options));
    });
  withExamples(bench, [
    "paceline bench proxy",
    "paceline bench select --json",
    "npm run bench -- race --json",
  ]);
  const version = program
    .command("version")
    .description("versions of this program, or of the running instance")
    .option("--running", "ask the running instance");
  withInstance(version).action(async (options) => {
    const { showVersion } = await import("../verbs/version.ts");
    finish(await showVersion(options, terminal));
  });
  withExamples(version, [
    "paceline version",
    "paceline version --json",
    "paceline version --running",
  ]);
}
