/** Sums by rank are those of the rows. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bindingOf } from "../../src/matching/binding.ts";
import { compile } from "../../src/matching/compile.ts";
import { eachSum } from "../../src/matching/explain/sums.ts";
import { cases, indexOf, profilesOf } from "./worlds.ts";

describe("the sums of all survivors", () => {
  it("are the same by rank as by row, but for rounding", { timeout: 60_000 }, () => {
    const ranked = { count: 0 };
    fc.assert(
      fc.property(cases(60), fc.array(fc.nat({ max: 59 }), { maxLength: 5 }), (one, changed) => {
        const compiled = compile(one.demand, profilesOf(one.weights).profiles);
        if (!compiled.ok) throw new Error("no plan");
        const index = indexOf(one.providers);
        const binding = () => bindingOf(compiled.plan, index);
        const sums = (fewRows: number): number[] => {
          const found: number[] = [];
          eachSum(binding(), (sum) => found.push(sum), fewRows);
          return found.sort((a, b) => a - b);
        };
        if (binding().order() !== undefined) ranked.count++;
        for (const at of changed) {
          const { id } = one.providers[at % Math.max(1, one.providers.length)] ?? {};
          const row = id === undefined ? undefined : index.rowOf(id);
          if (row !== undefined) index.setStake(row, BigInt(at) * 1_000n);
        }
        const [byRank, byRow] = [sums(0), sums(1_000)];
        expect(byRank.length).toBe(byRow.length);
        for (const [i, sum] of byRow.entries()) expect(byRank[i]).toBeCloseTo(sum, 6);
      }),
      { seed: 4_411, numRuns: 3_000 },
    );
    expect(ranked.count).toBeGreaterThan(300);
  });
});
