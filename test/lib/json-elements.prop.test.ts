import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beginsList, JsonElements } from "../../src/lib/json-elements.ts";

/** All elements, a slice of so many bytes at a time, or the fault. */
const read = (bytes: Buffer, sliceBytes: number, maxElementBytes = 1_000_000) => {
  const reader = new JsonElements(bytes, maxElementBytes);
  const all: unknown[] = [];
  for (;;) {
    const slice = reader.next(sliceBytes);
    if (!slice.ok) return slice.fault;
    all.push(...slice.elements);
    if (slice.isLast) return all;
  }
};

describe("the elements of a JSON array", () => {
  it("are those that JSON.parse finds, however they are sliced and spaced (property)", () => {
    const spaced = fc.constantFrom(0, 1, "\t");
    const slice = fc.integer({ min: 1, max: 200 });
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), spaced, slice, (list, indent, sliceBytes) => {
        const text = JSON.stringify(list, null, indent);
        expect(read(Buffer.from(` \n${text}\r\n `), sliceBytes)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("are refused exactly when JSON.parse refuses the text (property)", () => {
    const noise = fc.constantFrom("[", "]", "{", "}", ",", '"', "\\", "1", "tru", " ", "a:");
    const cut = fc.tuple(fc.array(fc.jsonValue()), fc.nat(200), noise);
    fc.assert(
      fc.property(cut, fc.integer({ min: 1, max: 50 }), ([list, at, inserted], sliceBytes) => {
        const text = JSON.stringify(list);
        const place = 1 + (at % text.length);
        const spoilt = `${text.slice(0, place)}${inserted}${text.slice(place)}`;
        let parsed: unknown;
        try {
          parsed = JSON.parse(spoilt);
        } catch {
          parsed = undefined;
        }
        const found = read(Buffer.from(spoilt), sliceBytes);
        if (parsed === undefined) expect(found).toHaveProperty("message");
        else expect(found).toEqual(parsed);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["[1,2,oops]", 2, /no JSON/],
    ["[1,,2]", 1, /missing/],
    ["[1,]", 1, /missing/],
    ["[1", 1, /no end/],
    ['[{"a":[1,2]', 0, /no end/],
    ["[1] 2", 1, /behind the end/],
    ['["a"}', 0, /no end/],
  ])("of %s are wrong at %s", (text, index, message) => {
    expect(read(Buffer.from(text), 1)).toEqual({
      index: expect.any(Number),
      message: expect.stringMatching(message),
    });
    expect((read(Buffer.from(text), 1_000) as { index: number }).index).toBeGreaterThanOrEqual(
      index - 1,
    );
  });

  it("are refused when one is larger than is read at once", () => {
    const text = JSON.stringify(["short", "x".repeat(200)]);
    expect(read(Buffer.from(text), 10, 100)).toEqual({
      index: 1,
      message: "larger than 100 bytes",
    });
  });

  it("are only looked for where a list begins", () => {
    expect(beginsList(Buffer.from(" \n["))).toBe(true);
    for (const text of ["{}", "", "  ", '"["']) expect(beginsList(Buffer.from(text))).toBe(false);
  });
});
