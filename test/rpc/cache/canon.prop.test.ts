import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Canon } from "../../../src/rpc/cache/canon.ts";

interface Raised {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
}

/** Blocks of a small tree, in any order: reorgs, gaps, repeats and jumps. */
const raises = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 2 })), {
    maxLength: 60,
  })
  .map((blocks) =>
    blocks.map(([number, fork]): Raised => {
      // Forks branch off at height 5 and 9.
      const name = (at: number): string => `${at}${at > 9 ? fork : at > 5 ? fork % 2 : 0}`;
      return { number, hash: name(number), parentHash: name(number - 1) };
    }),
  );

describe("the canonical blocks of a chain", () => {
  it("are one unbroken branch, and whatever leaves it is told once", () => {
    fc.assert(
      fc.property(raises, (blocks) => {
        const canon = new Canon();
        const parents = new Map<string, string>();
        const standing = new Set<string>();
        canon.onOrphaned = (hashes) => {
          for (const hash of hashes) {
            expect(standing.delete(hash)).toBe(true);
            expect(canon.numberOf(hash)).toBeUndefined();
          }
        };
        for (const { number, hash, parentHash } of blocks) {
          parents.set(hash, parentHash);
          const before = canon.tip;
          canon.raise(number, hash, parentHash);
          if (before >= number && canon.tip !== number) continue; // a repeat below the tip
          standing.add(hash);
          if (number > 0) standing.add(parentHash);
          expect(canon.at(number)).toBe(hash);
          const seen = new Set<string>();
          for (let at = canon.tip; at >= 0; at--) {
            const one = canon.at(at);
            if (one === undefined) break;
            seen.add(one);
            expect(canon.numberOf(one)).toBe(at);
            const parent = parents.get(one);
            const below = canon.at(at - 1);
            if (below !== undefined && parent !== undefined) expect(below).toBe(parent);
          }
          expect(seen).toEqual(standing);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("tells of both branches' blocks when the chain goes there and back", () => {
    const canon = new Canon();
    const told: string[][] = [];
    canon.onOrphaned = (hashes) => told.push([...hashes]);
    canon.raise(1, "a1", "a0");
    canon.raise(2, "a2", "a1");
    canon.raise(2, "b2", "a1");
    canon.raise(3, "b3", "b2");
    canon.raise(2, "a2", "a1");
    expect(told).toEqual([["a2"], ["b3", "b2"]]);
    expect([canon.at(1), canon.at(2), canon.at(3)]).toEqual(["a1", "a2", undefined]);
  });

  it("counts what stood below a block that does not fit as replaced", () => {
    const canon = new Canon();
    const told: string[][] = [];
    canon.onOrphaned = (hashes) => told.push([...hashes]);
    canon.raise(1, "a1", "a0");
    canon.raise(2, "a2", "a1");
    canon.raise(3, "b3", "b2");
    expect(told).toEqual([["a2", "a1", "a0"]]);
    expect([canon.at(1), canon.at(2), canon.at(3)]).toEqual([undefined, "b2", "b3"]);
    canon.raise(9, "b9", "b8");
    expect(canon.at(3)).toBeUndefined();
    expect(canon.at(8)).toBe("b8");
  });

  it("forgets heights that are too old without calling them replaced", () => {
    const canon = new Canon();
    canon.onOrphaned = () => expect.unreachable();
    for (let number = 1; number <= 3_000; number++) {
      canon.raise(number, `h${number}`, `h${number - 1}`);
    }
    expect(canon.at(3_000)).toBe("h3000");
    expect(canon.at(3_000 - 1_023)).toBe("h1977");
    expect(canon.at(3_000 - 1_024)).toBeUndefined();
    expect(canon.numberOf("h1976")).toBeUndefined();
  });
});
