/**
 * The command line: verbs, options, examples. Each verb's code is loaded when it runs, so that
 * `--help` and the verbs that only use the admin socket start fast.
 */
import { Command, CommanderError } from "commander";
import { EXIT, CliError } from "./exit-codes.ts";
import {
  duration,
  sinceWhen,
  watchInterval,
  whole,
  withExamples,
  withInstance,
  withRole,
  withWatch,
} from "./options.ts";
import { addRequestVerbs, type Finish } from "./request-verbs.ts";
import { paintFor } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";

/** Runs one command line; resolves to its exit code and never rejects. */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode: number = EXIT.done;
  const program = buildProgram(terminal, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return exitCode;
  } catch (error) {
    return explain(error, terminal);
  }
}

function explain(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) {
    // commander has printed what was wrong; help and version are no errors
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
  const paint = paintFor(terminal);
  const message = error instanceof Error ? error.message : String(error);
  terminal.err(`${paint.bad("paceline:")} ${message}\n`);
  if (error instanceof CliError && error.hint !== undefined) {
    terminal.err(`${paint.dim(error.hint)}\n`);
  }
  return error instanceof CliError ? error.exitCode : EXIT.failed;
}

function buildProgram(terminal: Terminal, finish: Finish): Command {
  const program = new Command("paceline")
    .description("A supervised gateway that races, routes and survives.")
    .helpCommand("help [verb]", "show the help of a verb")
    .showHelpAfterError("(paceline --help lists the verbs)")
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .configureHelp({ sortSubcommands: false })
    .exitOverride();
  withExamples(program, [
    "paceline demo                        # eight fake providers, no keys, no network",
    "paceline start --config paceline.yaml",
    "paceline tree --watch                # what runs, what was restarted and why",
  ]);
  addHostVerbs(program, finish);
  addConfigVerbs(program, terminal, finish);
  addReadingVerbs(program, terminal, finish);
  addRequestVerbs(program, terminal, finish);
  addLimitVerbs(program, terminal, finish);
  addCacheVerb(program, terminal, finish);
  addProcessVerbs(program, terminal, finish);
  addActingVerbs(program, terminal, finish);
  addOtherVerbs(program, terminal, finish);
  return program;
}

