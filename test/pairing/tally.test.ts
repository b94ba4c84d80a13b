import { describe, expect, it } from "vitest";
import { marketOf, policy, provider } from "./support.ts";

describe("what a market counts for its metrics", () => {
  it("adds up what filters refuse where it is known, and what scorers give the picks", () => {
    const market = marketOf([provider("a", 10_000), provider("b", 100, { location: "EU" })]);
    const wanted = policy({ requiredLocation: "US-East-1" });
    market.answer({ policy: wanted, explain: true });
    market.answer({ policy: wanted });
    const { refusedBy, scoredBy } = market.tally;
    expect(refusedBy.get("location")).toBe(1);
    expect(refusedBy.get("stake") ?? 0).toBe(0);
    expect(scoredBy.get("location")).toEqual({ picks: 2, points: 2, failures: 0 });
    expect(scoredBy.get("stake")?.points).toBeCloseTo(2 * (4 / 7));
  });

  it("tells kept rankings from those that were made, and how", () => {
    const market = marketOf(Array.from({ length: 100 }, (_, i) => provider(`p${i}`, i)));
    for (let i = 0; i < 3; i++) market.answer({ policy: policy() });
    market.answer({ policy: policy(), mode: "weighted" });
    const counts = [...market.tally.durations].map(([path, { count }]) => [path, count]);
    expect(counts).toEqual([
      ["rank", 1],
      ["kept", 2],
      ["draw", 1],
    ]);
  });

  it("counts what a scorer failed on, and nothing while it is off", () => {
    const market = marketOf([provider("a")]);
    const failing = { ...market.answer({ policy: policy() }) };
    const [pick] = failing.topProviders;
    if (pick === undefined) throw new Error("there is a provider");
    market.tally.add(
      { ...failing, topProviders: [{ ...pick, components: { odd: null } }] },
      "rank",
    );
    market.tally.isOn = false;
    market.tally.add({ ...failing, topProviders: [{ ...pick, components: { odd: 1 } }] }, "rank");
    expect(market.tally.scoredBy.get("odd")).toEqual({ picks: 1, points: 0, failures: 1 });
  });
});
