import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { legOrder } from "../../../src/rpc/integrity/leg-order.ts";
import { quorumTerms } from "../../../src/rpc/integrity/quorum-rules.ts";
import { QuorumTally, type QuorumPreference } from "../../../src/rpc/integrity/quorum-tally.ts";

const tally = (
  agree: number,
  votes: readonly string[],
  preference: QuorumPreference = "non_empty",
) => {
  const made = new QuorumTally(agree, preference);
  for (const [index, vote] of votes.entries()) made.add(`p${index}`, vote, vote === "null");
  return made;
};

describe("a vote", () => {
  it("is decided as soon as enough agree", () => {
    expect(tally(2, ["x", "x"]).verdict(1)).toMatchObject({
      kind: "agreed",
      group: { key: "x", providers: ["p0", "p1"] },
    });
    expect(tally(2, ["x", "y"]).verdict(1)).toEqual({ kind: "waiting" });
    expect(tally(2, ["x", "y"]).verdict(0)).toEqual({ kind: "short" });
  });

  it("lets an answer that says something beat empty ones", () => {
    expect(tally(2, ["null", "x", "x"]).verdict(0)).toMatchObject({ group: { key: "x" } });
    expect(tally(2, ["null", "null", "x"]).verdict(0)).toEqual({ kind: "short" });
    expect(tally(2, ["null", "null"]).verdict(1)).toEqual({ kind: "waiting" });
    expect(tally(2, ["null", "null"]).verdict(0)).toMatchObject({ group: { key: "null" } });
    expect(tally(2, ["null", "null"], "none").verdict(1)).toMatchObject({ kind: "agreed" });
  });

  it("holds nothing against an empty answer, and an invention against its maker", () => {
    const late = tally(2, ["null", "x", "x", "y"]);
    const { group } = late.verdict(0) as never as { group: never };
    expect(late.dissenters(group)).toEqual(["p3"]);
    const invented = tally(2, ["null", "null", "x"], "none");
    expect(invented.dissenters((invented.verdict(0) as never as { group: never }).group)).toEqual([
      "p2",
    ]);
  });

  it("never lets fewer than asked agree, whatever comes in which order", () => {
    const vote = fc.constantFrom("a", "b", "c", "null");
    fc.assert(
      fc.property(
        fc.array(vote, { maxLength: 7 }),
        fc.integer({ min: 1, max: 5 }),
        (all, agree) => {
          const made = tally(agree, all);
          const verdict = made.verdict(0);
          const counts = new Map<string, number>();
          for (const one of all) counts.set(one, (counts.get(one) ?? 0) + 1);
          const full = [...counts].filter(([key]) => key !== "null");
          const canWin = (full.length > 0 ? full : [...counts]).some(([, n]) => n >= agree);
          expect(verdict.kind).toBe(canWin ? "agreed" : "short");
          if (verdict.kind !== "agreed") return;
          expect(new Set(verdict.group.providers).size).toBeGreaterThanOrEqual(agree);
          expect(verdict.group.isEmpty && full.length > 0).toBe(false);
        },
      ),
    );
  });

  it("counts a provider once", () => {
    const made = new QuorumTally(2, "non_empty");
    made.add("a", "x", false);
    made.add("a", "x", false);
    expect(made.verdict(0).kind).toBe("short");
  });
});

describe("who is asked", () => {
  it("takes one of each vendor before the second of any", () => {
    const candidates = [
      { provider: "a1", vendor: "a" },
      { provider: "a2", vendor: "a" },
      { provider: "b1", vendor: "b" },
      { provider: "a1", vendor: "a" },
      { provider: "c", vendor: undefined },
      { provider: "a3", vendor: "a" },
      { provider: "b2", vendor: "b" },
    ];
    expect(legOrder(candidates)).toEqual(["a1", "b1", "c", "a2", "b2", "a3"]);
  });
});

describe("the rules of a chain", () => {
  const rules = [
    { methods: ["eth_getBalance"], agree: 3, of: 4, ignoreFields: [], prefer: "none" as const },
    { methods: ["eth_get*"], agree: 2, of: 3, ignoreFields: ["x"], prefer: "non_empty" as const },
  ];

  it("take the first that names the method, and the caller's figures over its own", () => {
    expect(quorumTerms(rules, "eth_getBalance", undefined)).toMatchObject({ agree: 3, of: 4 });
    expect(quorumTerms(rules, "eth_getCode", undefined)).toMatchObject({ agree: 2, of: 3 });
    expect(quorumTerms(rules, "eth_getCode", { agree: 1, of: 5 })).toMatchObject({
      agree: 1,
      of: 5,
      prefer: "non_empty",
    });
    expect(quorumTerms(rules, "eth_call", undefined)).toBe(undefined);
    expect(quorumTerms(undefined, "eth_call", { agree: 2, of: 2 })).toMatchObject({ agree: 2 });
  });

  it("leave out what honest nodes never agree on", () => {
    expect(quorumTerms(rules, "eth_gasPrice", { agree: 2, of: 3 })).toBe(undefined);
  });
});
