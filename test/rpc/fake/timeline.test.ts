import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Timeline } from "../../../src/rpc/fake/timeline.ts";

const shape = (seed: number, reorgEpoch = 32) => ({
  seed,
  chainId: 31_001,
  blockTimeMs: 1_000,
  startMs: 1_700_000_000_000,
  reorgEpoch,
});

describe("the timeline of a fake chain", () => {
  it("is parent-linked at every head, with announced reorgs of one to three blocks", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 10_000, max: 1_000_000 }), (seed, from) => {
        const timeline = new Timeline(shape(seed));
        let tip = timeline.canonical(from, from);
        let reorgs = 0;
        for (let number = from + 1; number < from + 100; number++) {
          const { removed, added } = timeline.step(number);
          reorgs += removed.length > 0 ? 1 : 0;
          expect(removed.length).toBeLessThanOrEqual(3);
          for (const ref of removed) {
            expect(timeline.blockHash(ref)).toBe(timeline.blockHash(tip));
            tip = timeline.parent(ref) ?? ref;
          }
          for (const ref of added) {
            expect(timeline.parent(ref)).toEqual(tip);
            tip = ref;
          }
          expect(tip).toEqual(timeline.canonical(number, number));
        }
        expect(reorgs).toBeGreaterThan(0);
      }),
      { numRuns: 50 },
    );
  });

  it("has one reorganisation of any length where it is asked for, and is parent-linked around it", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 64 }), fc.nat(7), (seed, depth, at) => {
        const to = 10_090 + at;
        const timeline = new Timeline({ ...shape(seed, 8), deepReorg: { depth, to } });
        let tip = timeline.canonical(10_000, 10_000);
        for (let number = 10_001; number < 10_150; number++) {
          const { removed, added } = timeline.step(number);
          if (number === to + 1) expect(removed.length).toBe(depth);
          else expect(removed.length).toBeLessThanOrEqual(3);
          for (const ref of removed) tip = timeline.parent(ref) ?? ref;
          for (const ref of added) {
            expect(timeline.parent(ref)).toEqual(tip);
            expect(timeline.resolveBlock(timeline.blockHash(ref))).toEqual(ref);
            tip = ref;
          }
          expect(tip).toEqual(timeline.canonical(number, number));
        }
      }),
      { numRuns: 50 },
    );
  });

  it("agrees with the heads that were announced, for every head and height", () => {
    const timeline = new Timeline(shape(7));
    const chain = new Map<number, string>();
    for (let head = 10_000; head < 10_300; head++) {
      for (const ref of timeline.step(head).added) {
        chain.set(ref.number, timeline.blockHash(ref));
      }
      for (let n = Math.max(10_010, head - 8); n <= head; n++) {
        expect(timeline.blockHash(timeline.canonical(n, head))).toBe(chain.get(n));
      }
    }
  });

  it("resolves its own hashes without an index and no others", () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(2_000_000), fc.nat(3), (seed, number, index) => {
        const timeline = new Timeline(shape(seed));
        const hash = timeline.blockHash({ number, branch: 0 });
        expect(hash).toMatch(/^0x[0-9a-f]{64}$/u);
        expect(timeline.resolveBlock(hash)).toEqual({ number, branch: 0 });
        expect(timeline.resolveTransaction(hash)).toBeUndefined();
        const transaction = timeline.transactionHash(number, index);
        expect(timeline.resolveTransaction(transaction)).toEqual({ number, index });
        expect(new Timeline(shape(seed + 1)).resolveBlock(hash)).toBeUndefined();
      }),
    );
  });

  it("gives every block another hash, orphans included", () => {
    const timeline = new Timeline(shape(3));
    const hashes = new Set<string>();
    for (let number = 0; number < 20_000; number++) {
      hashes.add(timeline.blockHash({ number, branch: 0 }));
      hashes.add(timeline.blockHash({ number, branch: 1 }));
    }
    expect(hashes.size).toBe(40_000);
  });

  it("never reorganises when the epoch is 0", () => {
    const timeline = new Timeline(shape(5, 0));
    for (let n = 10_000; n < 10_500; n++) expect(timeline.step(n).removed).toEqual([]);
  });
});
