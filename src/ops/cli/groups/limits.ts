/** Verbs about API keys and what is left of limits. */
import type { Command } from "commander";
import { type Finish, withExamples, withInstance, withWatch } from "../options.ts";
import type { Terminal } from "../terminal.ts";

/** Adds `limits` and `key`. */
export function addLimitVerbs(program: Command, terminal: Terminal, finish: Finish): void {
  const limits = program
    .command("limits")
    .description("API keys and providers: what was used, what was refused, what is left");
  withWatch(withInstance(limits)).action(async (options) => {
    const { showLimits } = await import("../verbs/limits.ts");
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
      const { newKey } = await import("../verbs/key.ts");
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
      const { hashKey } = await import("../verbs/key.ts");
      finish(hashKey(terminal));
    });
  withExamples(hashed, [
    "paceline key hash < key.txt",
    "pass show my-app | paceline key hash",
    'printf %s "$API_KEY" | paceline key hash',
  ]);
}
