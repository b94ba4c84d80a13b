#!/usr/bin/env node
/** The command `paceline`: hands the process's surroundings to the verbs in src/ops/cli. */
import { readTextFile } from "./io/files.ts";
import { runCli } from "./ops/cli/program.ts";

// `paceline tree | head` closes the pipe early; that is no failure
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await runCli(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTty: process.stdout.isTTY,
  env: process.env,
  readFile: readTextFile,
});
