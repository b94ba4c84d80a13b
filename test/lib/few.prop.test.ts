/** A set of few is a set. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  countItems,
  type Few,
  hasItem,
  itemsOf,
  withItem,
  withoutItem,
} from "../../src/lib/few.ts";

describe("a set of few", () => {
  it("behaves as a Set, order included", () => {
    const pool = Array.from({ length: 4 }, (_, n) => ({ n }));
    const step = fc.record({ add: fc.boolean(), at: fc.nat({ max: 3 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let few: Few<{ n: number }>;
        const model = new Set<{ n: number }>();
        for (const { add, at } of steps) {
          const item = pool[at] as { n: number };
          few = add ? withItem(few, item) : withoutItem(few, item);
          if (add) model.add(item);
          else model.delete(item);
          expect([...itemsOf(few)]).toEqual([...model]);
          expect(countItems(few)).toBe(model.size);
          expect(pool.map((one) => hasItem(few, one))).toEqual(pool.map((one) => model.has(one)));
        }
      }),
    );
  });
});
