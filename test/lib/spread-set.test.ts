import { describe, expect, it } from "vitest";
import { SpreadSet } from "../../src/lib/spread-set.ts";

describe("a set in many parts", () => {
  it("knows what was added and nothing else", () => {
    const set = new SpreadSet();
    for (let i = 0; i < 5_000; i++) set.add(`provider_${i * 2}`);
    const known = Array.from({ length: 10_000 }, (_, i) => set.has(`provider_${i}`));
    expect(known).toEqual(known.map((_, i) => i % 2 === 0));
    expect(set.has("")).toBe(false);
  });
});
