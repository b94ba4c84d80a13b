import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  canonicalNumber,
  canonicalText,
  ignoredFields,
  NOTHING_IGNORED,
} from "../../../src/rpc/integrity/canonical.ts";

const textOf = (json: string, ...ignored: readonly string[]): string | undefined => {
  const bytes = Buffer.from(json);
  return canonicalText(bytes, 0, bytes.length, ignoredFields(ignored));
};

/** The same value with its members in another order and its hex in another case. */
const respelled = (value: unknown, flip: boolean): unknown => {
  if (typeof value === "string" && /^0x[0-9a-f]*$/.test(value) && flip) {
    return `0x${value.slice(2).toUpperCase()}`;
  }
  if (Array.isArray(value)) return value.map((item) => respelled(item, !flip));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, respelled(item, !flip)]);
  return Object.fromEntries(entries.reverse());
};

const answers = fc.jsonValue({ maxDepth: 4 });
const hexed = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    fc.stringMatching(/^0x[0-9a-f]{0,8}$/),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.string(),
    fc.array(tie("any"), { maxLength: 4 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), tie("any"), { maxKeys: 4 }),
  ),
})).any;

describe("the canonical text of an answer", () => {
  it("is the same however the value is spelled", () => {
    fc.assert(
      fc.property(hexed, (value) => {
        const plain = JSON.stringify(value);
        const other = JSON.stringify(respelled(value, true), null, 2);
        expect(textOf(other)).toBe(textOf(plain));
      }),
    );
  });

  it("differs where the values differ", () => {
    fc.assert(
      fc.property(answers, answers, (a, b) => {
        const isSame = JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
        expect(textOf(JSON.stringify(a)) === textOf(JSON.stringify(b))).toBe(isSame);
      }),
    );
  });

  it("keeps every digit of a number", () => {
    expect(textOf("9007199254740993")).not.toBe(textOf("9007199254740992"));
    expect(textOf("1e400")).not.toBe(textOf("2e400"));
    expect(["10", "1e1", "10.0", "0.1E2"].map(canonicalNumber)).toEqual(Array(4).fill("1e1"));
    expect(["0", "-0", "0.00", "0e9"].map(canonicalNumber)).toEqual(Array(4).fill("0"));
    expect(canonicalNumber("-1.50")).toBe("-15e-1");
  });

  it("reads escapes as what they stand for", () => {
    expect(textOf('{"\\u0061":"\\u0062/"}')).toBe(textOf('{"a":"b\\/"}'));
  });

  it("leaves out ignored names everywhere, and paths where they lead", () => {
    const json = '{"a":1,"logs":[{"a":2,"b":3},{"b":4}]}';
    expect(textOf(json, "a")).toBe(textOf('{"logs":[{"b":3},{"b":4}]}'));
    expect(textOf(json, "logs.b")).toBe(textOf('{"a":1,"logs":[{"a":2},{}]}'));
  });

  it("is nothing for what is not JSON, cut or deeper than 64 levels", () => {
    const bad = ["", "{", '{"a"', '{"a":}', "[1,]", '"x', "nul", "{1:2}", "[".repeat(70), "-"];
    for (const text of bad) expect(textOf(text), text).toBe(undefined);
    const bytes = Buffer.from("[1,2]");
    expect(canonicalText(bytes, 0, 4, NOTHING_IGNORED)).toBe(undefined);
  });
});

const sorted = (value: unknown): unknown => {
  if (Object.is(value, -0)) return 0;
  if (typeof value === "string" && /^0x[0-9a-f]*$/i.test(value)) return value.toLowerCase();
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, sorted(item)] as const);
  return { members: entries.sort(([a], [b]) => (a < b ? -1 : 1)) };
};
