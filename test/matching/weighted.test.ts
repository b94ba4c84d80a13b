import { describe, expect, it } from "vitest";
import { compile } from "../../src/matching/compile.ts";
import type { Demand } from "../../src/matching/demand.ts";
import { match } from "../../src/matching/match.ts";
import { defaultProfiles } from "../../src/matching/scorers/profiles.ts";
import { indexOf } from "./worlds.ts";

const profiles = defaultProfiles();
const planOf = (pick: NonNullable<Demand["pick"]>) => {
  const compiled = compile({ profile: "pairing", pick }, profiles);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  return compiled.plan;
};
const idsOf = (ranking: ReturnType<typeof match>) => ranking.picks.map(({ id }) => id);

describe("a weighted choice", () => {
  const stakes = { ann: 10n, bob: 20n, cid: 30n, dot: 40n };
  const list = Object.entries(stakes).map(([id, stake]) => ({ id, stake }));

  it("draws ordered pairs as sampling without replacement by weight does (chi-square)", () => {
    const index = indexOf(list);
    const plan = planOf({ k: 2, mode: "weighted", weightBy: "stake" });
    const draws = 60_000;
    const seen = new Map<string, number>();
    for (let seed = 0; seed < draws; seed++) {
      const pair = idsOf(match(plan, index, { seed })).join();
      seen.set(pair, (seen.get(pair) ?? 0) + 1);
    }
    let chiSquare = 0;
    for (const [first, a] of Object.entries(stakes)) {
      for (const [second, b] of Object.entries(stakes)) {
        if (first === second) continue;
        const share = (Number(a) / 100) * (Number(b) / (100 - Number(a)));
        const expected = draws * share;
        chiSquare += ((seen.get(`${first},${second}`) ?? 0) - expected) ** 2 / expected;
      }
    }
    // 11 degrees of freedom: below 31.3 with a probability of 99.9 %.
    expect(chiSquare).toBeLessThan(31.3);
  });

  it("does not change when somebody leaves who was not picked, and names each draw", () => {
    const many = Array.from({ length: 60 }, (_, i) => ({ id: `p${i}`, stake: BigInt(1_000 * i) }));
    const index = indexOf(many);
    const plan = planOf({ k: 5, mode: "weighted" });
    for (let seed = 0; seed < 50; seed++) {
      const ranking = match(plan, index, { seed: `epoch ${seed}` });
      const picked = idsOf(ranking);
      const gone = many.find(({ id }) => !picked.includes(id));
      if (gone === undefined) throw new Error("all were picked");
      index.remove(gone.id);
      const after = match(plan, index, { seed: `epoch ${seed}` });
      expect(after.picks).toEqual(ranking.picks);
      for (const { score, u = 0, key } of after.picks) {
        expect(key).toBe(score / -Math.log(u));
      }
      index.put(gone);
    }
  });

  it("never picks who has no weight", () => {
    const plan = planOf({ k: 3, mode: "weighted", weightBy: "stake" });
    const index = indexOf([{ id: "none" }, { id: "owes", stake: -5n }, { id: "one", stake: 1n }]);
    for (let seed = 0; seed < 20; seed++)
      expect(idsOf(match(plan, index, { seed }))).toEqual(["one"]);
  });
});

describe("turns", () => {
  it("go round by priority, then id, from where the seed says", () => {
    const list = [
      { id: "b", values: { priority: 1 } },
      { id: "a", values: { priority: 1 } },
      { id: "z", values: { priority: 0 } },
    ];
    const index = indexOf(list);
    const plan = planOf({ k: 2, mode: "roundRobin" });
    const turns = [0, 1, 2, 3, -1].map((seed) => idsOf(match(plan, index, { seed })).join(""));
    expect(turns).toEqual(["za", "ab", "bz", "za", "bz"]);
    expect(idsOf(match(plan, index, { seed: Number.NaN }))).toEqual(["z", "a"]);
    expect(match(plan, index, { seed: "x" }).picks).toHaveLength(2);
  });

  it("hardly touch who is sticky: it leads while it survives", () => {
    const index = indexOf([{ id: "a" }, { id: "b" }, { id: "c" }]);
    const plan = planOf({ k: 2, mode: "roundRobin", sticky: "c" });
    expect(match(plan, index, { seed: 0 })).toMatchObject({ isSticky: true });
    expect(idsOf(match(plan, index, { seed: 0 }))).toEqual(["c", "a"]);
    index.remove("c");
    expect(match(plan, index, { seed: 0 })).toMatchObject({ isSticky: false });
    expect(idsOf(match(plan, index, { seed: 0 }))).toEqual(["a", "b"]);
  });
});
