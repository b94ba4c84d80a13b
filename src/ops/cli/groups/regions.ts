/** Verbs about the cluster. */
import type { Command } from "commander";
import {
  type Finish,
  whole,
  withExamples,
  withInstance,
  withSocket,
  withWatch,
} from "../options.ts";
import type { Terminal } from "../terminal.ts";

/** Adds `regions` and `names`. */
export function addRegionVerbs(program: Command, terminal: Terminal, finish: Finish): void {
  const regions = program
    .command("regions")
    .description("the regions that share over one Redis: who is there, what they share");
  withWatch(withInstance(regions)).action(async (options) => {
    const { showRegions } = await import("../verbs/regions.ts");
    finish(await showRegions(options, terminal));
  });
  withExamples(regions, [
    "paceline regions",
    "paceline regions --region us-1       # as us-1 sees them; most verbs take --region",
    "paceline regions --json | jq '.regions[] | select(.state != \"joined\")'",
  ]);
  const names = program
    .command("names")
    .argument("[prefix]", "how the names begin")
    .description("registered names of all regions")
    .option("--region <name>", "only of this region")
    .option("--limit <rows>", "rows to show (default: 200)", whole(1, 5_000));
  withWatch(withSocket(names)).action(async (prefix, options) => {
    const { showNames } = await import("../verbs/regions.ts");
    finish(await showNames(prefix, options, terminal));
  });
  withExamples(names, [
    "paceline names",
    "paceline names rpc/chain/ethereum/ --region us",
    "paceline names rpc/ --json",
  ]);
}
