import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ErrorClass } from "../../../src/rpc/errors/classes.ts";
import { DECISIONS, isRelayed } from "../../../src/rpc/errors/decisions.ts";
import { mostInformative } from "../../../src/rpc/errors/most-informative.ts";

const failed = (errorClass: ErrorClass, provider: string, code = -32000, message = "m") => ({
  errorClass,
  provider,
  error: { code, message },
});

describe("the most informative of several errors", () => {
  it("is ordered unmatched, capability, block, server", () => {
    const order = ["unmatched", "capability", "block_unavailable", "server"] as const;
    for (const [index, first] of order.entries()) {
      for (const second of order.slice(index + 1)) {
        expect(mostInformative([failed(second, "a"), failed(first, "b")])?.errorClass).toBe(first);
      }
    }
  });

  it("is of the class seen most often among equals, then of the provider whose id comes first", () => {
    const most = mostInformative([
      failed("node_syncing", "a"),
      failed("block_unavailable", "c"),
      failed("block_unavailable", "b"),
    ]);
    expect(most).toMatchObject({ errorClass: "block_unavailable", provider: "b" });
  });

  it("is never our own trouble with a provider, nor an attempt without an error", () => {
    for (const errorClass of Object.keys(DECISIONS) as ErrorClass[]) {
      const chosen = mostInformative([failed(errorClass, "a")]);
      expect(chosen === undefined, errorClass).toBe(!isRelayed(errorClass));
    }
    expect(
      mostInformative([{ errorClass: "server", provider: "a", error: undefined }]),
    ).toBeUndefined();
  });

  it("is the same in whatever order the attempts ended", () => {
    const attempt = fc.record({
      errorClass: fc.constantFrom(...(Object.keys(DECISIONS) as ErrorClass[])),
      provider: fc.constantFrom("a", "b", "c"),
      error: fc.option(
        fc.record({ code: fc.constantFrom(-32000, 3), message: fc.constantFrom("x", "y") }),
        { nil: undefined },
      ),
    });
    fc.assert(
      fc.property(
        fc
          .array(attempt, { maxLength: 5 })
          .chain((attempts) =>
            fc.tuple(
              fc.constant(attempts),
              fc.shuffledSubarray(attempts, { minLength: attempts.length }),
            ),
          ),
        ([attempts, shuffled]) => {
          expect(mostInformative(shuffled)).toEqual(mostInformative(attempts));
        },
      ),
    );
  });
});
