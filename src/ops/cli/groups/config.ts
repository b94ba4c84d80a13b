/** Verbs about configurations. */
import type { Command } from "commander";
import { type Finish, withExamples, withInstance } from "../options.ts";
import type { Terminal } from "../terminal.ts";

/** Adds `config` and what is under it. */
export function addConfigVerbs(program: Command, terminal: Terminal, finish: Finish): void {
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
      const { validateConfig } = await import("../verbs/config.ts");
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
    const { dumpConfigFile } = await import("../verbs/config.ts");
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
      const { printSchema } = await import("../verbs/config.ts");
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
    const { diffConfig } = await import("../verbs/control.ts");
    finish(await diffConfig(options, terminal));
  });
  withExamples(diff, [
    "paceline config diff",
    "paceline config diff --json",
    "paceline config diff || paceline reload",
  ]);
}
