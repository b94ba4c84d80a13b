/** Verbs that change a running instance, or wait for it. */
import type { Command } from "commander";
import {
  type Finish,
  duration,
  whole,
  withExamples,
  withInstance,
  withRole,
  withWatch,
} from "../options.ts";
import type { Terminal } from "../terminal.ts";

/** Adds `exit`, `breaker`, `reload`, `drain` and `ready`. */
export function addActingVerbs(program: Command, terminal: Terminal, finish: Finish): void {
  const exit = program
    .command("exit")
    .argument("<process>", "pid or registered name")
    .argument("[reason]", "exit reason; `kill` cannot be trapped", "kill")
    .description("send an exit signal to a process, for drills");
  withRole(withInstance(exit), "admin").action(async (target, reason, options) => {
    const { exitProcess } = await import("../verbs/processes.ts");
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
      const { breakers } = await import("../verbs/gateway.ts");
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
    const { reloadConfig } = await import("../verbs/control.ts");
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
    const { drainHost } = await import("../verbs/control.ts");
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
    const { waitReady } = await import("../verbs/control.ts");
    finish(await waitReady(options, terminal));
  });
  withExamples(ready, [
    "paceline ready",
    "paceline ready --wait 10s",
    "paceline ready --chain ethereum --min 2",
  ]);
}
