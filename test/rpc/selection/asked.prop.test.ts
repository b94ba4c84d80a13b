import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAsked } from "../../../src/rpc/selection/asked.ts";

const provider = { provider: "alchemy-eu", tags: ["eu-west", "paid"] };

describe("a provider that is asked for", () => {
  it.each([
    ["alchemy-eu", true],
    ["alchemy", false],
    ["paid", true],
    ["eu-*", true],
    ["*-eu", true],
    ["al*my*eu", true],
    ["*", true],
    ["tag:eu-*", true],
    ["tag:alchemy-*", false],
    ["tag:paid", true],
    ["us-*", false],
    ["alchemy-eu*eu", false],
    ["Alchemy-eu", false],
    ["", false],
  ])("%s: %s", (asked, expected) => {
    expect(isAsked(asked, provider)).toBe(expected);
  });

  it("is found by a glob exactly when the same regular expression finds it", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "-"), maxLength: 12 });
    const glob = fc.string({
      unit: fc.constantFrom("a", "b", "-", "*"),
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(letters, glob, (id, pattern) => {
        const same = new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(id);
        expect(isAsked(pattern, { provider: id, tags: [] })).toBe(same);
      }),
      { numRuns: 2000 },
    );
  });
});
