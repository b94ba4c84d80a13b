/** The formulas of pairing, by hand. */
import { describe, expect, it } from "vitest";
import { Composite } from "../../src/matching/scorers/composite.ts";
import { compile } from "../../src/matching/compile.ts";
import type { Demand } from "../../src/matching/demand.ts";
import { match } from "../../src/matching/match.ts";
import { defaultProfiles } from "../../src/matching/scorers/profiles.ts";
import type { Provider } from "../../src/matching/provider.ts";
import { customScorer } from "../../src/matching/scorers/custom.ts";
import { linearStakeScorer, stakeScorer } from "../../src/matching/scorers/stake.ts";
import { indexOf } from "./worlds.ts";

const profiles = defaultProfiles(50);

const rank = (
  list: readonly Provider[],
  demand: Partial<Demand>,
  market?: Parameters<typeof indexOf>[1],
) => {
  const compiled = compile({ profile: "pairing", ...demand }, profiles);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  return match(compiled.plan, indexOf(list, market), { explain: true });
};

const componentOf = (name: string, provider: Omit<Provider, "id">, demand: Partial<Demand>) =>
  rank([{ id: "p", ...provider }], demand).picks[0]?.components?.[name];

describe("the pairing profile", () => {
  it.each([
    [0n, 0],
    [1n, 0],
    [-7n, 0],
    [1_000n, 3 / 7],
    [10_000_000n, 1],
    [2n ** 63n - 1n, 1],
  ])("scores the logarithm of a stake of %i", (stake, score) => {
    expect(componentOf("stake", { stake }, {})).toBeCloseTo(score, 15);
  });

  it.each([
    [0n, 0],
    [250_000n, 0.25],
    [1_000_000n, 1],
    [5_000_000n, 1],
  ])("scores a stake of %i as it is in the strict profile", (stake, score) => {
    expect(componentOf("stake", { stake }, { profile: "pairing-strict" })).toBe(score);
  });

  it.each([
    ["US-East-1", "US-East-1", 1, 1],
    ["US-East-1", "US-West-2", 0.7, 0],
    ["US-East-1", "EU-West-1", 0.2, 0],
    ["US-East-1", "us-east-1", 0.2, 0],
    ["U", "U", 1, 1],
    ["U", "US", 0.2, 0],
  ])("prefers %s: %s has %d, strictly %d", (wanted, location, score, strict) => {
    const prefer = { location: wanted };
    expect(componentOf("location", { location }, { prefer })).toBe(score);
    expect(componentOf("location", { location }, { prefer, profile: "pairing-strict" })).toBe(
      strict,
    );
  });

  it("scores no preference with a half, strictly with 1", () => {
    expect(componentOf("location", {}, {})).toBe(0.5);
    expect(componentOf("location", {}, { profile: "pairing-strict" })).toBe(1);
    expect(componentOf("features", {}, {})).toBe(0.5);
  });

  it.each([
    [["HTTP", "SSL"], ["http", "ssl"], 1],
    [["HTTP"], ["http", "ssl"], 0.5],
    [["HTTP", "a", "b"], ["http", "ssl"], 0.55],
    [["a", "b", "c", "d", "e", "f", "g", "h"], ["http", "ssl"], 0.2],
    [["HTTP", "http", "HTTP"], ["http", "ssl"], 0.5],
    [["HTTP", "SSL", "a", "b", "c"], ["http", "ssl"], 1],
    [[], ["http"], 0],
  ])("scores features %j where %j are preferred", (features, preferred, score) => {
    const components = componentOf("features", { features }, { prefer: { features: preferred } });
    expect(components).toBeCloseTo(score, 15);
  });

  it("adds 0.4 stake, 0.3 location and 0.3 features", () => {
    const provider = { id: "p", location: "US-West-1", features: ["HTTP"], stake: 100_000n };
    const demand = { prefer: { location: "US-East-1", features: ["http", "ssl"] } };
    const [pick] = rank([provider], demand).picks;
    expect(pick?.score).toBeCloseTo(0.4 * (5 / 7) + 0.3 * 0.7 + 0.3 * 0.5, 15);
  });

  it("shows at least three places once location is preferred and not required", () => {
    const list = ["US-East-1", "US-West-1", "EU-West-1"].map((location) => ({
      id: location,
      location,
    }));
    const { picks } = rank(list, { prefer: { location: "US-East-1" } });
    expect(picks.map(({ id, components }) => [id, components?.["location"]])).toEqual([
      ["US-East-1", 1],
      ["US-West-1", 0.7],
      ["EU-West-1", 0.2],
    ]);
  });

  it("does not end at the minimum among stakes beyond the cap, which rank by id", () => {
    const stakes = [12n, 30n, 15n].map((millions, i) => ({
      id: `p${i}`,
      stake: millions * 1_000_000n,
    }));
    const few = Array.from({ length: 100 }, (_, i) => ({ id: `z${i}`, stake: 1_000n }));
    const { picks, path } = rank([...stakes, ...few], { require: { minStake: 14_000_000n } });
    expect([path, picks.map(({ id }) => id)]).toEqual(["rank", ["p1", "p2"]]);
  });

  it("compares stakes exactly beyond 2^53 and 2^64", () => {
    for (const power of [53n, 62n, 63n, 64n, 100n]) {
      const stake = 2n ** power;
      const list = [stake - 1n, stake, stake + 1n].map((one, i) => ({ id: `p${i}`, stake: one }));
      const { picks } = rank(list, { require: { minStake: stake } });
      expect(picks.map(({ id }) => id)).toEqual(["p1", "p2"]);
      expect(rank(list, { require: { minStake: stake + 2n } }).picks).toEqual([]);
    }
  });
});

