import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlockTime } from "../../../src/rpc/head/block-time.ts";
import { HeadTruth, pollIntervalMs } from "../../../src/rpc/head/head-truth.ts";

const truth = (blockTimeMs = 1_000) => {
  const heads = new HeadTruth({ blockTimeMs });
  return {
    heads,
    say: (provider: string, number: number, atMs: number, hash = `h${number}`) =>
      heads.report({ provider, number, hash, atMs, source: "ws" }),
    tip: () => heads.head?.number,
  };
};

describe("the served tip", () => {
  it("is unknown before the first report, then the only report there is", () => {
    const { say, tip } = truth();
    expect(tip()).toBeUndefined();
    say("a", 10, 0);
    expect(tip()).toBe(10);
  });

  it("is the second-highest of the largest cluster: one provider alone does not move it", () => {
    const { say, tip } = truth();
    say("a", 10, 0);
    say("b", 10, 0);
    say("c", 10, 0);
    expect(say("a", 11, 1_000).hasMoved).toBe(false);
    expect(tip()).toBe(10);
    expect(say("b", 11, 1_010).hasMoved).toBe(true);
    expect(tip()).toBe(11);
  });

  it("is not moved by a provider ten thousand blocks ahead, first or last to speak", () => {
    const late = truth();
    for (const provider of ["a", "b"]) late.say(provider, 10, 0);
    expect(late.say("liar", 10_010, 100).isTooFast).toBe(true);
    expect(late.tip()).toBe(10);
    late.say("a", 11, 1_000);
    late.say("b", 11, 1_000);
    expect(late.tip()).toBe(11);
  });

  it("follows a chain that did jump, once most of several say so", () => {
    const { say, tip } = truth(12_000);
    for (const provider of ["a", "b", "c"]) say(provider, 10, 0);
    expect(say("a", 310, 100).isTooFast).toBe(true);
    expect(tip()).toBe(10);
    say("b", 310, 110);
    expect(tip()).toBe(310);
    const alone = truth(12_000);
    alone.say("a", 10, 0);
    alone.say("a", 310, 100);
    expect(alone.tip()).toBe(310);
  });

  it("leaves out laggards and stale reports", () => {
    const { say, tip } = truth();
    say("a", 100, 0);
    say("b", 100, 0);
    say("old", 50, 0);
    expect(tip()).toBe(100);
    say("a", 130, 31_000);
    say("old", 131, 31_000);
    expect(tip()).toBe(130);
  });

  it("never falls for a laggard, nor for one provider on another branch", () => {
    const { say, tip } = truth();
    for (const n of [10, 11, 12]) for (const p of ["a", "b", "c"]) say(p, n, n * 1_000);
    for (let i = 0; i < 5; i++) say("c", 11, 13_000 + i, "other");
    expect(tip()).toBe(12);
    for (let i = 0; i < 5; i++) say("b", 11, 14_000 + i, "h11");
    expect(tip()).toBe(12);
  });

  it("falls when most fresh providers report another branch three times running", () => {
    const { say, tip } = truth();
    for (const n of [10, 11, 12]) for (const p of ["a", "b", "c"]) say(p, n, n * 1_000);
    say("a", 11, 13_000, "x11");
    say("b", 11, 13_010, "x11");
    say("c", 11, 13_020, "x11");
    expect(tip()).toBe(12);
    expect(say("a", 11, 13_030, "x11")).toMatchObject({ hasMoved: true, isRollback: true });
    expect(tip()).toBe(11);
  });

  it("refuses a fall of more than 1,024 blocks until an operator resets it", () => {
    const { heads, say, tip } = truth();
    for (const p of ["a", "b"]) say(p, 5_000, 0);
    let isRefused = false;
    for (let i = 0; i < 6; i++) {
      for (const p of ["a", "b"]) isRefused = say(p, 100, 1_000 + i, "x").isRefused || isRefused;
    }
    expect(isRefused).toBe(true);
    expect(tip()).toBe(5_000);
    heads.reset();
    say("a", 100, 2_000, "x");
    expect(tip()).toBe(100);
  });

  it("takes the new hash when a block of the same height replaces it", () => {
    const { heads, say } = truth();
    for (const p of ["a", "b"]) say(p, 10, 0);
    for (const p of ["a", "b"]) say(p, 10, 100, "x10");
    expect(heads.head?.hash).toBe("x10");
  });

  it("is monotonic whatever one liar among three says", () => {
    const lies = fc.array(fc.record({ number: fc.nat(1e6), hash: fc.constantFrom("l1", "l2") }));
    fc.assert(
      fc.property(lies, (told) => {
        const { say, tip } = truth();
        let honest = 1_000;
        for (const p of ["a", "b"]) say(p, honest, 0);
        for (const [i, { number, hash }] of told.entries()) {
          say("liar", number, i * 1_000 + 500, hash);
          honest++;
          for (const p of ["a", "b"]) say(p, honest, i * 1_000 + 1_000);
          expect(tip()).toBeGreaterThanOrEqual(honest - 1);
          expect(tip()).toBeLessThanOrEqual(honest + 2);
        }
      }),
    );
  });
});

describe("lag", () => {
  it("is unknown, not 0, for a provider that never reported", () => {
    const { heads, say } = truth();
    say("a", 10, 0);
    expect(heads.lag("b", 0)).toBeUndefined();
  });

  it("gives credit for the blocks a provider has probably made since, at most 30 s of them", () => {
    const { heads, say } = truth();
    say("slow", 60, 0);
    for (const p of ["a", "b"]) say(p, 100, 0);
    expect(heads.lag("slow", 0)).toEqual({ raw: 40, optimistic: 40 });
    expect(heads.lag("slow", 5_500)).toEqual({ raw: 40, optimistic: 35 });
    expect(heads.lag("slow", 90_000)).toEqual({ raw: 40, optimistic: 10 });
    expect(heads.lag("a", 9_000)?.optimistic).toBe(0);
  });

  it("calls newHeads stale after three block times, at least 10 s", () => {
    const { heads, say } = truth();
    expect(heads.isStale("a", 0)).toBe(true);
    say("a", 1, 0);
    expect([heads.isStale("a", 10_000), heads.isStale("a", 10_001)]).toEqual([false, true]);
    const slow = truth(12_000);
    slow.say("a", 1, 0);
    expect(slow.heads.isStale("a", 36_000)).toBe(false);
  });
});

describe("the block time", () => {
  it("is learned from three samples on, and drops absurd ones", () => {
    const blockTime = new BlockTime(12_000);
    blockTime.advance(1, 1_000);
    blockTime.advance(2, 2_000);
    blockTime.advance(1_000, 1);
    blockTime.advance(1, 500_000);
    expect(blockTime.ms).toBe(12_000);
    blockTime.advance(1, 2_000);
    expect(blockTime.ms).toBeCloseTo(1_100);
  });

  it("sets the pace of polling within 2 s and 30 s", () => {
    expect([250, 12_000, 600_000].map(pollIntervalMs)).toEqual([2_000, 12_000, 30_000]);
  });
});
