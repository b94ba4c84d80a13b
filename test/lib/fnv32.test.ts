import { describe, expect, it } from "vitest";
import { fnv32 } from "../../src/lib/fnv32.ts";

describe("fnv32", () => {
  it("gives what its authors published", () => {
    expect(fnv32("")).toBe(0x811c9dc5);
    expect(fnv32("a")).toBe(0xe40c292c);
    expect(fnv32("foobar")).toBe(0xbf9cf968);
  });

  it("gives another hash under another seed", () => {
    expect(fnv32("foobar", 1)).not.toBe(fnv32("foobar"));
  });
});
