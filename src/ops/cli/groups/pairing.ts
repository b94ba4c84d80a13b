/** Verbs about pairing. */
import type { Command } from "commander";
import { type Finish, whole, withExamples, withInstance } from "../options.ts";
import type { Terminal } from "../terminal.ts";

/** Adds `pair`. */
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
  withExamples(pair, [
    `paceline pair --policy '{"requiredLocation":"US-East-1","minStake":10000}'`,
    `paceline pair --policy '{"requiredFeatures":["gRPC"]}' --explain --json`,
    `paceline pair --policy '{"requiredFeatures":["gRPC"]}' --why provider_17`,
  ]);
}
