import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { paceScore, raceCredit, raceScore } from "../../../src/rpc/evidence/scores.ts";

describe("raceScore", () => {
  it("gives Livechain's figures", () => {
    const vectors = [
      [1, 0, 1, 0],
      [1, 0, 10, 1],
      [1, 0, 100, 2],
      [0.5, 100, 100, 0.5],
      [0.9, 20, 1_000, 2.25],
      [1, 0, 10_000, 4],
      [0, 0, 0, 0],
    ] as const;
    for (const [winRate, avgMarginMs, total, score] of vectors) {
      expect(raceScore(winRate, avgMarginMs, total)).toBeCloseTo(score, 10);
    }
  });
});

describe("paceScore", () => {
  it("gives the reference's figures", () => {
    const vectors = [
      [1, 1, 0.378],
      [1, 10, 0.859],
      [1, 100, 0.984],
      [0.5, 10, 0.312],
      [0.9, 50, 0.832],
    ] as const;
    for (const [p, n, score] of vectors) expect(paceScore(p, n)).toBeCloseTo(score, 3);
  });

  it("lies in [0, 1): one race does not give 0, ten thousand not 1", () => {
    expect(paceScore(1, 1)).toBeGreaterThan(0);
    expect(paceScore(1, 10_000)).toBeLessThan(1);
    const ratio = fc.double({ min: 0, max: 1, noNaN: true });
    const races = fc.double({ min: 0, max: 1e7, noNaN: true });
    fc.assert(
      fc.property(ratio, races, (p, n) => {
        const score = paceScore(p, n);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThan(1);
      }),
    );
  });

  it("grows with the ratio and with the number of races", () => {
    const ratio = fc.integer({ min: 1, max: 99 });
    fc.assert(
      fc.property(ratio, fc.integer({ min: 1, max: 10_000 }), (percent, n) => {
        expect(paceScore((percent + 1) / 100, n)).toBeGreaterThan(paceScore(percent / 100, n));
        expect(paceScore(percent / 100, n * 2)).toBeGreaterThan(paceScore(percent / 100, n));
      }),
    );
  });
});

describe("raceCredit", () => {
  it("is 1 for no margin and halves at 100 ms", () => {
    expect([raceCredit(0), raceCredit(100), raceCredit(300)]).toEqual([1, 0.5, 0.25]);
  });
});
