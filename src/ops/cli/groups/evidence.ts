/** Verbs about what races have shown. */
import { type Command, Option } from "commander";
import {
  duration,
  type Finish,
  sinceWhen,
  whole,
  withExamples,
  withInstance,
  withWatch,
} from "../options.ts";
import type { Terminal } from "../terminal.ts";

/** Adds `leaderboard` and `races`. */
export function addEvidenceVerbs(program: Command, terminal: Terminal, finish: Finish): void {
  const leaderboard = program
    .command("leaderboard")
    .argument("[chain]", "only this chain")
    .description("providers by what races and calls have shown, best first")
    .addOption(
      new Option("--by <order>", "the chain's ranking, or one of the two race scores")
        .choices(["rank", "pace", "livechain"])
        .default("rank"),
    )
    .option(
      "--since <time>",
      "how they stood at each hour of the last so long, such as 6h",
      duration,
    );
  withWatch(withInstance(leaderboard)).action(async (chain, options) => {
    const { showLeaderboard } = await import("../verbs/evidence.ts");
    finish(await showLeaderboard(chain, options, terminal));
  });
  withExamples(leaderboard, [
    "paceline leaderboard",
    "paceline leaderboard ethereum --by pace --watch",
    "paceline leaderboard ethereum --since 24h --json",
  ]);
  const races = program
    .command("races")
    .argument("[chain]", "the chain, when several run")
    .description("results of races, one per provider and event: won, lost by how much, missed")
    .option("--since <when>", "after this seq, or of the last so long, such as 30s", sinceWhen)
    .option("--limit <rows>", "rows to show (default: 20)", whole(1, 1_000))
    .option("--provider <id>", "only of this provider");
  withWatch(withInstance(races)).action(async (chain, options) => {
    const { showRaces } = await import("../verbs/evidence.ts");
    finish(await showRaces(chain, options, terminal));
  });
  withExamples(races, [
    "paceline races ethereum",
    "paceline races ethereum --provider alchemy --since 10m",
    "paceline races ethereum --watch --json",
  ]);
}
