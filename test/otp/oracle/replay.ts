/**
 * `node test/otp/oracle/replay.ts --stream`: scenarios on stdin, one JSON a line; traces on stdout.
 */
import { createInterface } from "node:readline";
import { Player } from "./player.ts";
import type { Scenario } from "./scenario.ts";

if (process.argv[2] !== "--stream") {
  process.stderr.write("usage: node test/otp/oracle/replay.ts --stream < scenarios.jsonl\n");
  process.exit(64);
}
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === "") continue;
  const trace = await new Player(JSON.parse(line) as Scenario).run();
  process.stdout.write(`${JSON.stringify(trace)}\n`);
}
