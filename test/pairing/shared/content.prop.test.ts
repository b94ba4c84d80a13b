/** What a market holds, as one number. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProviderStore } from "../../../src/pairing/provider-store.ts";
import type { ProviderRecord } from "../../../src/pairing/protocol.ts";
import { provider } from "../support.ts";
import { contentText, sumOf } from "./content-support.ts";

const KEY = "key";
const one = fc
  .record({
    address: fc.constantFrom("a", "b", "c", "d"),
    stake: fc.constantFrom(0n, 1n, 2n ** 63n - 1n),
    location: fc.constantFrom("US", "EU"),
    features: fc.subarray(["x", "y"]).chain((list) => fc.shuffledSubarray(list)),
  })
  .map(({ address, stake, ...rest }) => provider(address, stake, rest));
const change = fc.oneof(
  one.map((put) => ({ put })),
  fc.constantFrom("a", "b", "c", "d").map((remove) => ({ remove })),
);

describe("the sum of a market", () => {
  it("follows from who is in it, however they came, changed and left", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const store = new ProviderStore("m", 1_000, false, KEY);
        const held = new Map<string, ProviderRecord>();
        for (const step of changes) {
          if ("put" in step) {
            store.put(step.put);
            held.set(step.put.address, step.put);
          } else {
            store.remove(step.remove);
            held.delete(step.remove);
          }
          expect(store.content?.text).toBe(sumOf([...held.values()].toReversed(), KEY));
        }
      }),
      { numRuns: 500 },
    );
  });

  it("tells apart markets that differ in anything that a ranking reads", () => {
    const list = fc.uniqueArray(one, { selector: ({ address }) => address });
    fc.assert(
      fc.property(list, list, (a, b) => {
        expect(sumOf(a, KEY) === sumOf(b, KEY)).toBe(contentText(a) === contentText(b));
      }),
      { numRuns: 2_000 },
    );
  });

  it("does not count what the market refused, and is another one by another key", () => {
    const store = new ProviderStore("m", 1, false, KEY);
    store.put(provider("a"));
    const before = store.content?.text;
    expect(store.put(provider("b"))).toContain("full");
    expect(store.content?.text).toBe(before);
    expect(sumOf([provider("a")], "other")).not.toBe(before);
  });
});