function addHostVerbs(program: Command, finish: Finish): void {
  const port = whole(0, 65_535);
  const start = program
    .command("start")
    .description("run the gateway; without a configuration file, the embedded demo")
    .option("--config <file>", "configuration file (default: $PACELINE_CONFIG, ./paceline.yaml)")
    .action(async (options) => {
      const { startHost } = await import("./verbs/start.ts");
      finish(await startHost({ ...options, demo: false }));
    });
  const demo = program
    .command("demo")
    .description("run the embedded demo: two fake chains, eight faulty providers")
    .action(async (options) => {
      const { startHost } = await import("./verbs/start.ts");
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

function addConfigVerbs(program: Command, terminal: Terminal, finish: Finish): void {
  const config = program.command("config").description("check, show and compare configurations");
  withExamples(config, [
    "paceline config validate paceline.yaml",
    "paceline config dump --origin",
    "paceline config diff",
  ]);
  const validate = config
    .command("validate")
    .argument("[file]", "configuration file (default: as for start)")
    .description("say everything that is wrong with a file; exit code 78 when something is")
    .option("--format <format>", "text, json or github")
    .option("--json", "same as --format json")
    .action(async (file, options) => {
      const { validateConfig } = await import("./verbs/config.ts");
      finish(validateConfig(file, options, terminal));
    });
  withExamples(validate, [
    "paceline config validate",
    "paceline config validate paceline.yaml --format json",
    "paceline config validate paceline.yaml --format github",
  ]);
  const dump = config
    .command("dump")
    .argument("[file]", "configuration file (default: as for start)")
    .description("show every effective value, secrets masked")
    .option("--origin", "say where each value comes from")
    .option("--running", "ask the running instance instead of reading a file");
  withInstance(dump).action(async (file, options) => {
    const { dumpConfigFile } = await import("./verbs/config.ts");
    finish(await dumpConfigFile(file, options, terminal));
  });
  withExamples(dump, [
    "paceline config dump --origin",
    "paceline config dump paceline.yaml --json",
    "paceline config dump --running",
  ]);
  const schema = config
    .command("schema")
    .description("print the JSON schema of the file, for editors")
    .action(async () => {
      const { printSchema } = await import("./verbs/config.ts");
      finish(printSchema(terminal));
    });
  withExamples(schema, [
    "paceline config schema > schema.json",
    "paceline config schema | head",
    "# yaml-language-server: $schema=./schema.json   (first line of paceline.yaml)",
  ]);
  const diff = config
    .command("diff")
    .description("what a reload of the running instance would do; exit code 1 when anything");
  withInstance(diff).action(async (options) => {
    const { diffConfig } = await import("./verbs/control.ts");
    finish(await diffConfig(options, terminal));
  });
  withExamples(diff, [
    "paceline config diff",
    "paceline config diff --json",
    "paceline config diff || paceline reload",
  ]);
}

function addReadingVerbs(program: Command, terminal: Terminal, finish: Finish): void {
  const tree = program
    .command("tree")
    .description("the supervision tree: states, restarts against budgets, last exits")
    .option("--root <process>", "start at this pid or name")
    .option("--depth <levels>", "levels to show", whole(0, 64));
  withWatch(withInstance(tree)).action(async (options) => {
    const { showTree } = await import("./verbs/processes.ts");
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
    const { showProcesses } = await import("./verbs/processes.ts");
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
    const { inspectProcess } = await import("./verbs/processes.ts");
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
    const { showTop } = await import("./verbs/top.ts");
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
    const { showReports } = await import("./verbs/reports.ts");
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
    const { showProviders } = await import("./verbs/gateway.ts");
    finish(await showProviders(chain, options, terminal));
  });
  withExamples(providers, [
    "paceline providers",
    "paceline providers ethereum --watch",
    "paceline providers --json",
  ]);
}

function addLimitVerbs(program: Command, terminal: Terminal, finish: Finish): void {
  const limits = program
    .command("limits")
    .description("API keys and providers: what was used, what was refused, what is left");
  withWatch(withInstance(limits)).action(async (options) => {
    const { showLimits } = await import("./verbs/limits.ts");
    finish(await showLimits(options, terminal));
  });
  withExamples(limits, [
    "paceline limits",
    "paceline limits --watch 5s",
    "paceline limits --json | jq '.callers[] | select(.refused.rate > 0)'",
  ]);
  const key = program.command("key").description("make API keys, and their hashes for the file");
  withExamples(key, [
    "paceline key new --id my-app",
    "paceline key new --json",
    "paceline key hash < key.txt",
  ]);
  const fresh = key
    .command("new")
    .description("print a new key once, and its entry for `clients.keys`")
    .option("--id <name>", "name of the key")
    .option("--json", "one JSON object")
    .action(async (options) => {
      const { newKey } = await import("./verbs/key.ts");
      finish(newKey(options, terminal));
    });
  withExamples(fresh, [
    "paceline key new",
    "paceline key new --id my-app",
    "paceline key new --id my-app --json",
  ]);
  const hashed = key
    .command("hash")
    .description("print the hash of a key that is read from the standard input")
    .action(async () => {
      const { hashKey } = await import("./verbs/key.ts");
      finish(hashKey(terminal));
    });
  withExamples(hashed, [
    "paceline key hash < key.txt",
    "pass show my-app | paceline key hash",
    'printf %s "$API_KEY" | paceline key hash',
  ]);
}

function addCacheVerb(program: Command, terminal: Terminal, finish: Finish): void {
  const cache = program
    .command("cache")
    .argument("[chain]", "only this chain")
    .description("answers that are kept and shared: hits, bytes, why they left");
  withWatch(withInstance(cache)).action(async (chain, options) => {
    const { showCache } = await import("./verbs/gateway.ts");
    finish(await showCache(chain, options, terminal));
  });
  withExamples(cache, [
    "paceline cache",
    "paceline cache ethereum --watch",
    "paceline cache --json",
  ]);
}

function addProcessVerbs(program: Command, terminal: Terminal, finish: Finish): void {
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
    const { traceProcess } = await import("./verbs/trace.ts");
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
    const { restartProcess } = await import("./verbs/processes.ts");
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
    const { suspendProcess } = await import("./verbs/processes.ts");
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
    const { resumeProcess } = await import("./verbs/processes.ts");
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
    const { dumpProcesses } = await import("./verbs/processes.ts");
    finish(await dumpProcesses(options, terminal));
  });
  withExamples(dump, [
    "paceline dump",
    "paceline dump --json",
    'jq .tree "$(paceline dump --json | jq -r .path)"',
  ]);
}

function addActingVerbs(program: Command, terminal: Terminal, finish: Finish): void {
  const exit = program
    .command("exit")
    .argument("<process>", "pid or registered name")
    .argument("[reason]", "exit reason; `kill` cannot be trapped", "kill")
    .description("send an exit signal to a process, for drills");
  withRole(withInstance(exit), "admin").action(async (target, reason, options) => {
    const { exitProcess } = await import("./verbs/processes.ts");
    finish(await exitProcess(target, reason, options, terminal));
  });
  withExamples(exit, [
    "paceline exit rpc/chain/alpha/provider/hare/ws-connection",
    "paceline exit '#12' shutdown",
    "paceline exit rpc/chain/alpha/message-aggregator kill --json",
  ]);
  const breaker = program
    .command("breaker")
    .argument("[action]", "ls, open, close or reset", "ls")
    .argument("[endpoint]", "chain/provider, or chain/provider/http or …/ws")
    .description("list circuit breakers, or force one")
    .option("--for <duration>", "how long it stays forced (default: 10m)", duration)
    .option("--reason <text>", "why, for the audit log");
  withWatch(withRole(withInstance(breaker), "operator")).action(
    async (action, endpoint, options) => {
      const { breakers } = await import("./verbs/gateway.ts");
      finish(await breakers(action, endpoint, options, terminal));
    },
  );
  withExamples(breaker, [
    "paceline breaker ls",
    "paceline breaker open ethereum/alchemy --for 5m --reason maintenance",
    "paceline breaker reset ethereum/alchemy/http",
  ]);
  const reload = program
    .command("reload")
    .description("read the configuration again and apply what changed");
  withRole(withInstance(reload), "admin").action(async (options) => {
    const { reloadConfig } = await import("./verbs/control.ts");
    finish(await reloadConfig(options, terminal));
  });
  withExamples(reload, [
    "paceline reload",
    "paceline config diff; paceline reload",
    "paceline reload --json",
  ]);
  const drain = program
    .command("drain")
    .description("end the instance in good order, as SIGTERM does")
    .option("--wait [limit]", "return when it has ended; exit code 3 when it has not", duration);
  withRole(withInstance(drain), "admin").action(async (options) => {
    const { drainHost } = await import("./verbs/control.ts");
    finish(await drainHost(options, terminal));
  });
  withExamples(drain, ["paceline drain", "paceline drain --wait", "paceline drain --wait 1m"]);
  const ready = program
    .command("ready")
    .description("exit code 0 when the instance takes requests, else 1")
    .option("--chain <name>", "only this chain")
    .option("--min <number>", "providers that must be usable", whole(1, 1_000))
    .option("--wait <limit>", "wait until it is, at most so long", duration);
  withInstance(ready).action(async (options) => {
    const { waitReady } = await import("./verbs/control.ts");
    finish(await waitReady(options, terminal));
  });
  withExamples(ready, [
    "paceline ready",
    "paceline ready --wait 10s",
    "paceline ready --chain ethereum --min 2",
  ]);
}

function addOtherVerbs(program: Command, terminal: Terminal, finish: Finish): void {
  const bench = program
    .command("bench")
    .argument("[name]", "benchmark, all when not given")
    .description("run the benchmarks of the repository")
    .option("--json", "one JSON object a line")
    .action(async (name, options) => {
      const { runBench } = await import("./verbs/bench.ts");
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
    const { showVersion } = await import("./verbs/version.ts");
    finish(await showVersion(options, terminal));
  });
  withExamples(version, [
    "paceline version",
    "paceline version --json",
    "paceline version --running",
  ]);
}
