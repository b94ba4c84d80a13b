/** Scenarios that real Erlang/OTP 25 has played: this runtime must tell the same story. */
import { describe, expect, it } from "vitest";
import { judge, perProcess } from "./compare.ts";
import { Player } from "./player/player.ts";
import { randomScenarios, storedScenarios } from "./store.ts";

describe("as real Erlang", () => {
  it.each(storedScenarios())("$file", async ({ scenario, expected }) => {
    const actual = await new Player(scenario).run();
    if (scenario.compare === "per-process") {
      expect(perProcess(actual)).toEqual(perProcess(expected));
      return;
    }
    expect(actual.events).toEqual(expected.events);
    expect(actual.final).toEqual(expected.final);
  });

  it("in every random scenario that is kept", async () => {
    const all = randomScenarios();
    expect(all.length).toBeGreaterThanOrEqual(1000);
    const different = [];
    for (const { scenario, expected } of all) {
      const actual = await new Player(scenario).run();
      if (judge(scenario, expected, actual) === "different") different.push(scenario.name);
    }
    expect(different).toEqual([]);
  });
});
