import { expect, it } from "vitest";
import fc from "fast-check";
import { ReplayWindow } from "../../../src/cluster/help/replay-window.ts";

const SIZE = 64;

it("takes each number once, and none that is far behind, in whatever order they come", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 300 }), (numbers) => {
      const window = new ReplayWindow(SIZE);
      const seen = new Set<number>();
      let highest = 0;
      for (const number of numbers) {
        const isNew = !seen.has(number) && number > highest - SIZE;
        expect(window.take(number)).toBe(isNew);
        seen.add(number);
        highest = Math.max(highest, number);
      }
    }),
  );
});

it("takes no number that is none", () => {
  const window = new ReplayWindow(SIZE);
  for (const number of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(window.take(number)).toBe(false);
  }
});
