import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/lib/random.ts";
import { compile } from "../../src/matching/compile.ts";
import type { Demand } from "../../src/matching/demand.ts";
import { match } from "../../src/matching/match.ts";
import { defaultProfiles } from "../../src/matching/scorers/profiles.ts";
import { RankingCache } from "../../src/matching/ranking-cache.ts";
import { indexOf, schema } from "./worlds.ts";

const profiles = defaultProfiles();
const planOf = (demand: Partial<Demand> = {}) => {
  const compiled = compile({ profile: "pairing", ...demand }, profiles);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  return compiled.plan;
};
const ttlMs = 1_000;
const rankingOf = (cache: RankingCache, ...asked: Parameters<RankingCache["picks"]>) =>
  cache.picks(...asked).ranking;

describe("the ranking cache", () => {
  it("shows a better provider and another weight at once", () => {
    const cache = new RankingCache({ capacity: 10, ttlMs });
    const index = indexOf([{ id: "a", stake: 10n }]);
    const plan = planOf();
    const first = () => rankingOf(cache, plan, index, 0, 0).picks[0]?.id;
    expect([first(), first()]).toEqual(["a", "a"]);
    index.put({ id: "b", stake: 20n });
    expect([first(), first()]).toEqual(["b", "b"]);
    profiles.composites.get("pairing")?.setWeight("location", 0.31);
    first();
    expect(cache.stats()).toMatchObject({ hits: 2, misses: 3, hitRate: 0.4, size: 1 });
  });

  it("serves the very ranking again, whichever way the demand was written, until its time is over", () => {
    const cache = new RankingCache({ capacity: 10, ttlMs });
    const index = indexOf([{ id: "a", features: ["x", "y"], values: { load: 0.1 } }]);
    const one = rankingOf(cache, planOf({ require: { features: ["X", "y"] } }), index, 1, 0);
    const other = planOf({ require: { features: ["y", "x", "x"] } });
    expect(rankingOf(cache, other, index, 2, 999)).toBe(one);
    expect(rankingOf(cache, other, index, 2, 1_000)).not.toBe(one);
  });

  it("keeps rankings of nobody, and draws of each seed apart", () => {
    const cache = new RankingCache({ capacity: 10, ttlMs });
    const index = indexOf([{ id: "a", stake: 5n }]);
    const nobody = planOf({ require: { features: ["missing"] } });
    expect(rankingOf(cache, nobody, index, 0, 0)).toBe(rankingOf(cache, nobody, index, 0, 1));
    const drawn = planOf({ pick: { mode: "weighted" } });
    expect(rankingOf(cache, drawn, index, 1, 0)).toBe(rankingOf(cache, drawn, index, 1, 0));
    expect(rankingOf(cache, drawn, index, "1", 0)).not.toBe(rankingOf(cache, drawn, index, 1, 0));
    const namesake = indexOf([{ id: "b" }], schema);
    expect(rankingOf(cache, nobody, namesake, 0, 0).considered).toBe(1);
    expect(rankingOf(cache, planOf(), namesake, 0, 0).picks[0]?.id).toBe("b");
    expect(rankingOf(cache, planOf(), index, 0, 0).picks[0]?.id).toBe("a");
  });

  it("puts out the least asked for, is resized, and can be off", () => {
    const cache = new RankingCache({ capacity: 2, ttlMs });
    const index = indexOf([{ id: "a" }]);
    const plans = [1, 2, 3].map((k) => planOf({ pick: { k } }));
    const ask = (i: number) => rankingOf(cache, plans[i] as (typeof plans)[0], index, 0, 0);
    for (const i of [0, 0, 1, 2]) ask(i);
    expect(cache.stats()).toEqual({
      size: 2,
      capacity: 2,
      hits: 1,
      misses: 3,
      hitRate: 0.25,
      evictions: 1,
      minFrequency: 1,
      frequencyDistribution: { 1: 1, 2: 1 },
    });
    cache.resize(1);
    expect(cache.stats()).toMatchObject({ size: 1, evictions: 2, minFrequency: 2 });
    cache.setEnabled(false);
    expect(ask(0)).not.toBe(ask(0));
    expect(cache.stats()).toMatchObject({ size: 0, minFrequency: 0 });
    cache.setEnabled(true);
    cache.setStatsEnabled(false);
    const before = cache.stats();
    expect(ask(0)).toBe(ask(0));
    expect(cache.stats()).toMatchObject({ hits: before.hits, misses: before.misses });
    cache.clear();
    expect(cache.stats()).toMatchObject({ size: 0 });
    const none = new RankingCache({ capacity: 0, ttlMs });
    none.picks(planOf(), index, 0, 0);
    expect(none.stats()).toMatchObject({ size: 0, evictions: 0 });
  });

  it("never serves what a match now would not give, however facts, weights and time go", () => {
    const step = fc.oneof(
      fc.record({ ask: fc.nat({ max: 5 }) }),
      fc.record({ stake: fc.nat({ max: 4 }), to: fc.bigInt(0n, 99n) }),
      fc.record({ weigh: fc.nat({ max: 9 }) }),
      fc.record({ resize: fc.nat({ max: 4 }) }),
      fc.record({ wait: fc.nat({ max: 600 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const cache = new RankingCache({ capacity: 3, ttlMs });
        const index = indexOf(Array.from({ length: 5 }, (_, i) => ({ id: `p${i}`, stake: 50n })));
        const plans = Array.from({ length: 6 }, (_, k) => planOf({ pick: { k } }));
        let nowMs = 0;
        for (const one of steps) {
          if ("ask" in one) {
            const plan = plans[one.ask] as (typeof plans)[0];
            expect(rankingOf(cache, plan, index, 0, nowMs)).toEqual(match(plan, index));
          } else if ("stake" in one) index.setStake(index.rowOf(`p${one.stake}`) as number, one.to);
          else if ("weigh" in one)
            profiles.composites.get("pairing")?.setWeight("stake", one.weigh);
          else if ("resize" in one) cache.resize(one.resize);
          else nowMs += one.wait;
        }
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it("answers at least 85 % of 200,000 look-ups of Zipf 1.3 over 1,000 demands, with 100 entries", () => {
    const cache = new RankingCache({ capacity: 100, ttlMs });
    const index = indexOf([{ id: "a" }]);
    const plans = Array.from({ length: 1_000 }, (_, i) =>
      planOf({ require: { minStake: BigInt(i + 1) } }),
    );
    const sums: number[] = [];
    for (let i = 1; i <= 1_000; i++) sums.push((sums.at(-1) ?? 0) + i ** -1.3);
    const random = seededRandom(17);
    for (let i = 0; i < 200_000; i++) {
      const aim = random() * (sums.at(-1) as number);
      const at = sums.findIndex((sum) => sum >= aim);
      rankingOf(cache, plans[at] as (typeof plans)[0], index, 0, 0);
    }
    expect(cache.stats().hitRate).toBeGreaterThan(0.85);
  });
});
