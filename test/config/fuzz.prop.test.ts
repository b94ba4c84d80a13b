import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDiagnostic } from "../../config/diagnostic.ts";
import { load } from "./support.ts";

const example = readFileSync(
  new URL("../../config/examples/several-chains.yml", import.meta.url),
  "utf8",
);

/** A text with one piece of it replaced. */
const mutated = fc
  .tuple(
    fc.nat(example.length),
    fc.nat(40),
    fc.oneof(
      fc.string(),
      fc.constantFrom(
        "\n",
        "\t",
        ": ",
        "- ",
        "{",
        "]",
        "&a",
        "*a",
        "${",
        "null",
        "~",
        "1e400",
        "\u0000",
      ),
    ),
  )
  .map(([at, length, piece]) => example.slice(0, at) + piece + example.slice(at + length));

describe("any text", () => {
  it("loads, or gives errors that each have a place, and never throws", () => {
    fc.assert(
      fc.property(
        fc.oneof(mutated, fc.string(), fc.string({ unit: "binary" }), fc.json()),
        (text) => {
          const result = load(text);
          if (result.ok) return;
          expect(result.errors.length).toBeGreaterThan(0);
          for (const error of result.errors) {
            expect(formatDiagnostic(error)).toMatch(
              /^paceline\.yaml:\d+:\d+: error CONFIG_[A-Z_]+: \S/,
            );
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
