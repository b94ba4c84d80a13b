/** Verbs that take hold of single processes. */
import type { Command } from "commander";
import { type Finish, duration, whole, withExamples, withInstance, withRole } from "../options.ts";
import type { Terminal } from "../terminal.ts";

/** Adds `trace`, `restart`, `suspend`, `resume` and `dump`. */
export function addProcessVerbs(program: Command, terminal: Terminal, finish: Finish): void {
  const trace = program
    .command("trace")
    .argument("<process>", "pid or registered name")
    .description("stream messages of a process until a count, a time or a rate ends it")
    .option("--subtree", "also everything below it")
    .option("--match <name>", "only messages of this name; * stands for any text")
    .option("--direction <direction>", "in or out")
    .option("--max <messages>", "end after so many (default: 100, at most 1000)", whole(1, 1_000))
    .option("--per <rate>", "end above so many a second (default: 100)", whole(1, 1_000))
    .option("--for <duration>", "end after so long (default: 10s, at most 60s)", duration);
  withRole(withInstance(trace), "operator").action(async (target, options) => {
    const { traceProcess } = await import("../verbs/trace.ts");
    finish(await traceProcess(target, options, terminal));
  });
  withExamples(trace, [
    "paceline trace rpc/chain/alpha/provider-pool",
    "paceline trace chains --subtree --match 'report*' --max 20",
    "paceline trace '#12' --for 30s --json",
  ]);
  const restart = program
    .command("restart")
    .argument("<process>", "pid or registered name")
    .description("restart a process through its supervisor, counted against its budget")
    .option("--forgive", "stop and start it alone, and do not count it");
  withRole(withInstance(restart), "operator").action(async (target, options) => {
    const { restartProcess } = await import("../verbs/processes.ts");
    finish(await restartProcess(target, options, terminal));
  });
  withExamples(restart, [
    "paceline restart rpc/chain/alpha/provider/hare/ws-connection",
    "paceline restart '#12' --forgive",
    "paceline restart rpc/chain/alpha/provider-pool --json",
  ]);
  const suspend = program
    .command("suspend")
    .argument("<process>", "pid or registered name")
    .description("hold a process: it takes nothing but system messages; ends by itself")
    .option("--for <duration>", "how long (default: 30s, at most 5m)", duration);
  withRole(withInstance(suspend), "operator").action(async (target, options) => {
    const { suspendProcess } = await import("../verbs/processes.ts");
    finish(await suspendProcess(target, options, terminal));
  });
  withExamples(suspend, [
    "paceline suspend rpc/chain/alpha/head-tracker",
    "paceline suspend '#12' --for 10s",
    "paceline suspend '#12' && paceline inspect '#12'; paceline resume '#12'",
  ]);
  const resume = program
    .command("resume")
    .argument("<process>", "pid or registered name")
    .description("let a suspended process go on");
  withRole(withInstance(resume), "operator").action(async (target, options) => {
    const { resumeProcess } = await import("../verbs/processes.ts");
    finish(await resumeProcess(target, options, terminal));
  });
  withExamples(resume, [
    "paceline resume rpc/chain/alpha/head-tracker",
    "paceline resume '#12'",
    "paceline resume '#12' --json",
  ]);
  const dump = program
    .command("dump")
    .description("write tree, mailboxes, redacted states and timers into a file beside the socket");
  withRole(withInstance(dump), "operator").action(async (options) => {
    const { dumpProcesses } = await import("../verbs/processes.ts");
    finish(await dumpProcesses(options, terminal));
  });
  withExamples(dump, [
    "paceline dump",
    "paceline dump --json",
    'jq .tree "$(paceline dump --json | jq -r .path)"',
  ]);
}
