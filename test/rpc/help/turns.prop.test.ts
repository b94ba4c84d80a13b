/** Which regions a chain has ways to, over any comings and goings. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Neighbour } from "../../../src/rpc/help/ports.ts";
import { type Turn, waysWanted } from "../../../src/rpc/help/turns.ts";

const NEAREST = 4;
const named = (region: string): Neighbour => ({ region, url: "http://a.test", isMeasured: true });
const regions = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,2}$/), { maxLength: 12 });

describe("the regions that a chain has ways to", () => {
  it("are the nearest ones and at most one more, each once", () => {
    const step = fc.record({ here: regions, afterMs: fc.nat(15_000), random: fc.nat(9) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        let turn: Turn | undefined;
        let nowMs = 0;
        for (const { here, afterMs, random } of steps) {
          nowMs += afterMs;
          const wanted = waysWanted(here.map(named), turn, nowMs, random / 10);
          turn = wanted.turn;
          const ways = wanted.ways.map(({ region }) => region);
          expect(ways.slice(0, NEAREST)).toEqual(here.slice(0, NEAREST));
          expect(ways).toHaveLength(Math.min(here.length, NEAREST + 1));
          expect(new Set(ways).size).toBe(ways.length);
          for (const one of ways) expect(here).toContain(one);
        }
      }),
    );
  });

  it("give each of the others its turn before one has it twice", () => {
    fc.assert(
      fc.property(regions, fc.nat(9), (here, random) => {
        const others = here.slice(NEAREST);
        let turn: Turn | undefined;
        const seen: string[] = [];
        for (let nowMs = 0; seen.length < others.length; ) {
          turn = waysWanted(here.map(named), turn, nowMs, random / 10).turn;
          seen.push(turn?.region ?? "");
          nowMs = turn?.untilMs ?? nowMs;
        }
        expect(seen.sort()).toEqual([...others].sort());
      }),
    );
  });
});
