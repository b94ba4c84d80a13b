import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FragmentFinder } from "../../src/lib/fragment-finder.ts";

const lowestOf = (
  fragments: readonly string[],
  text: string,
  admits: (fragment: number) => boolean = () => true,
): number => new FragmentFinder(fragments).lowest(text, text.length, fragments.length, admits);

describe("a fragment finder", () => {
  it("tells the first fragment of the list, wherever it stands in the text", () => {
    expect(lowestOf(["she", "he", "hers"], "ushers")).toBe(0);
    expect(lowestOf(["hers", "he", "she"], "ushers")).toBe(0);
    expect(lowestOf(["x", "ers"], "ushers")).toBe(1);
    expect(lowestOf(["x"], "ushers")).toBe(1);
  });

  it("takes the next one when the first is not admitted", () => {
    expect(lowestOf(["she", "he"], "ushers", (fragment) => fragment !== 0)).toBe(1);
  });

  it("folds case, and stays within its bounds", () => {
    expect(lowestOf(["Rate Limit"], "RATE LIMIT exceeded")).toBe(0);
    const finder = new FragmentFinder(["limit"]);
    expect(finder.lowest("rate limit", 9, 1, () => true)).toBe(1);
    expect(finder.lowest("rate limit", 10, 1, () => true)).toBe(0);
  });

  it("finds what a search for each fragment finds", () => {
    const word = fc.string({
      unit: fc.constantFrom("a", "b", "A", " ", "-"),
      minLength: 1,
      maxLength: 5,
    });
    const text = fc.string({ unit: fc.constantFrom("a", "b", "B", " ", "-", "é", "\u{1f600}") });
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), text, (fragments, haystack) => {
        const folded = haystack.toLowerCase();
        const found = fragments.findIndex((fragment) => folded.includes(fragment.toLowerCase()));
        expect(lowestOf(fragments, haystack)).toBe(found < 0 ? fragments.length : found);
      }),
    );
  });

  it("takes ASCII only", () => {
    expect(() => new FragmentFinder(["é"])).toThrow("ASCII");
  });
});
