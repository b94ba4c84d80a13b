/** What a scan passes over could not have been picked. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bindingOf } from "../../src/matching/binding.ts";
import { compile } from "../../src/matching/compile.ts";
import { match } from "../../src/matching/match.ts";
import { scan } from "../../src/matching/paths/scan.ts";
import { TopK } from "../../src/matching/paths/top-k.ts";
import { cases, indexOf, profilesOf } from "./worlds.ts";

describe("a scan that passes over small stakes", () => {
  it("finds what a scan of everybody finds", { timeout: 120_000 }, () => {
    const scanned = { byStake: 0 };
    fc.assert(
      fc.property(cases(60), (one) => {
        const compiled = compile(one.demand, profilesOf(one.weights).profiles);
        const index = indexOf(one.providers);
        if (!compiled.ok) throw new Error("no plan");
        const { plan } = compiled;
        const { path, picks, isSticky } = match(plan, index, { scanUpTo: 1_000 });
        if (path !== "scan" || isSticky) return;
        const binding = bindingOf(plan, index);
        const top = new TopK().begin(plan.demand.k, index.ids);
        scan(binding, top, 0);
        const found = Array.from({ length: top.count }, (_, i) => ({
          id: index.ids[top.rows[i] as number],
          score: binding.shown(top.sums[i] as number),
        }));
        expect(found).toEqual(picks.map(({ id, score }) => ({ id, score })));
        const [part, more] = binding.parts;
        if (part?.ofStake !== undefined && more === undefined) scanned.byStake++;
      }),
      { seed: 9_341, numRuns: 5_000 },
    );
    expect(scanned.byStake).toBeGreaterThan(300);
  });
});
