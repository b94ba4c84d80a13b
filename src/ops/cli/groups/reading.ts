/** Verbs that look at a running instance. */
import type { Command } from "commander";
import {
  type Finish,
  sinceWhen,
  watchInterval,
  whole,
  withExamples,
  withInstance,
  withWatch,
} from "../options.ts";
import type { Terminal } from "../terminal.ts";

/** Adds `tree`, `ps`, `inspect`, `top`, `reports` and `providers`. */
export function addReadingVerbs(program: Command, terminal: Terminal, finish: Finish): void {
  const tree = program
    .command("tree")
    .description("the supervision tree: states, restarts against budgets, last exits")
    .option("--root <process>", "start at this pid or name")
    .option("--depth <levels>", "levels to show", whole(0, 64));
  withWatch(withInstance(tree)).action(async (options) => {
    const { showTree } = await import("../verbs/processes.ts");
    finish(await showTree(options, terminal));
  });
  withExamples(tree, [
    "paceline tree",
    "paceline tree --root chains --depth 2",
    "paceline tree --watch 2s",
  ]);
  const ps = program
    .command("ps")
    .description("processes, those with the most to do first")
    .option("--sort <column>", "mailbox, cpu, msgs, restarts, dropped or name")
    .option("--limit <rows>", "rows to show", whole(1, 200));
  withWatch(withInstance(ps)).action(async (options) => {
    const { showProcesses } = await import("../verbs/processes.ts");
    finish(await showProcesses(options, terminal));
  });
  withExamples(ps, [
    "paceline ps",
    "paceline ps --sort restarts --limit 10",
    "paceline ps --watch --json",
  ]);
  const inspect = program
    .command("inspect")
    .argument("<process>", "pid or registered name")
    .description("everything recorded of one process: state, links, timers, last exit");
  withWatch(withInstance(inspect)).action(async (target, options) => {
    const { inspectProcess } = await import("../verbs/processes.ts");
    finish(await inspectProcess(target, options, terminal));
  });
  withExamples(inspect, [
    "paceline inspect '#12'",
    "paceline inspect rpc/chain/alpha/provider/hare/ws-connection",
    "paceline inspect rpc/chain/alpha/provider-pool --json",
  ]);
  const top = program
    .command("top")
    .description("the busiest processes, again and again: rates, mailboxes, budgets")
    .option("--sort <column>", "mailbox, cpu, msgs, restarts, dropped or name")
    .option("--limit <rows>", "rows to show", whole(1, 200));
  withWatch(withInstance(top)).action(async (options) => {
    const { showTop } = await import("../verbs/top.ts");
    finish(await showTop(options, terminal));
  });
  withExamples(top, [
    "paceline top",
    "paceline top --sort cpu --limit 10 --watch 2s",
    "paceline top --json | jq .processes[0]      # one frame where there is no terminal",
  ]);
  const reports = program
    .command("reports")
    .description("the last restarts, crashes, supervisors' reports, long turns, ends of workers")
    .option("--since <when>", "after this seq, or of the last so long, such as 30s", sinceWhen)
    .option("--limit <rows>", "newest rows to show (default: 50)", whole(1, 200))
    .option("--watch [interval]", "go on with new ones, looked for every second", watchInterval);
  withInstance(reports).action(async (options) => {
    const { showReports } = await import("../verbs/reports.ts");
    finish(await showReports(options, terminal));
  });
  withExamples(reports, [
    "paceline reports",
    "paceline reports --since 10m --limit 200",
    "paceline reports --watch --json",
  ]);
  const providers = program
    .command("providers")
    .argument("[chain]", "only this chain")
    .description("providers: state and why, rank, score, head, race wins, latency, failures");
  withWatch(withInstance(providers)).action(async (chain, options) => {
    const { showProviders } = await import("../verbs/gateway.ts");
    finish(await showProviders(chain, options, terminal));
  });
  withExamples(providers, [
    "paceline providers",
    "paceline providers ethereum --watch",
    "paceline providers --json",
  ]);
}
