import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fullJitterMs } from "../../src/lib/backoff.ts";
import { DecayClock } from "../../src/lib/decay-clock.ts";
import { LatencySketch, latencyBucket } from "../../src/lib/latency-sketch.ts";
import { median } from "../../src/lib/median.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { wilsonLowerBound } from "../../src/lib/wilson.ts";

describe("a decay clock", () => {
  it("counts half what was counted one half-life ago", () => {
    const clock = new DecayClock(1_000);
    let counted = 0;
    counted += clock.weightAt(0);
    counted += clock.weightAt(1_000);
    expect(counted * clock.scaleAt(1_000)).toBeCloseTo(1.5);
    expect(counted * clock.scaleAt(3_000)).toBeCloseTo(0.375);
  });

  it("agrees with decay step by step, through every rescale", () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 400_000 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(gaps, (list) => {
        const halfLifeMs = 1_000;
        const clock = new DecayClock(halfLifeMs);
        let counted = 0;
        let exact = 0;
        let nowMs = 0;
        for (const gapMs of list) {
          nowMs += gapMs;
          const factor = clock.rescale(nowMs);
          if (factor !== 0) counted *= factor;
          counted += clock.weightAt(nowMs);
          exact = exact * 2 ** (-gapMs / halfLifeMs) + 1;
          expect(Number.isFinite(counted)).toBe(true);
          expect(counted * clock.scaleAt(nowMs)).toBeCloseTo(exact, 2);
        }
      }),
    );
  });
});

describe("a latency sketch", () => {
  const add = (sketch: LatencySketch, durationMs: number, nowMs: number): void =>
    sketch.add(durationMs, latencyBucket(durationMs), nowMs);

  it("has quantiles within 5 % between 1 ms and 120 s", () => {
    const durations = fc.array(fc.double({ min: 1, max: 120_000, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(durations, fc.double({ min: 0, max: 1, noNaN: true }), (list, q) => {
        const sketch = new LatencySketch();
        for (const durationMs of list) add(sketch, durationMs, 0);
        const sorted = list.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(q * list.length)) - 1] ?? 0;
        const found = sketch.quantileMs(q, 0) ?? 0;
        if (exact > 1) expect(Math.abs(found / exact - 1)).toBeLessThan(0.0501);
        else expect(found).toBe(0.5);
      }),
    );
  });

  it("forgets in slices of 30 s what is older than five minutes", () => {
    const sketch = new LatencySketch();
    for (let minute = 0; minute < 20; minute++) {
      add(sketch, 10 + minute, minute * 60_000);
      expect(sketch.count(minute * 60_000)).toBe(Math.min(minute + 1, 5));
    }
    expect(sketch.meanMs(19 * 60_000)).toBeCloseTo(27);
    expect(sketch.count(60 * 60_000)).toBe(0);
    expect(sketch.quantileMs(0.5, 60 * 60_000)).toBeUndefined();
  });

  it("takes durations beyond its range, or that are none, into its outer buckets", () => {
    const sketch = new LatencySketch();
    for (const odd of [0, -5, Number.NaN]) add(sketch, odd, 0);
    expect(sketch.quantileMs(1, 0)).toBe(0.5);
    add(sketch, 1e12, 0);
    expect(sketch.quantileMs(1, 0)).toBeGreaterThan(115_000);
  });

  it("gives its buckets away and takes them back", () => {
    const sketch = new LatencySketch();
    for (let i = 0; i < 100; i++) add(sketch, 1 + i, 0);
    const copy = new LatencySketch();
    copy.addPairs(sketch.toPairs(0), 7);
    for (const q of [0.1, 0.5, 0.99]) {
      expect(copy.quantileMs(q, 7)).toBe(sketch.quantileMs(q, 0));
    }
    copy.addPairs(
      [
        [9_999, 5],
        [3, -1],
        [3, 0.5],
      ],
      7,
    );
    expect(copy.count(7)).toBe(100);
  });
});

describe("a Wilson bound", () => {
  it("is 0 without samples and below the ratio with them", () => {
    expect(wilsonLowerBound(1, 0)).toBe(0);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 1, max: 1e6 }),
        (percent, n) => {
          const bound = wilsonLowerBound(percent / 100, n);
          expect(bound).toBeGreaterThanOrEqual(0);
          expect(bound).toBeLessThanOrEqual(percent / 100);
        },
      ),
    );
  });
});

describe("full jitter", () => {
  it("spreads from nothing to the doubled base, and never beyond the cap", () => {
    const bounds = { baseMs: 250, capMs: 30_000 };
    expect(fullJitterMs(bounds, 0, 0)).toBe(0);
    expect(fullJitterMs(bounds, 2, 0.5)).toBe(500);
    expect(fullJitterMs(bounds, 1_000, 0.999)).toBeCloseTo(29_970);
  });
});

describe("a seeded generator", () => {
  it("repeats itself for a seed and is uniform in [0, 1)", () => {
    const take = (seed: number): number[] => {
      const random = seededRandom(seed);
      return Array.from({ length: 10_000 }, () => random());
    };
    expect(take(42)).toEqual(take(42));
    expect(take(1)).not.toEqual(take(2));
    const values = take(7);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    for (let tenth = 0; tenth < 10; tenth++) {
      const share = values.filter((value) => Math.floor(value * 10) === tenth).length;
      expect(Math.abs(share - 1_000)).toBeLessThan(150);
    }
  });
});

describe("a median", () => {
  it("is the middle, or the mean of the two middle ones", () => {
    expect([median([]), median([3]), median([9, 1, 5]), median([4, 1, 2, 100])]).toEqual([
      undefined,
      3,
      5,
      3,
    ]);
  });
});
