/** Scenarios that real Erlang/OTP 25 has played: this runtime must tell the same story. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Player } from "./player.ts";
import type { Scenario, Trace } from "./scenario.ts";

const folder = import.meta.dirname;
const read = (kind: string, file: string): unknown =>
  JSON.parse(readFileSync(join(folder, kind, file), "utf8"));
const files = readdirSync(join(folder, "scenarios")).sort();

describe("as real Erlang", () => {
  it.each(files)("%s", async (file) => {
    const scenario = read("scenarios", file) as Scenario;
    const expected = read("traces", file.replace(".json", ".trace.json")) as Trace;
    const actual = await new Player(scenario).run();
    if (scenario.compare === "per-process") {
      expect(perProcess(actual)).toEqual(perProcess(expected));
      return;
    }
    expect(actual.events).toEqual(expected.events);
    expect(actual.final).toEqual(expected.final);
  });
});

/** Events grouped by who emitted them, each with its step. */
function perProcess(trace: Trace): unknown {
  const groups: Record<string, unknown[]> = {};
  let step: unknown = -1;
  for (const event of trace.events) {
    if (event["e"] === "step") step = event["i"];
    const emitter =
      JSON.stringify(event["e"] === "report" ? [event["sup"]] : event["p"]) ?? "runner";
    (groups[emitter] ??= []).push([step, event]);
  }
  return { groups, final: trace.final };
}
