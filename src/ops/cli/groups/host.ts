/** Verbs that run an instance: their options and examples. */
import type { Command } from "commander";
import { type Finish, whole, withExamples } from "../options.ts";

/** Adds `start` and `demo`. */
export function addHostVerbs(program: Command, finish: Finish): void {
  const port = whole(0, 65_535);
  const start = program
    .command("start")
    .description("run the gateway; without a configuration file, the embedded demo")
    .option("--config <file>", "configuration file (default: $PACELINE_CONFIG, ./paceline.yaml)")
    .action(async (options) => {
      const { startHost } = await import("../verbs/start.ts");
      finish(await startHost({ ...options, demo: false }));
    });
  const demo = program
    .command("demo")
    .description("run the embedded demo: two fake chains, eight faulty providers")
    .action(async (options) => {
      const { startHost } = await import("../verbs/start.ts");
      finish(await startHost({ ...options, demo: true }));
    });
  for (const verb of [start, demo]) {
    verb
      .option("--port <port>", "port to listen on, 0 for a free one", port)
      .option("--host <address>", "address to listen on")
      .option("--socket <path>", "where to put the admin socket")
      .option("--log-level <levels>", "such as debug, or info,rpc=debug")
      .option("--seed <number>", "repeat a run of the demo", whole(0, Number.MAX_SAFE_INTEGER));
  }
  withExamples(start, [
    "paceline start --config paceline.yaml",
    "paceline start --port 0 --log-level info,rpc.breaker=debug",
    "API_PORT=9000 paceline start",
  ]);
  withExamples(demo, ["paceline demo", "paceline demo --seed 7", "paceline demo --port 0"]);
}
