import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ascending, median } from "../../src/lib/median.ts";

describe("the median", () => {
  it("is the middle number, or the mean of the two middle ones", () => {
    expect([median([]), median([3]), median([5, 1]), median([9, -1, 4])]).toEqual([
      undefined,
      3,
      3,
      4,
    ]);
  });

  it("does not depend on what was sorted before, however long", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer(), { maxLength: 300 }), { maxLength: 5 }),
        (lists) => {
          for (const list of lists) {
            expect([...ascending(list)]).toEqual(list.toSorted((a, b) => a - b));
          }
        },
      ),
      { seed: 5, numRuns: 100 },
    );
  });
});
