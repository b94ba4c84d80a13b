/**
 * `node test/otp/oracle/replay.ts --stream`: scenarios on stdin, one JSON a line; traces on stdout.
 *
 * Ends at the first line that is no scenario, with exit code 65 and the line's number and fault.
 */
import { createInterface } from "node:readline";
import { parseScenario, ScenarioError } from "./parse.ts";
import { Player } from "./player/player.ts";

const BAD_USAGE = 64;
const BAD_DATA = 65;
const SOFTWARE = 70;

if (process.argv[2] !== "--stream") {
  process.stderr.write("usage: node test/otp/oracle/replay.ts --stream < scenarios.jsonl\n");
  process.exit(BAD_USAGE);
}
let lineNumber = 0;
for await (const line of createInterface({ input: process.stdin })) {
  lineNumber += 1;
  if (line.trim() === "") continue;
  try {
    const trace = await new Player(parseScenario(line)).run();
    process.stdout.write(`${JSON.stringify(trace)}\n`);
  } catch (error) {
    const isData = error instanceof ScenarioError;
    const what = isData ? error.message : `cannot be played: ${String((error as Error).stack)}`;
    process.stderr.write(`replay: line ${lineNumber}: ${what}\n`);
    process.exitCode = isData ? BAD_DATA : SOFTWARE;
    break;
  }
}
// Standard input may stay open after a bad line: do not wait for its end.
if (process.exitCode !== undefined) process.stdin.destroy();
