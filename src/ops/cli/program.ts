/**
 * The command line: verbs by group (`groups/`), with options and examples. Each verb's code is
 * loaded when it runs, so that `--help` and the verbs that only use the admin socket start fast.
 */
import { Command, CommanderError } from "commander";
import { EXIT, CliError } from "./exit-codes.ts";
import { addActingVerbs } from "./groups/acting.ts";
import { addConfigVerbs } from "./groups/config.ts";
import { addEvidenceVerbs } from "./groups/evidence.ts";
import { addHostVerbs } from "./groups/host.ts";
import { addLimitVerbs } from "./groups/limits.ts";
import { addOtherVerbs } from "./groups/other.ts";
import { addPairingVerbs } from "./groups/pairing.ts";
import { addProcessVerbs } from "./groups/processes.ts";
import { addReadingVerbs } from "./groups/reading.ts";
import { addRegionVerbs } from "./groups/regions.ts";
import { addCacheVerb, addRequestVerbs } from "./groups/requests.ts";
import { type Finish, withExamples } from "./options.ts";
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
    "paceline tree --watch                # what runs here, what was restarted; --region NAME: there",
  ]);
  addHostVerbs(program, finish);
  addConfigVerbs(program, terminal, finish);
  addReadingVerbs(program, terminal, finish);
  addEvidenceVerbs(program, terminal, finish);
  addRegionVerbs(program, terminal, finish);
  addRequestVerbs(program, terminal, finish);
  addLimitVerbs(program, terminal, finish);
  addPairingVerbs(program, terminal, finish);
  addCacheVerb(program, terminal, finish);
  addProcessVerbs(program, terminal, finish);
  addActingVerbs(program, terminal, finish);
  addOtherVerbs(program, terminal, finish);
  return program;
}
