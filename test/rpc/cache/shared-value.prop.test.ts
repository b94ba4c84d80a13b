import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keptError, keptResult } from "../../../src/rpc/cache/kept-answer.ts";
import { decodeShared, encodeShared } from "../../../src/rpc/cache/shared-value.ts";
import { hashOf } from "./support.ts";

const named = fc.option(
  fc.record({ number: fc.maxSafeNat(), hash: fc.nat().map((n) => hashOf(n)) }),
  { nil: undefined },
);
const answer = fc.oneof(
  fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.nat(300)).map(([bytes, at]) => {
    const body = Buffer.from(bytes);
    const id = Math.min(at, body.length);
    return keptResult(body, id, id);
  }),
  fc.constant(keptResult(Buffer.alloc(10_000, 0x61), 22, 31)),
  fc.string({ unit: "binary-ascii" }).map(keptError),
);

describe("an answer as other hosts read it", () => {
  it("comes back as it was", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii" }), answer, named, (key, one, block) => {
        const back = decodeShared(key, encodeShared(key, { answer: one, named: block }));
        expect(back).toEqual({ answer: one, named: block });
      }),
      { numRuns: 500 },
    );
  });

  it("is nothing when any byte of it is another one, or one is missing, or one too many", () => {
    fc.assert(
      fc.property(
        answer,
        named,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (one, block, at, by) => {
          const bytes = encodeShared("key", { answer: one, named: block });
          const changed = Buffer.from(bytes);
          const place = at % changed.length;
          changed[place] = (changed[place] as number) ^ by;
          expect(decodeShared("key", changed)).toBeUndefined();
          expect(decodeShared("key", bytes.subarray(0, place))).toBeUndefined();
          expect(decodeShared("key", Buffer.concat([bytes, Buffer.of(by)]))).toBeUndefined();
        },
      ),
      { numRuns: 500 },
    );
  });

  it("is nothing to another call", () => {
    const bytes = encodeShared("key", { answer: keptError("{}"), named: undefined });
    expect(decodeShared("key2", bytes)).toBeUndefined();
    expect(decodeShared("key", bytes)).toBeDefined();
  });

  it("is nothing when it is anything else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(decodeShared("key", Buffer.from(bytes))).toBeUndefined();
      }),
    );
  });
});
