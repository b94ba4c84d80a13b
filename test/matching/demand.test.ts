import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile } from "../../src/matching/compile.ts";
import type { Demand } from "../../src/matching/demand.ts";
import { match } from "../../src/matching/match.ts";
import { defaultProfiles } from "../../src/matching/scorers/profiles.ts";
import { indexOf } from "./worlds.ts";

const profiles = defaultProfiles();
profiles.filters.set("even", {
  name: "even",
  isTransient: true,
  test: (row, index) => {
    if (index.ids[row] === "p9") throw new Error("unknown");
    return Number(index.ids[row]?.slice(1)) % 2 === 0;
  },
});

const planOf = (demand: Partial<Demand>) => {
  const compiled = compile({ profile: "pairing", ...demand }, profiles);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  return compiled.plan;
};
const faultsOf = (demand: Partial<Demand>) => {
  const compiled = compile({ profile: "pairing", ...demand }, profiles);
  return compiled.ok ? [] : compiled.faults.map(({ path }) => path);
};

describe("a demand", () => {
  it("has one text for all that mean the same", () => {
    const a = planOf({
      require: { features: [" SSL", "http", "HTTP"], location: ["EU-*", "X", "X"], minStake: -4n },
      weights: { stake: 1, location: 2 },
      exclude: ["b", "a"],
    });
    const b = planOf({
      weights: { location: 2, stake: 1 },
      exclude: ["a", "b", "a"],
      require: { location: ["X", { within: "EU" }], features: { all: ["Http", "ssl"] } },
      prefer: { location: "" },
      pick: { k: 5, mode: "top" },
    });
    expect(a.text).toBe(b.text);
    expect(a.hash).toMatch(/^[0-9a-f]{16}$/);
    expect(a.hash).toBe(b.hash);
    expect(planOf({ require: { minStake: 2n ** 60n } }).text).toContain("1152921504606846976");
    expect(planOf({ require: { signals: { load: { max: 1 } } } }).text).toContain("-Infinity");
  });

  it("names everything that is wrong with it", () => {
    expect(
      faultsOf({
        profile: "nobody",
        weights: { stake: Number.NaN, location: -1 },
        require: {
          features: ["ok", " "],
          custom: ["odd"],
          resources: { memMb: Infinity },
          signals: { load: { max: Number.NaN } },
          ids: Array.from({ length: 4_097 }, String),
          location: Array.from({ length: 33 }, String),
        },
        pick: { k: 65 },
      }),
    ).toEqual([
      "require.ids",
      "require.features.all",
      "require.location",
      "require.resources.memMb",
      "require.signals.load",
      "weights.stake",
      "weights.location",
      "pick.k",
      "profile",
    ]);
    expect(faultsOf({ weights: { speed: 1 }, require: { custom: ["odd"] } })).toEqual([
      "weights.speed",
      "require.custom",
    ]);
    expect(faultsOf({ pick: { k: -1 } })).toEqual(["pick.k"]);
    expect(faultsOf({ pick: { k: 1.5 } })).toEqual(["pick.k"]);
    expect(faultsOf({ pick: { orderBy: ["score"], mode: "weighted" } })).toEqual(["pick.orderBy"]);
    expect(faultsOf({ pick: { orderBy: [" "] } })).toEqual(["pick.orderBy"]);
  });

  it("may ask for nobody: the ranking is empty and says none", () => {
    const index = indexOf([{ id: "p1" }]);
    expect(match(planOf({ pick: { k: 0 } }), index)).toMatchObject({ picks: [], outcome: "none" });
    expect(match(planOf({ require: { ids: [] } }), index)).toMatchObject({ outcome: "none" });
  });

  it("may use filters of its market's owner; one that throws refuses", () => {
    const list = Array.from({ length: 10 }, (_, i) => ({ id: `p${i}` }));
    const ranking = match(planOf({ require: { custom: ["even"] } }), indexOf(list), {
      explain: true,
    });
    expect(ranking.picks.map(({ id }) => id)).toEqual(["p0", "p2", "p4", "p6", "p8"]);
    expect(ranking.survivors).toEqual([
      { filter: "even", left: 5, alone: 5, sole: 5, transient: true },
    ]);
  });

  it("never throws, whatever numbers and texts it is made of", () => {
    const number = fc.double();
    const text = fc.string();
    const demand = fc.record(
      {
        profile: fc.constantFrom("pairing", "priority", "x"),
        weights: fc.dictionary(text, number),
        exclude: fc.array(text),
        require: fc.record(
          {
            location: fc.oneof(
              text,
              fc.array(text),
              fc.record({ region: text }),
              fc.record({ within: text }),
            ),
            features: fc.array(text),
            minStake: fc.bigInt(),
            resources: fc.dictionary(text, number),
            signals: fc.dictionary(text, fc.record({ min: number, max: number })),
          },
          { requiredKeys: [] },
        ),
        pick: fc.record({ k: number }),
      },
      { requiredKeys: ["profile"] },
    );
    const index = indexOf([{ id: "p1", location: "US", features: ["a"], stake: 5n }]);
    fc.assert(
      fc.property(demand, number, (one, top) => {
        const compiled = compile(one, profiles);
        if (compiled.ok) expect(match(compiled.plan, index, { top }).picks.length).toBeLessThan(2);
        else expect(compiled.faults.length).toBeGreaterThan(0);
      }),
      { seed: 5, numRuns: 2_000 },
    );
  });
});
