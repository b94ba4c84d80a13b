/** Verbs about pairing. */
import type { Command } from "commander";
import { duration, type Finish, whole, withExamples, withInstance } from "../options.ts";
import type { Terminal } from "../terminal.ts";

/** Adds `pair` and `pair demo`. */
export function addPairingVerbs(program: Command, terminal: Terminal, finish: Finish): void {
  const pair = program
    .command("pair")
    .description("the best providers of a market for a policy, or why one is not among them")
    .option("--policy <json>", "the policy; without it nothing is required")
    .option("--market <name>", "the market (default: the only one)")
    .option("--top <n>", "providers wanted", whole(1, 64))
    .option("--strategy <name>", "top, weighted, round-robin or a scoring profile")
    .option("--weights <json>", "weights by scorer that differ from the profile's")
    .option("--seed <seed>", "what weighted and round-robin choose by")
    .option("--explain", "show what each filter leaves")
    .option("--why <address>", "explain this provider instead");
  withInstance(pair).action(async (options) => {
    const { pairPolicy } = await import("../verbs/pair.ts");
    finish(await pairPolicy(options, terminal));
  });
  const demo = pair
    .command("demo")
    .description("the pairing service at work on made-up data, until Ctrl+C")
    .option("--seed <n>", "equal seeds make equal data (default: 1)", whole(0, 4_294_967_295))
    .option("--providers <n>", "providers at the start (default: 200)", whole(0, 100_000))
    .option("--workers <n>", "workers (default: 5)", whole(1, 256))
    .option("--policies-every <time>", "1 to 3 policies (default: 2s)", duration)
    .option("--providers-every <time>", "5 to 15 providers (default: 10s)", duration)
    .option("--stats-every <time>", "statistics (default: 30s)", duration)
    .option("--results-every <time>", "new results (default: 15s)", duration)
    .option("--for <time>", "end after this time", duration)
    .action(async (options) => {
      const { showPairDemo } = await import("../verbs/pair-demo.ts");
      finish(await showPairDemo(options, terminal));
    });
  withExamples(demo, [
    "paceline pair demo",
    "paceline pair demo --seed 7 --providers 10000 --policies-every 100ms",
    "paceline pair demo --for 1m --stats-every 5s",
  ]);
  withExamples(pair, [
    `paceline pair --policy '{"requiredLocation":"US-East-1","minStake":10000}'`,
    `paceline pair --policy '{"requiredFeatures":["gRPC"]}' --explain --json`,
    `paceline pair --policy '{"requiredFeatures":["gRPC"]}' --why provider_17`,
  ]);
}
