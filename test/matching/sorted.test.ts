/** An order in several steps: columns, the score and ids. */
import { describe, expect, it } from "vitest";
import { compile } from "../../src/matching/compile.ts";
import { ProviderIndex } from "../../src/matching/index/provider-index.ts";
import { match } from "../../src/matching/match.ts";
import { defaultProfiles } from "../../src/matching/scorers/profiles.ts";

const schema = { name: "ordered", signals: ["latencyMs", "load"] };

describe("an order by columns", () => {
  // Few are sorted by insertion, many by the engine.
  it.each([2, 64, 127, 128, 129, 500])("is the same for %i providers, ties by id", (size) => {
    const list = Array.from({ length: size }, (_, i) => ({
      id: `p${(i * 7_919) % 10_007}`,
      latencyMs: i % 11 === 0 ? Number.NaN : (i * 31) % 7,
      load: ((i * 17) % 5) / 5,
    }));
    const index = new ProviderIndex(schema);
    for (const { id, latencyMs, load } of list) index.put({ id, values: { latencyMs, load } });
    const pick = { k: 64, orderBy: ["latencyMs", "load"] };
    const compiled = compile({ profile: "pairing", pick }, defaultProfiles());
    if (!compiled.ok) throw new Error("no plan");
    // Unknown is behind all that is known.
    const known = (value: number) => (Number.isNaN(value) ? Number.MAX_VALUE : value);
    const want = list
      .toSorted(
        (a, b) =>
          known(a.latencyMs) - known(b.latencyMs) || a.load - b.load || (a.id < b.id ? -1 : 1),
      )
      .slice(0, 64);
    expect(match(compiled.plan, index).picks.map(({ id }) => id)).toEqual(want.map(({ id }) => id));
  });
});
