/** A test of the tests: each mistake that a supervisor could make is seen by the stored scenarios. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { judge } from "./compare.ts";
import { MUTATIONS } from "./mutations/list.ts";
import type { Trace } from "./scenario.ts";
import { storedScenarios } from "./store.ts";

const here = import.meta.dirname;
const stored = storedScenarios();
const input = stored.map(({ scenario }) => `${JSON.stringify(scenario)}\n`).join("");
/** A mistake may make a scenario endless; what came before it counts. */
const TIMEOUT_MS = 25_000;

/** Plays all stored scenarios with mistake number `index` in the supervisor. */
function playWith(index: number): { traces: Trace[]; stderr: string } {
  const preload = join(here, "mutations", "mutate.ts");
  const args = ["--import", preload, join(here, "replay.ts"), "--stream"];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    input,
    encoding: "utf8",
    timeout: TIMEOUT_MS,
    env: { ...process.env, OTP_MUTATION: String(index) },
    maxBuffer: 64 * 2 ** 20,
  });
  const lines = stdout.split("\n").slice(0, -1);
  return { traces: lines.map((line) => JSON.parse(line) as Trace), stderr };
}

describe("the stored scenarios catch", () => {
  it.each(MUTATIONS.map(({ mistake }, index) => ({ mistake, index })))(
    "$mistake",
    ({ mistake, index }) => {
      const { traces, stderr } = playWith(index);
      expect(traces.length, stderr).toBeGreaterThan(0);
      const caughtBy = stored
        .filter(({ scenario, expected }, i) => {
          const trace = traces[i];
          return trace !== undefined && judge(scenario, expected, trace) === "different";
        })
        .map(({ file }) => file.replace(".json", ""));
      console.log(`${mistake}: caught by ${caughtBy.join(", ")}`);
      expect(caughtBy).not.toEqual([]);
    },
  );
});
