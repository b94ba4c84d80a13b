import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NameGlobs } from "../../src/lib/name-globs.ts";

describe("globs of names", () => {
  it.each<[string, string, boolean]>([
    ["eth_call", "eth_call", true],
    ["eth_call", "eth_callMany", false],
    ["debug_*", "debug_traceCall", true],
    ["debug_*", "xdebug_traceCall", false],
    ["*_sign*", "eth_signTypedData", true],
    ["*_sign*", "personal_sign", true],
    ["*_sign*", "eth_call", false],
    ["eth_*Filter", "eth_newFilter", true],
    ["eth_*Filter", "eth_getFilterLogs", false],
    ["a*a", "a", false],
    ["*a*b*", "ba", false],
    ["*", "anything", true],
  ])("%s and %s: %s", (glob, name, expected) => {
    const globs = new NameGlobs([glob]);
    expect(globs.has(name)).toBe(expected);
    // From memory.
    expect(globs.has(name)).toBe(expected);
  });

  it("match what the same regular expressions match", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "_", "*"), maxLength: 8 });
    const name = fc.string({ unit: fc.constantFrom("a", "b", "_"), maxLength: 10 });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 3 }), name, (patterns, method) => {
        const expected = patterns.some((pattern) =>
          new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(method),
        );
        expect(new NameGlobs(patterns).has(method)).toBe(expected);
      }),
    );
  });

  it("stay right when clients invent more names than are remembered", () => {
    const globs = new NameGlobs(["debug_*"]);
    for (let n = 0; n < 5000; n++) expect(globs.has(`x_${n}`)).toBe(false);
    expect(globs.has("debug_x")).toBe(true);
  });
});
