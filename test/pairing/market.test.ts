/** A market: what is said of rankings, counted of them, and changed about them. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bindingOf } from "../../src/matching/binding.ts";
import { countSurvivors } from "../../src/matching/explain/count.ts";
import { survivorsOf } from "../../src/matching/explain/survivors.ts";
import { cases, indexOf, profilesOf } from "../matching/worlds.ts";
import { compile } from "../../src/matching/compile.ts";
import { match, rank } from "../../src/matching/match.ts";
import { contractResult } from "../../src/pairing/result.ts";
import { addresses, marketOf, policy, provider, value } from "./support.ts";

describe("a market", () => {
  it("counts survivors as the report of every filter does, by row and by rank", () => {
    fc.assert(
      fc.property(cases(400), (one) => {
        const { profiles } = profilesOf(one.weights);
        const compiled = compile(one.demand, profiles);
        if (!compiled.ok) return;
        const index = indexOf(one.providers);
        match(compiled.plan, index);
        const binding = bindingOf(compiled.plan, index);
        const left = survivorsOf(binding).at(-1)?.left ?? index.size;
        expect(countSurvivors(binding)).toBe(left);
      }),
      { numRuns: 500 },
    );
  });

  it("knows from a turn how many survived, with an order of turns and without", () => {
    fc.assert(
      fc.property(cases(60), fc.nat({ max: 99 }), (one, seed) => {
        const { profiles } = profilesOf(one.weights);
        const { orderBy: _, ...pick } = one.demand.pick ?? {};
        const demand = { ...one.demand, pick: { ...pick, mode: "roundRobin" as const } };
        const compiled = compile(demand, profiles);
        if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
        const { plan } = compiled;
        const index = indexOf(one.providers);
        const expected = survivorsOf(bindingOf(plan, index)).at(-1)?.left ?? index.size;
        for (const scanUpTo of [0, 1_000]) {
          const { ranking, left } = rank(plan, index, { seed, scanUpTo });
          expect(ranking.picks).toHaveLength(Math.min(plan.demand.k, expected));
          if (left !== undefined) expect(left).toBe(expected);
          else expect(ranking.picks).toEqual([]);
        }
      }),
      { seed: 31, numRuns: 500 },
    );
  });

  it("lets nobody take turns in a large market before they are in order, and says so", () => {
    const many = Array.from({ length: 33_000 }, (_, i) =>
      provider(`p${String(i).padStart(5, "0")}`),
    );
    const market = marketOf(many);
    const inTurn = (seed: number) =>
      market.pair({ policy: policy(), mode: "roundRobin", top: 2, seed });
    expect(inTurn(7)).toMatchObject({ refusal: { code: "PAIRING_PREPARING" } });
    while (market.store.index.derived.advance(1_000_000));
    expect(addresses(value(inTurn(7)))).toEqual(["p00007", "p00008"]);
    expect(addresses(value(inTurn(32_999)))).toEqual(["p32999", "p00000"]);
  });

  it("gives a turn that is kept, though turns are being put in order anew", () => {
    const market = marketOf(Array.from({ length: 33_000 }, (_, i) => provider(`p${i}`)));
    const { derived } = market.store.index;
    const inTurn = (seed: number) =>
      market.pair({ policy: policy(), mode: "roundRobin", top: 2, seed });
    inTurn(7);
    while (derived.advance(1_000_000));
    const kept = addresses(value(inTurn(7)));
    derived.forget();
    // Another turn has to wait, and that one is nowhere to be found.
    expect(inTurn(8)).toMatchObject({ refusal: { code: "PAIRING_PREPARING" } });
    expect(addresses(value(inTurn(7)))).toEqual(kept);
    expect(inTurn(8)).toMatchObject({ refusal: { code: "PAIRING_PREPARING" } });
  });

  it("shows features as they were written, and compares them without case", () => {
    const market = marketOf([provider("a", 1, { features: ["gRPC", "SSL_Termination"] })]);
    expect(market.store.get("a")?.features.toSorted()).toEqual(["SSL_Termination", "gRPC"]);
    const wanted = { policy: policy({ requiredFeatures: ["GRPC", "ssl_termination"] }) };
    expect(addresses(value(market.pair(wanted)))).toEqual(["a"]);
  });

  it("says of a result what the contract names, its time in ms", () => {
    const market = marketOf([provider("a", 5)]);
    const result = contractResult(value(market.pair({ policy: policy() })));
    expect(Object.keys(result)).toEqual([
      "policy",
      "filteredCount",
      "rankedCount",
      "topProviders",
      "processingTime",
      "error",
    ]);
    expect(result).toMatchObject({ filteredCount: 1, rankedCount: 1, error: null });
  });

  it("tells its time to the nanosecond, without the noise of a subtraction", () => {
    const clock = [10_829.487, 10_829.487 + 26.329];
    const market = marketOf([provider("a", 5)], { nowUs: () => clock.shift() ?? 0 });
    expect(value(market.pair({ policy: policy() })).processingTimeUs).toBe(26.329);
  });

  it("tells apart requests that only look alike", () => {
    const market = marketOf([provider("a", 1, { features: ["x y"] })]);
    const both = value(market.pair({ policy: policy({ requiredFeatures: ["x y"] }) }));
    const two = value(market.pair({ policy: policy({ requiredFeatures: ["x", "y"] }) }));
    expect([addresses(both), addresses(two)]).toEqual([["a"], []]);
  });

  it("names the filter that keeps most away when nobody is left, also from the cache", () => {
    const market = marketOf([provider("a", 5), provider("b", 6, { location: "EU-West-1" })]);
    const asked = { policy: policy({ requiredLocation: "EU-West-1", minStake: 10n }) };
    const first = value(market.pair(asked));
    const again = value(market.pair(asked));
    expect(first).toMatchObject({ topProviders: [], blockedBy: "stake", cache: "miss" });
    expect(again).toEqual({ ...first, cache: "hit" });
    expect(value(marketOf([]).pair({ policy: policy() })).blockedBy).toBe("market");
  });

  it("prefers without requiring when a policy is relaxed", () => {
    const market = marketOf([
      provider("there", 10, { location: "US-East-1" }),
      provider("near", 10, { location: "US-West-2" }),
      provider("far", 10, { location: "EU-West-1" }),
    ]);
    const relaxed = policy({ requiredLocation: "US-East-1", relaxed: true });
    const { topProviders } = value(market.pair({ policy: relaxed, explain: true }));
    expect(
      topProviders.map(({ address, components }) => [address, components?.["location"]]),
    ).toEqual([
      ["there", 1],
      ["near", 0.7],
      ["far", 0.2],
    ]);
  });

  it("has exact stakes beyond 2^53, in filters and in results", () => {
    const big = 2n ** 63n - 1n;
    const market = marketOf([provider("big", big), provider("less", big - 1n)]);
    const result = value(market.pair({ policy: policy({ minStake: big }) }));
    expect(result.topProviders.map(({ address, stake }) => [address, stake])).toEqual([
      ["big", big],
    ]);
  });

  it("goes on with rising versions when all its providers are replaced", () => {
    const market = marketOf([provider("old", 9)]);
    const before = value(market.pair({ policy: policy() }));
    const store = market.emptyStore();
    store.put(provider("new", 1));
    market.swap(store);
    const after = value(market.pair({ policy: policy() }));
    expect(addresses(after)).toEqual(["new"]);
    expect(after.version).toBeGreaterThan(before.version);
  });

  it("P23: pages through its providers, also by place, without losing or repeating one", () => {
    fc.assert(
      fc.property(fc.nat({ max: 40 }), fc.integer({ min: 1, max: 9 }), (count, limit) => {
        const market = marketOf(
          Array.from({ length: count }, (_, i) =>
            provider(`p${i}`, i, { location: i % 3 === 0 ? "A" : "B" }),
          ),
        );
        for (let i = 0; i < count; i += 4) market.store.remove(`p${i}`);
        const seen: string[] = [];
        let offset: number | undefined = 0;
        while (offset !== undefined) {
          const page: ReturnType<typeof market.store.list> = market.store.list({
            offset,
            limit,
            location: "A",
          });
          seen.push(...page.providers.map(({ address }) => address));
          offset = page.next;
        }
        const left = Array.from({ length: count }, (_, i) => i).filter(
          (i) => i % 3 === 0 && i % 4 !== 0,
        );
        expect(seen.toSorted()).toEqual(left.map((i) => `p${i}`).toSorted());
      }),
    );
  });

  it("refuses what the kernel cannot do, in the words of the policy", () => {
    const market = marketOf([]);
    const features = Array.from({ length: 33 }, (_, i) => `f${i}`);
    expect(market.pair({ policy: policy({ requiredFeatures: features }) })).toMatchObject({
      refusal: {
        code: "PAIRING_BAD_INPUT",
        faults: [{ path: "policy.requiredFeatures", message: "33 entries, at most 32" }],
      },
    });
    expect(market.pair({ policy: policy(), weights: { stake: -1, nothing: 1 } })).toMatchObject({
      refusal: { faults: [{ path: "weights.stake" }, { path: "weights.nothing" }] },
    });
    const zero = { policy: policy(), weights: { stake: 0, location: 0, features: 0 } };
    expect(value(marketOf([provider("a")]).pair(zero)).topProviders[0]?.score).toBe(0);
  });
});
