import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { HeadTruth } from "../../../src/rpc/head/head-truth.ts";

const truth = () => {
  const heads = new HeadTruth({ blockTimeMs: 12_000 });
  const say = (provider: string, number: number, atMs: number) =>
    heads.report({ provider, number, hash: `h${number}`, atMs, source: "ws" });
  return { heads, say };
};

describe("one provider with a wrong head (erpc#998, erpc#1129)", () => {
  it("evicts nobody, when it speaks first", () => {
    const { heads, say } = truth();
    say("liar", 10_100, 0);
    say("a", 100, 10);
    expect(say("b", 100, 20)).toMatchObject({ hasMoved: true, isRefused: false });
    expect(heads.head?.number).toBe(100);
    expect(["a", "b"].map((one) => heads.lag(one, 20)?.optimistic)).toEqual([0, 0]);
    say("liar", 10_101, 12_000);
    for (const one of ["a", "b"]) say(one, 101, 12_010);
    expect(heads.head?.number).toBe(101);
  });

  it("evicts nobody and moves nothing, when it speaks later", () => {
    const { heads, say } = truth();
    for (const one of ["a", "b", "liar"]) say(one, 100, 0);
    expect(say("liar", 10_100, 10).isTooFast).toBe(true);
    expect(heads.head?.number).toBe(100);
    expect(["a", "b"].map((one) => heads.lag(one, 20)?.raw)).toEqual([0, 0]);
  });

  it("holds the chain up for nobody when it is far behind or silent", () => {
    const { heads, say } = truth();
    say("old", 1, 0);
    for (let n = 100; n < 110; n++) for (const one of ["a", "b"]) say(one, n, (n - 99) * 12_000);
    expect(heads.head?.number).toBe(109);
    expect(heads.lag("silent", 0)).toBeUndefined();
  });

  it("never decides the tip among three, in whatever order they speak first", () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(["liar", "a", "b"], { minLength: 3 }),
        fc.integer({ min: 200, max: 1e9 }),
        (order, lie) => {
          const { heads, say } = truth();
          for (const [i, one] of order.entries()) say(one, one === "liar" ? lie : 100, i);
          expect(heads.head?.number).toBe(100);
        },
      ),
    );
  });

  it("does not let a tip that two have confirmed be voted down without another branch", () => {
    const { heads, say } = truth();
    for (const one of ["a", "b"]) say(one, 100, 0);
    for (const one of ["c", "d", "e"]) say(one, 60, 10);
    expect(heads.head?.number).toBe(100);
  });
});
