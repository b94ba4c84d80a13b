/** What another thread finds in a market is what its owner finds. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bindingOf } from "../../src/matching/binding.ts";
import { compile } from "../../src/matching/compile.ts";
import { countSurvivors } from "../../src/matching/explain/count.ts";
import { survivorsOf } from "../../src/matching/explain/survivors.ts";
import { idAt } from "../../src/matching/index/id-bytes.ts";
import { SHARED_MEMORY } from "../../src/matching/index/memory.ts";
import { ProviderIndex } from "../../src/matching/index/provider-index.ts";
import { match } from "../../src/matching/match.ts";
import { defaultProfiles } from "../../src/matching/scorers/profiles.ts";
import { ChunkMatcher } from "../../src/matching/shared/chunk.ts";
import { imageOf, isCurrent } from "../../src/matching/shared/image.ts";
import { isPortable, profileImageOf } from "../../src/matching/shared/plan-image.ts";
import { viewOf } from "../../src/matching/shared/view.ts";
import { cases, schema } from "./worlds.ts";

const profiles = defaultProfiles();
/** A price scorer is made for its market, so no other thread knows it. */
const names = [...profiles.composites.keys()].filter((name) => name !== "cheapest");

const sharedOf = (providers: Parameters<ProviderIndex["put"]>[0][]): ProviderIndex => {
  const index = new ProviderIndex(schema, SHARED_MEMORY);
  for (const one of providers) index.put(one);
  return index;
};

describe("a market in shared memory", () => {
  it("gives the same picks, scores and counts elsewhere, whatever was changed before", () => {
    const matcher = new ChunkMatcher();
    fc.assert(
      fc.property(
        cases(120),
        fc.constantFrom(...names),
        fc.array(fc.nat({ max: 120 }), { maxLength: 30 }),
        ({ demand, providers }, profile, moves) => {
          const { exclude: _e, require = {}, pick, ...rest } = demand;
          const { ids: _i, owners: _o, signals: _s, resources: _r, ...kept } = require;
          const { sticky: _k, mode: _m, ...picks } = pick ?? {};
          const compiled = compile({ ...rest, require: kept, pick: picks, profile }, profiles);
          if (!compiled.ok) return;
          const { plan } = compiled;
          expect(isPortable(plan)).toBe(true);
          const index = sharedOf(providers.map(({ owner: _owner, ...one }) => one));
          match(plan, index);
          for (const [i, move] of moves.entries()) {
            if (i % 3 === 0) index.remove(`p${move}`);
            else index.put({ id: `p${move}`, location: "US-East-1", stake: BigInt(move * i) });
          }
          match(plan, index);
          const image = imageOf(index);
          const profileImage = profileImageOf(plan);
          if (image === undefined || profileImage === undefined) throw new Error("not shared");
          const chunk = { image, profiles: [profileImage], profileOf: [0], texts: [plan.text] };
          const answer = matcher.answer(structuredClone(chunk));
          const { picks: expected } = match(plan, index);
          expect(answer.isTorn).toBe(false);
          expect(Array.from(answer.rows, (row) => index.ids[row])).toEqual(
            expected.map(({ id }) => id),
          );
          expect([...answer.scores]).toEqual(expected.map(({ score }) => score));
          const binding = bindingOf(plan, index);
          if (expected.length > 0) expect(answer.left[0]).toBe(countSurvivors(binding));
          else expect(answer.reports[0]?.[1]).toEqual(survivorsOf(binding));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("is not believed once it has changed, and has a new image then", () => {
    const index = sharedOf([{ id: "a", stake: 1n }]);
    const compiled = compile({ profile: "pairing" }, profiles);
    if (!compiled.ok) throw new Error("no plan");
    const image = imageOf(index);
    const profile = profileImageOf(compiled.plan);
    if (image === undefined || profile === undefined) throw new Error("not shared");
    expect(isCurrent(image, index)).toBe(true);
    const chunk = { image, profiles: [profile], profileOf: [0], texts: [compiled.plan.text] };
    index.setStake(0, 2n);
    expect(isCurrent(image, index)).toBe(false);
    expect(new ChunkMatcher().answer(chunk).isTorn).toBe(true);
  });

  it("cannot be written through a view", () => {
    const image = imageOf(sharedOf([{ id: "a", stake: 1n }]));
    if (image === undefined) throw new Error("not shared");
    expect(() => viewOf(image).put({ id: "b" })).toThrow();
    expect(() => viewOf(image).setStake(0, 2n)).toThrow();
  });

  it("keeps ids of any characters, through growth and removal", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "binary", maxLength: 40 }), { maxLength: 300 }),
        (ids) => {
          const index = new ProviderIndex({ name: "ids" }, SHARED_MEMORY);
          for (const [i, id] of ids.entries()) {
            index.put({ id });
            if (i % 3 === 0) index.remove(ids[i >> 1] as string);
          }
          const { shared } = index.names;
          if (shared === undefined) throw new Error("not shared");
          for (const row of index.rows()) expect(idAt(shared, row)).toBe(index.ids[row]);
        },
      ),
      { numRuns: 30 },
    );
  });
});
