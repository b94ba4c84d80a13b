/** Demands that name whom they want, in markets where one owner has most of the rows. */
import { describe, expect, it } from "vitest";
import { bindingOf } from "../../src/matching/binding.ts";
import { compile, type Plan } from "../../src/matching/compile.ts";
import type { Demand } from "../../src/matching/demand.ts";
import { countSurvivors } from "../../src/matching/explain/count.ts";
import { survivorsOf } from "../../src/matching/explain/survivors.ts";
import { ProviderIndex } from "../../src/matching/index/provider-index.ts";
import { match } from "../../src/matching/match.ts";
import { defaultProfiles } from "../../src/matching/scorers/profiles.ts";

const planOf = (require: Demand["require"]): Plan => {
  const compiled = compile({ profile: "pairing", require: require ?? {} }, defaultProfiles());
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  return compiled.plan;
};

/** Every tenth row is Ann's, all others are Bob's; stakes go up and down. */
const marketOf = (size: number): ProviderIndex => {
  const index = new ProviderIndex({ name: "owned" });
  for (let i = 0; i < size; i++) {
    const owner = i % 10 === 0 ? "ann" : "bob";
    index.put({ id: `p${i}`, owner, stake: BigInt((i * 7_919) % size) });
  }
  return index;
};

/** The largest stakes among the rows of one. */
const best = (index: ProviderIndex, owner: string): string[] =>
  [...index.rows()]
    .filter((row) => index.owners.of(row) === owner)
    .sort((a, b) => Number(index.stakes.at(b) - index.stakes.at(a)))
    .slice(0, 5)
    .map((row) => index.ids[row] as string);

describe("a demand of one owner's rows", () => {
  // Were each row looked for in the list of all, these would take minutes.
  it.each([
    ["a list of them", 100_000, "listed"],
    ["an order, where they are most of a large market", 200_000, "scan"],
  ])("is answered from %s", (_, size, path) => {
    const index = marketOf(size);
    const bobs = size * 0.9;
    const plan = planOf({ owners: ["bob", "nobody"] });
    const first = match(plan, index, { explain: true });
    expect(first.path).toBe(path);
    expect(first.picks.map(({ id }) => id)).toEqual(best(index, "bob"));
    while (index.derived.advance(1_000_000));
    const again = match(plan, index);
    expect(again.path).toBe(path === "scan" ? "rank" : path);
    expect(again.picks.map(({ id }) => id)).toEqual(best(index, "bob"));
    expect(countSurvivors(bindingOf(plan, index))).toBe(bobs);
    expect(survivorsOf(bindingOf(plan, index)).at(-1)).toMatchObject({
      filter: "owners",
      left: bobs,
      alone: size - bobs,
    });
    index.remove(best(index, "bob")[0] as string);
    expect(match(plan, index).picks.map(({ id }) => id)).toEqual(best(index, "bob"));
  });

  it("is answered from the shorter list, where ids are named as well", () => {
    const index = marketOf(10_000);
    const plan = planOf({ ids: ["p10", "p11", "p12"], owners: ["bob"] });
    expect(bindingOf(plan, index).listed).toHaveLength(3);
    expect(
      match(plan, index)
        .picks.map(({ id }) => id)
        .sort(),
    ).toEqual(["p11", "p12"]);
  });
});
