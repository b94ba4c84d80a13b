/** What a scan passes over could not have been picked. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bindingOf } from "../../src/matching/binding.ts";
import { compile, type Plan } from "../../src/matching/compile.ts";
import type { ProviderIndex } from "../../src/matching/index/provider-index.ts";
import { match } from "../../src/matching/match.ts";
import { scan } from "../../src/matching/paths/scan.ts";
import { TopK } from "../../src/matching/paths/top-k.ts";
import { cases, indexOf, profilesOf, provider, schema } from "./worlds.ts";

const seeded = { seed: 9_341, verbose: 0 } as const;

/** Picks of a scan that bounds scores in markets of more than `fewRows`. */
const scanned = (plan: Plan, index: ProviderIndex, fewRows: number) => {
  const binding = bindingOf(plan, index);
  const top = new TopK().begin(plan.demand.k, index.ids);
  scan(binding, top, fewRows);
  return Array.from({ length: top.count }, (_, i) => ({
    id: index.ids[top.rows[i] as number],
    score: binding.shown(top.sums[i] as number),
  }));
};

describe("a scan that passes over who cannot come in", () => {
  it("finds what a scan of everybody finds", { timeout: 120_000 }, () => {
    const seen = { byStake: 0, byColumns: 0, byBoth: 0 };
    fc.assert(
      fc.property(cases(60), (one) => {
        const compiled = compile(one.demand, profilesOf(one.weights).profiles);
        const index = indexOf(one.providers);
        if (!compiled.ok) throw new Error("no plan");
        const { plan } = compiled;
        const { path, picks, isSticky } = match(plan, index, { scanUpTo: 1_000 });
        if (path !== "scan" || isSticky) return;
        expect(scanned(plan, index, 0)).toEqual(picks.map(({ id, score }) => ({ id, score })));
        const { parts } = bindingOf(plan, index);
        const stakes = parts.filter(({ ofStake }) => ofStake !== undefined).length;
        const columns = parts.filter(({ column }) => column !== undefined).length;
        if (stakes > 0) seen.byStake++;
        if (columns > 0) seen.byColumns++;
        if (stakes > 0 && columns > 0) seen.byBoth++;
      }),
      { ...seeded, numRuns: 20_000 },
    );
    expect(Math.min(seen.byStake, seen.byColumns, seen.byBoth)).toBeGreaterThan(600);
  });

  it("finds it in a market of many blocks, in whatever order the providers came", {
    timeout: 120_000,
  }, () => {
    const size = 5_000;
    const [list] = fc.sample(
      fc.tuple(...Array.from({ length: size }, (_, i) => provider(`p${i}`))),
      {
        ...seeded,
        numRuns: 1,
      },
    ) as [ReturnType<typeof provider> extends fc.Arbitrary<infer T> ? T[] : never];
    const byStake = list.toSorted((a, b) => ((a.stake ?? 0n) < (b.stake ?? 0n) ? -1 : 1));
    const markets = [list, byStake, byStake.toReversed()].map((one) => indexOf(one, schema));
    let bounded = 0;
    fc.assert(
      fc.property(cases(0), (one) => {
        const { demand, weights } = one;
        const pick = { k: demand.pick?.k ?? 3 };
        const plans = markets.map(() => {
          const compiled = compile({ ...demand, pick }, profilesOf(weights).profiles);
          if (!compiled.ok) throw new Error("no plan");
          return compiled.plan;
        });
        const [plan] = plans as [Plan, Plan, Plan];
        const { isImpossible, listed } = bindingOf(plan, markets[0] as ProviderIndex);
        if (isImpossible || listed !== undefined) return;
        const want = scanned(plan, markets[0] as ProviderIndex, Number.POSITIVE_INFINITY);
        for (const [i, index] of markets.entries()) {
          expect(scanned(plans[i] as Plan, index, 0)).toEqual(want);
        }
        if (bindingOf(plan, markets[0] as ProviderIndex).parts.length > 0 && want.length > 0)
          bounded++;
      }),
      { ...seeded, numRuns: 300 },
    );
    expect(bounded).toBeGreaterThan(50);
  });
});
