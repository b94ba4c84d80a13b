import { describe, expect, it } from "vitest";
import { fnv64Hex } from "../../src/lib/fnv64.ts";

/** The definition, in whole numbers of any size. */
const slow = (text: string): string => {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) % 2n ** 64n;
  }
  return hash.toString(16).padStart(16, "0");
};

describe("fnv64", () => {
  it("has the published values", () => {
    expect(fnv64Hex("")).toBe("cbf29ce484222325");
    expect(fnv64Hex("a")).toBe("af63dc4c8601ec8c");
    expect(fnv64Hex("foobar")).toBe("85944171f73967e8");
  });

  it("follows its definition, beyond ASCII too", () => {
    for (const text of ["provider_17_00ff", "é", "日本", "\u{1f600} x", "z".repeat(300)]) {
      expect(fnv64Hex(text)).toBe(slow(text));
    }
  });
});
