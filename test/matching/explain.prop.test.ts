import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bindingOf } from "../../src/matching/binding.ts";
import { compile, type Plan } from "../../src/matching/compile.ts";
import { whatIf } from "../../src/matching/explain/what-if.ts";
import { whyNot } from "../../src/matching/explain/why-not.ts";
import { MarketLog, replay } from "../../src/matching/explain/replay.ts";
import { match, type Ranking } from "../../src/matching/match.ts";
import { naiveFilter, naiveProvider } from "./naive.ts";
import { defaultProfiles } from "../../src/matching/scorers/profiles.ts";
import { cases, indexOf, profilesOf, schema } from "./worlds.ts";

const seeded = { seed: 31, numRuns: 1_500 } as const;

describe("an explanation", () => {
  it("counts survivors, refusals alone and sole refusals as plain counting does", () => {
    fc.assert(
      fc.property(cases(40), fc.constantFrom(1, 9), (one, copies) => {
        const { profiles } = profilesOf(one.weights);
        const compiled = compile(one.demand, profiles);
        if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
        const list = one.providers.flatMap((provider) =>
          Array.from({ length: copies }, (_, i) => ({
            ...provider,
            id: `${provider.id}${"0".repeat(i)}`,
          })),
        );
        const unique = [...new Map(list.map((provider) => [provider.id, provider])).values()];
        const index = indexOf(unique);
        const { survivors = [] } = match(compiled.plan, index, { explain: true });
        const plain = unique.map(naiveProvider);
        const last = survivors.at(-1);
        const passing = plain.filter((provider) =>
          naiveFilter(provider, compiled.plan.demand),
        ).length;
        if (last !== undefined) expect(last.left).toBe(passing);
        const refusals = unique.map(({ id }) =>
          whyNot(compiled.plan, index, id).refusals.map(({ filter }) => filter),
        );
        let left = unique.length;
        const before: string[] = [];
        for (const report of survivors) {
          before.push(report.filter);
          left = refusals.filter((names) => !names.some((name) => before.includes(name))).length;
          expect(report.left).toBe(left);
          expect(report.alone).toBe(
            refusals.filter((names) => names.includes(report.filter)).length,
          );
          expect(report.sole).toBe(
            refusals.filter((names) => names.length === 1 && names[0] === report.filter).length,
          );
        }
      }),
      seeded,
    );
  });

  it("refuses nobody who is picked, and picks who is refused by none and ranks within k", () => {
    fc.assert(
      fc.property(cases(24), (one) => {
        const { profiles } = profilesOf(one.weights);
        const { sticky: _, ...pick } = one.demand.pick ?? {};
        const compiled = compile({ ...one.demand, pick: { ...pick, mode: "top" } }, profiles);
        if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
        const index = indexOf(one.providers);
        const { picks } = match(compiled.plan, index);
        for (const { id } of one.providers) {
          const why = whyNot(compiled.plan, index, id);
          const isPicked = picks.some((picked) => picked.id === id);
          expect(why.isPicked).toBe(isPicked);
          const isWithin = why.refusals.length === 0 && (why.rank ?? 0) <= compiled.plan.demand.k;
          expect(isWithin).toBe(isPicked);
          if (why.gapToLast !== undefined) expect(why.gapToLast).toBeGreaterThanOrEqual(0);
        }
      }),
      seeded,
    );
  });

  it("lists all filters that refuse a provider, with what is needed and what is there", () => {
    const compiled = compile(
      {
        profile: "pairing",
        exclude: ["poor"],
        require: {
          location: [{ region: "US" }, { within: "EU-West" }],
          features: { all: ["ssl"], any: ["grpc", "rest"], none: ["beta"] },
          minStake: 100n,
          health: { isNot: ["open"] },
          resources: { memMb: 512 },
          signals: { latencyMs: { max: 80 } },
          ids: ["rich"],
          owners: ["ann"],
        },
      },
      defaultProfiles(),
    );
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
    const index = indexOf([
      { id: "poor", location: "AP", stake: 7n, states: ["Open"], values: { memMb: 12 } },
      { id: "rich", owner: "ann", location: "EU-West-2", features: ["SSL", "REST"], stake: 900n },
    ]);
    const { refusals, inMarket } = whyNot(compiled.plan, index, "poor");
    expect(inMarket).toBe(true);
    expect(refusals).toEqual([
      { filter: "location", need: "region US or within EU-West", have: "AP", transient: false },
      {
        filter: "features",
        need: "all of ssl; any of grpc, rest; none of beta",
        have: "",
        transient: false,
      },
      { filter: "stake", need: "at least 100", have: "7", transient: false },
      { filter: "ids", need: "one of 1 ids", have: "poor", transient: false },
      { filter: "owners", need: "one of 1 owners", have: "nobody", transient: false },
      { filter: "exclude", need: "none of 1 excluded", have: "poor", transient: false },
      { filter: "capacity:memMb", need: "at least 512", have: "12", transient: true },
      { filter: "health", need: "not open", have: "open", transient: true },
      { filter: "signal:latencyMs", need: "at most 80", have: "NaN", transient: true },
    ]);
    expect(whyNot(compiled.plan, index, "rich").refusals.map(({ filter }) => filter)).toEqual([
      "capacity:memMb",
      "signal:latencyMs",
    ]);
    expect(whyNot(compiled.plan, index, "nobody")).toMatchObject({ inMarket: false });
  });

  it("ranks in a large market as counting all who are better does, with an order and without", () => {
    const stake = fc.constantFrom(0n, 1n, 999n, 1_000n, 1_001n, 30_000_000n, 10_000_000n, 12_345n);
    const one = fc.record({
      stake,
      location: fc.constantFrom("US-East-1", "EU-West-1"),
      features: fc.constantFrom([], ["a"]),
    });
    const asked = fc.record({
      minStake: fc.constantFrom(undefined, 1_000n, 12_000_000n),
      location: fc.constantFrom(undefined, "US-East-1"),
      weights: fc.constantFrom(undefined, { stake: 0 }, { stake: 1e-9 }),
    });
    const moves = fc.array(fc.tuple(fc.nat({ max: 599 }), stake), { maxLength: 12 });
    fc.assert(
      fc.property(
        fc.array(one, { minLength: 20, maxLength: 20 }),
        asked,
        moves,
        (kinds, want, moved) => {
          const profiles = defaultProfiles();
          const { weights, minStake, location } = want;
          const require = {
            ...(minStake === undefined ? {} : { minStake }),
            ...(location === undefined ? {} : { location }),
          };
          const demand = {
            profile: "pairing",
            require,
            ...(weights === undefined ? {} : { weights }),
          };
          const compiled = compile(demand, profiles);
          if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
          const { plan } = compiled;
          const index = indexOf(
            Array.from({ length: 600 }, (_, i) => ({ id: `p${i}`, ...kinds[i % 20] })),
          );
          // The order is there before some stakes move, so that some rows have no rank.
          match(plan, index);
          while (index.derived.advance(100_000));
          for (const [row, stakeOf] of moved) index.setStake(row, stakeOf);
          const binding = bindingOf(plan, index);
          const alive = [...index.rows()].filter((row) => binding.survives(row));
          const best = alive.toSorted(
            (a, b) =>
              binding.sumOf(b) - binding.sumOf(a) ||
              ((index.ids[a] as string) < (index.ids[b] as string) ? -1 : 1),
          );
          for (const place of [0, 1, 7, 100, 599, best.length - 1]) {
            const row = best[place];
            if (row === undefined) continue;
            expect(whyNot(plan, index, index.ids[row] as string).rank).toBe(place + 1);
          }
        },
      ),
      { seed: 31, numRuns: 300 },
    );
  });

  it("ranks among the named alone, where a demand names ids or owners", () => {
    const index = indexOf(
      Array.from({ length: 1_000 }, (_, i) => ({
        id: `p${i}`,
        owner: i === 900 || i === 950 ? "ann" : "bob",
        stake: BigInt(2_000 - i),
      })),
    );
    for (const require of [{ ids: ["p900", "p950"] }, { owners: ["ann"] }]) {
      const plans = [{}, require].map((one) => {
        const compiled = compile({ profile: "pairing", require: one }, defaultProfiles());
        if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
        return compiled.plan;
      });
      const [all, named] = plans as [Plan, Plan];
      // With the order of everybody at hand.
      match(all, index);
      while (index.derived.advance(100_000));
      expect(match(all, index).path).toBe("rank");
      expect(whyNot(named, index, "p900").rank).toBe(1);
      expect(whyNot(named, index, "p950").rank).toBe(2);
    }
  });

  it("gives the numbers of filters from outside, in the order of their registration", () => {
    const profiles = defaultProfiles();
    const limit = 10;
    for (const name of ["range", "age"]) {
      profiles.filters.set(name, {
        name,
        isTransient: name === "age",
        test: (row) => row > 0,
        found: (row) => (name === "age" ? undefined : { value: row + 20, limit }),
      });
    }
    const compiled = compile(
      { profile: "pairing", require: { custom: ["age", "range"] } },
      profiles,
    );
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
    const index = indexOf([{ id: "a" }, { id: "b" }]);
    const texts = (name: string) => ({ need: `to pass ${name}`, have: "refused" });
    expect(whyNot(compiled.plan, index, "a").refusals).toEqual([
      { filter: "range", ...texts("range"), transient: false, found: { value: 20, limit } },
      { filter: "age", ...texts("age"), transient: true },
    ]);
    expect(whyNot(compiled.plan, index, "b").refusals).toEqual([]);
  });

  it("tells what other weights would change", () => {
    const profiles = defaultProfiles();
    const index = indexOf([
      { id: "near", location: "X", stake: 10n },
      { id: "rich", location: "Y", stake: 10_000_000n },
    ]);
    const demand = { profile: "pairing", prefer: { location: "X" } };
    const changed = whatIf(demand, { weights: { location: 3 } }, index, profiles);
    if (!changed.ok) throw new Error("faults");
    expect(changed.before.picks.map(({ id }) => id)).toEqual(["rich", "near"]);
    expect(changed.shifts).toEqual([
      { id: "near", before: 2, after: 1 },
      { id: "rich", before: 1, after: 2 },
    ]);
    expect(whatIf(demand, { weights: { location: -1 } }, index, profiles)).toMatchObject({
      ok: false,
      faults: [{ path: "weights.location" }],
    });
  });
});

