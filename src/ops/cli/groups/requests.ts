/** Verbs about requests and their answers. */
import type { Command } from "commander";
import { type Finish, whole, withExamples, withInstance, withWatch } from "../options.ts";
import type { Terminal } from "../terminal.ts";

/** Adds `explain` and `slow`. */
export function addRequestVerbs(program: Command, terminal: Terminal, finish: Finish): void {
  const explain = program
    .command("explain")
    .argument("<subject>", "id of a request; with --chain, a method")
    .description(
      "how a request was served; or who would serve a method now, and why not the others",
    )
    .option("--chain <name>", "a call of this chain that is not made")
    .option("--params <json>", "its parameters (default: [])")
    .option("--strategy <name>", "another strategy than the chain's")
    .option("--provider <name>", "only this provider: id, tag or glob")
    .option("--consumer <name>", "under the pairing list of this consumer")
    .option("--transport <transport>", "http, ws or any");
  withInstance(explain).action(async (subject, options) => {
    const { explainOne } = await import("../verbs/requests.ts");
    finish(await explainOne(subject, options, terminal));
  });
  withExamples(explain, [
    "paceline explain Xy12abcd-5k",
    "paceline explain eth_call --chain ethereum --strategy fastest",
    `paceline explain eth_getLogs --chain 1 --params '[{"fromBlock":"0x1"}]' --json`,
  ]);
  const slow = program
    .command("slow")
    .description("the last requests that were slow or failed, with attempts; parameters outlined")
    .option("--limit <rows>", "rows, the newest (default: 20)", whole(1, 1_000));
  withWatch(withInstance(slow)).action(async (options) => {
    const { showSlow } = await import("../verbs/requests.ts");
    finish(await showSlow(options, terminal));
  });
  withExamples(slow, [
    "paceline slow",
    "paceline slow --watch",
    "paceline slow --limit 100 --json",
  ]);
}

/** Adds `cache`. */
export function addCacheVerb(program: Command, terminal: Terminal, finish: Finish): void {
  const cache = program
    .command("cache")
    .argument("[chain]", "only this chain")
    .description("answers that are kept and shared: hits, bytes, why they left");
  withWatch(withInstance(cache)).action(async (chain, options) => {
    const { showCache } = await import("../verbs/gateway.ts");
    finish(await showCache(chain, options, terminal));
  });
  withExamples(cache, [
    "paceline cache",
    "paceline cache ethereum --watch",
    "paceline cache --json",
  ]);
}
