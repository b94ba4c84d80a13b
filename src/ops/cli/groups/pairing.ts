/** Verbs about pairing. */
import { type Command, Option } from "commander";
import { assigned } from "../assignments.ts";
import { duration, type Finish, rate, whole, withExamples, withInstance } from "../options.ts";
import type { Terminal } from "../terminal.ts";

/** Adds `pair`, `pair demo` and `simulate pairing`. */
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
    .option("--why <address>", "explain this provider instead")
    .option("--what-if <change>", "compare instead: weights.stake=0.6; repeatable", assigned)
    .option("--replay <id>", "make a pairing of the audit trail again instead");
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
    `paceline pair --policy '{"requiredFeatures":["gRPC"]}' --why provider_17 --json`,
    "paceline pair --what-if weights.stake=0.6 --what-if policy.minStake=50000",
  ]);
  addSimulation(program, terminal, finish);
}

function addSimulation(program: Command, terminal: Terminal, finish: Finish): void {
  const simulate = program
    .command("simulate")
    .description("play a part of the product on made-up data");
  const pairing = simulate
    .command("pairing")
    .description("consumers' lists, epoch after epoch, while providers come and go")
    .option("--seed <n>", "equal seeds make equal data (default: 1)", whole(0, 4_294_967_295))
    .option("--providers <n>", "providers (default: 1000)", whole(0, 1_000_000))
    .option("--policies <n>", "consumers, each with its policy (default: 100)", whole(1, 100_000))
    .option("--epochs <n>", "epochs (default: 1)", whole(1, 1_000))
    .option("--epoch <time>", "length of an epoch (default: 5m)", duration)
    .option("--churn <rate>", "providers replaced by others, such as 5/s (default: none)", rate)
    .addOption(new Option("--strategy <name>", "of the lists (default: top)").choices(STRATEGIES))
    .option("--top <n>", "providers of a list (default: 5)", whole(1, 64))
    .option("--what-if <change>", "compare with lists so drawn: weights.stake=0.6", assigned)
    .option("--json", "print JSON")
    .action(async (options) => {
      const { simulatePairing } = await import("../verbs/simulate-pairing.ts");
      finish(await simulatePairing(options, terminal));
    });
  for (const verb of [simulate, pairing]) {
    withExamples(verb, [
      "paceline simulate pairing --seed 42 --what-if weights.stake=0.6",
      "paceline simulate pairing --epochs 20 --churn 5/m --strategy weighted",
      "paceline simulate pairing --providers 100000 --epochs 3 --json",
    ]);
  }
}

const STRATEGIES = ["top", "weighted"] as const;