describe("a stored ranking", () => {
  const profiles = defaultProfiles();
  const planOf = (mode: "top" | "weighted") => {
    const compiled = compile({ profile: "pairing", pick: { mode, k: 3 } }, profiles);
    if (!compiled.ok) throw new Error("faults");
    return compiled.plan;
  };
  const write = (log: MarketLog, i: number): boolean => {
    const id = `p${i % 7}`;
    if (i % 5 === 0) return log.write({ do: "stake", id, stake: BigInt(i * i) });
    if (i % 7 === 3) return log.write({ do: "remove", id: `p${(i + 1) % 7}` });
    if (i % 4 === 1) return log.write({ do: "state", id, state: "open", on: i % 8 === 1 });
    if (i % 4 === 2) return log.write({ do: "value", id, column: "load", value: i / 100 });
    return log.write({ do: "put", provider: { id, stake: BigInt(i * 1_000), features: ["a"] } });
  };

  it("comes out equal byte for byte on the market as it was, and on no other", () => {
    const log = new MarketLog(indexOf([{ id: "p0", stake: 5n }]), 100);
    const stored: string[] = [];
    for (let i = 0; i < 60; i++) {
      write(log, i);
      const plan = planOf(i % 2 === 0 ? "top" : "weighted");
      stored.push(JSON.stringify(match(plan, log.index, { seed: `s${i}`, explain: i % 3 === 0 })));
    }
    for (const [i, text] of stored.entries()) {
      const ranking = JSON.parse(text) as Ranking;
      const plan = planOf(i % 2 === 0 ? "top" : "weighted");
      const then = log.at(ranking.version, ranking.signalVersion);
      if (then === undefined) throw new Error(`version ${ranking.version} is forgotten`);
      expect(replay(ranking, plan, then)).toMatchObject({ ok: true });
      if (log.index.version !== ranking.version) {
        expect(replay(ranking, plan, log.index)).toMatchObject({ reason: "version" });
      }
    }
    expect(stored.length).toBe(60);
  });

  it("is refused for another market, demand or profile, and a forged one is found out", () => {
    const index = indexOf([
      { id: "a", stake: 5n },
      { id: "b", stake: 9n },
    ]);
    const plan = planOf("top");
    const ranking = match(plan, index);
    expect(replay(ranking, plan, indexOf([], { ...schema, name: "other" }))).toMatchObject({
      reason: "market",
    });
    expect(replay(ranking, planOf("weighted"), index)).toMatchObject({ reason: "demand" });
    const forged = { ...ranking, picks: ranking.picks.toReversed() };
    expect(replay(forged, plan, index)).toMatchObject({ reason: "differs", shifts: [{}, {}] });
    profiles.composites.get("pairing")?.setWeight("stake", 0.5);
    expect(replay(ranking, plan, index)).toMatchObject({ reason: "profile" });
  });

  it("is forgotten with its version once the log has a new base", () => {
    const log = new MarketLog(indexOf([{ id: "p0" }]), 10);
    for (let i = 0; i < 15; i++) log.write({ do: "stake", id: "p0", stake: BigInt(i + 1) });
    expect(log.at(2, 0)).toBeUndefined();
    expect(log.at(log.index.version, 0)?.rowOf("p0")).toBeDefined();
    expect(log.at(log.index.version + 1, 0)).toBeUndefined();
    expect(log.write({ do: "stake", id: "nobody", stake: 1n })).toBe(false);
    expect(log.write({ do: "value", id: "p0", column: "nothing", value: 1 })).toBe(false);
  });
});