describe("scorers of signals", () => {
  const market = {
    name: "rpc",
    facts: ["price", "priority"],
    signals: ["latencyMs", "reliability", "load", "race", "lagBlocks"],
  };
  const leader = (profile: string, values: Readonly<Record<string, number>>) =>
    rank([{ id: "p", values }], { profile }, market).picks[0];

  it("give a half at 100 ms, at the median price, one block behind, and what is left of a load", () => {
    expect(leader("fastest", { latencyMs: 100 })?.score).toBe(0.5);
    expect(leader("cheapest", { price: 50 })?.score).toBe(0.5);
    expect(leader("idle", { load: 0.75 })?.score).toBe(0.25);
    expect(leader("priority", { priority: 0 })?.score).toBe(1);
    expect(
      leader("leaderboard", { race: 1, reliability: 1, latencyMs: 100, lagBlocks: 1 })?.score,
    ).toBeCloseTo(0.4 + 0.3 + 0.1 + 0.05, 15);
  });

  it("give a quarter to what is unknown", () => {
    for (const profile of ["fastest", "cheapest", "idle", "priority", "leaderboard"]) {
      expect(leader(profile, {})?.score).toBeCloseTo(0.25, 15);
    }
  });
});

describe("a scorer that fails", () => {
  const broken = customScorer("broken", "Fails for p1", (row, index) => {
    if (index.ids[row] === "p1") throw new Error("no data");
    return index.ids[row] === "p2" ? Number.NaN : 1;
  });

  it("loses its component, keeps its weight, is marked, and stops nothing", () => {
    profiles.composites.set(
      "fragile",
      new Composite("fragile", "One scorer fails")
        .add("stake", stakeScorer, 1)
        .add("broken", broken, 1),
    );
    const list = ["p1", "p2", "p3"].map((id) => ({ id, stake: 10_000_000n }));
    const { picks, scorerErrors } = rank(list, { profile: "fragile" });
    expect(picks).toEqual([
      { id: "p3", score: 1, components: { broken: 1, stake: 1 } },
      { id: "p1", score: 0.5, components: { broken: null, stake: 1 } },
      { id: "p2", score: 0.5, components: { broken: null, stake: 1 } },
    ]);
    expect(scorerErrors).toEqual([
      { scorer: "broken", provider: "p1", message: "no data" },
      { scorer: "broken", provider: "p2", message: "returned NaN" },
    ]);
  });
});

describe("a composite", () => {
  const make = () => new Composite("mine", "For tests").add("stake", stakeScorer, 0.6);

  it("is named, described, and lists its scorers by name", () => {
    const composite = make().add("custom_stake", linearStakeScorer, 0.5);
    expect([composite.name, composite.description]).toEqual(["mine", "For tests"]);
    expect(composite.list()).toEqual(["custom_stake", "stake"]);
    expect(composite.get("stake")).toBe(stakeScorer);
    composite.remove("stake");
    expect(composite.list()).toEqual(["custom_stake"]);
  });

  it("changes at run time, and the next match of a plan that exists uses it", () => {
    const composite = make().add("location", locationOnly("X"), 0.4);
    profiles.composites.set("mine", composite);
    const compiled = compile({ profile: "mine" }, profiles);
    if (!compiled.ok) throw new Error("faults");
    const index = indexOf([
      { id: "far", stake: 10_000_000n },
      { id: "near", location: "X", stake: 10n },
    ]);
    const first = () => match(compiled.plan, index).picks[0]?.id;
    expect(first()).toBe("far");
    composite.setWeight("location", 4);
    expect(composite.weightOf("location")).toBe(4);
    expect(first()).toBe("near");
    composite.remove("location");
    expect(first()).toBe("far");
  });

  it("refuses what it does not know and what is no weight", () => {
    const composite = make();
    expect(() => composite.get("speed")).toThrow("scorer speed not found");
    expect(() => composite.setWeight("speed", 1)).toThrow("scorer speed not found");
    expect(() => composite.remove("speed")).toThrow("scorer speed not found");
    expect(() => composite.add("x", {} as typeof stakeScorer, 1)).toThrow(
      "unsupported scorer type",
    );
    for (const weight of [-1, Number.NaN, Infinity, 1e9]) {
      expect(() => composite.setWeight("stake", weight)).toThrow("a weight");
    }
    for (let i = 0; i < 15; i++) composite.add(`s${i}`, stakeScorer, 1);
    expect(() => composite.add("one more", stakeScorer, 1)).toThrow("at most 16");
  });

  it("scores 0 when all weights are 0, and orders by id", () => {
    const composite = make();
    composite.setWeight("stake", 0);
    profiles.composites.set("nothing", composite);
    const { picks } = rank([{ id: "b", stake: 9n }, { id: "a" }], { profile: "nothing" });
    expect(picks.map(({ id, score }) => [id, score])).toEqual([
      ["a", 0],
      ["b", 0],
    ]);
  });
});

const locationOnly = (place: string) =>
  customScorer("location", `At ${place}`, (row, index) =>
    index.locationAt(row) === place ? 1 : 0,
  );
