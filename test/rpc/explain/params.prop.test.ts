/** What an operator sees of parameters: never a raw transaction, a key, or a client's own words. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { outlineParams } from "../../../src/rpc/explain/params.ts";

const outlined = (params: unknown, kind: "state" | "write" = "state") => {
  const body = Buffer.from(JSON.stringify(params));
  return outlineParams(body, 0, body.length, kind);
};

describe("parameters in the slow log", () => {
  it("keep their shape, numbers and tags; data is cut and text is counted", () => {
    const data = `0xa9059cbb${"0".repeat(120)}`;
    expect(
      outlined([{ to: `0x${"ab".repeat(20)}`, data, odd: "x" }, "latest", "0x10d4f"]),
    ).toMatchObject({
      outline: "[{to:0xabababab…(20),data:0xa9059cbb…(64),?:text(1)},latest,0x10d4f]",
    });
    expect(outlined(["hello", 5, 1e30, true, null])?.outline).toBe("[text(5),5,number,true,null]");
    expect(outlined([1, 2, 3, 4, 5, 6, 7, 8])?.outline).toBe("[1,2,3,4,5,6,…2 more]");
  });

  it("of a write are a size and a hash", () => {
    const raw = outlined([`0x${"f8".repeat(100)}`], "write");
    expect(raw).toMatchObject({ bytes: 206, outline: null });
    expect(raw?.hash).toMatch(/^[0-9a-f]{14}$/);
    expect(outlined([`0x${"f9".repeat(100)}`], "write")?.hash).not.toBe(raw?.hash);
  });

  it("are not looked at beyond 4 KB, nor when they are missing", () => {
    expect(outlined(["x".repeat(5000)])).toMatchObject({ bytes: 5004, outline: null });
    expect(outlineParams(Buffer.from("{}"), -1, -1, "state")).toBeUndefined();
  });

  it("never show more than 8 digits of long hex, nor any other text, wherever they stand", () => {
    const key = fc.string({
      unit: fc.constantFrom(...Array.from("0123456789abcdef")),
      minLength: 17,
      maxLength: 64,
    });
    const word = fc.stringMatching(/^CANARY[a-zA-Z0-9]{0,20}$/);
    const leaf = fc.oneof(
      key.map((hex) => `0x${hex}`),
      word,
      fc.integer(),
      fc.boolean(),
    );
    const tree = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie("any"), { maxLength: 5 }),
        fc.dictionary(word, tie("any"), { maxKeys: 4 }),
      ),
    })).any;
    fc.assert(
      fc.property(fc.array(tree, { maxLength: 4 }), (params) => {
        const outline = outlined(params)?.outline ?? "";
        expect(outline).not.toContain("CANARY");
        expect(outline).not.toMatch(/0x[0-9a-f]{17}/);
        expect(outline.length).toBeLessThanOrEqual(240);
      }),
      { numRuns: 500 },
    );
  });
});
