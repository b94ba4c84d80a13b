import { describe, expect, it } from "vitest";
import { UnmatchedErrors } from "../../../src/rpc/errors/unmatched.ts";

describe("errors that no rule knows", () => {
  it("are counted by their words, whatever numbers and hashes they carry", () => {
    const errors = new UnmatchedErrors();
    errors.note(-32000, "moon 12 is full at 0xAbc", "a", "eth_call");
    errors.note(-32000, "moon 7 is full at 0xdef01", "b", "eth_getCode");
    errors.note(-32001, "moon 7 is full at 0xdef01", "b", "eth_getCode");
    expect(errors.most()).toEqual([
      {
        code: -32000,
        text: "moon # is full at #",
        count: 2,
        provider: "b",
        method: "eth_getCode",
      },
      {
        code: -32001,
        text: "moon # is full at #",
        count: 1,
        provider: "b",
        method: "eth_getCode",
      },
    ]);
  });

  it("are kept in a bounded number, the rarest give way", () => {
    const errors = new UnmatchedErrors();
    const word = (n: number): string => String.fromCharCode(97 + (n % 26), 97 + Math.floor(n / 26));
    for (let twice = 0; twice < 2; twice++) errors.note(1, "often", "a", "eth_call");
    for (let n = 0; n < 500; n++) errors.note(1, `once ${word(n)}`, "a", "eth_call");
    expect(errors.most()).toHaveLength(64);
    expect(errors.most()[0]).toMatchObject({ text: "often", count: 2 });
  });

  it("do not grow with the message", () => {
    const errors = new UnmatchedErrors();
    errors.note(1, "x y ".repeat(10_000), "a", "eth_call");
    expect(errors.most()[0]?.text.length).toBe(160);
  });
});
