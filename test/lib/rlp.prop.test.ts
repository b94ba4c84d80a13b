import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rlp, rlpSpan, rlpSpans, type RlpItem } from "../../src/lib/rlp.ts";

const anyItem = fc.letrec<{ item: RlpItem }>((tie) => ({
  item: fc.oneof(
    { depthSize: "small", maxDepth: 4 },
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie("item"), { maxLength: 12 }),
  ),
})).item;

/** Reads back what was encoded. */
const decoded = (bytes: Buffer, at: number): RlpItem => {
  const span = rlpSpan(bytes, at);
  if (span === undefined) throw new Error(`no item at ${at}`);
  if (!span.isList) return Uint8Array.from(bytes.subarray(span.start, span.end));
  const spans = rlpSpans(bytes, span, 12);
  if (spans === undefined) throw new Error(`no list at ${at}`);
  return spans.map((inner) => decoded(bytes, inner.at));
};

describe("RLP", () => {
  it("is read as it was written, and ends where it ends", () => {
    fc.assert(
      fc.property(anyItem, (item) => {
        const bytes = rlp(item);
        expect(rlpSpan(bytes, 0)?.end).toBe(bytes.length);
        expect(decoded(bytes, 0)).toEqual(item);
      }),
    );
  });

  it("that is cut anywhere is no item", () => {
    fc.assert(
      fc.property(anyItem, fc.nat(), (item, cut) => {
        const bytes = rlp(item);
        expect(rlpSpan(bytes.subarray(0, cut % bytes.length), 0)).toBeUndefined();
      }),
    );
  });

  it("of a list with more items than allowed is not read", () => {
    const bytes = rlp([Buffer.of(1), Buffer.of(2)]);
    const list = rlpSpan(bytes, 0);
    if (list === undefined) throw new Error("no list");
    expect(rlpSpans(bytes, list, 2)).toHaveLength(2);
    expect(rlpSpans(bytes, list, 1)).toBeUndefined();
  });
});
