import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RateBucket } from "../../src/lib/rate-bucket.ts";

describe("a token bucket", () => {
  it("lets a burst through, then its rate", () => {
    const bucket = new RateBucket({ perSec: 3, burst: 5 });
    const taken = Array.from({ length: 8 }, () => bucket.take(1_000));
    expect(taken).toEqual([true, true, true, true, true, false, false, false]);
    expect(bucket.waitMs(1_000)).toBeCloseTo(333.3, 0);
    expect(bucket.take(1_333)).toBe(false);
    expect(bucket.take(1_334)).toBe(true);
    expect(bucket.take(1_335)).toBe(false);
  });

  it("is full again after its burst at its rate, and never fuller", () => {
    const bucket = new RateBucket({ perSec: 10, burst: 2 });
    bucket.spend(0, 2);
    expect(bucket.fill(0)).toBeCloseTo(0, 3);
    expect(bucket.fill(100)).toBeCloseTo(0.5, 3);
    expect(bucket.fill(1e6)).toBe(1);
    expect([bucket.take(1e6), bucket.take(1e6), bucket.take(1e6)]).toEqual([true, true, false]);
  });

  it("takes a call dearer than its burst when it is full, and makes the next one wait for it", () => {
    const bucket = new RateBucket({ perSec: 1, burst: 5 });
    expect(bucket.take(0, 20)).toBe(true);
    expect(bucket.take(1_000, 20)).toBe(false);
    expect(bucket.waitMs(1_000, 1)).toBeCloseTo(15_000, -1);
    expect(bucket.take(20_000, 20)).toBe(true);
  });

  it("keeps what was taken when its limit changes", () => {
    const bucket = new RateBucket({ perSec: 1, burst: 1 });
    expect(bucket.take(0)).toBe(true);
    bucket.configure({ perSec: 2, burst: 1 });
    expect(bucket.take(500)).toBe(false);
    expect(bucket.take(1_000)).toBe(true);
    expect(bucket.take(1_500)).toBe(true);
  });

  const limits = fc.record({
    perSec: fc.double({ min: 0.1, max: 10_000, noNaN: true }),
    burst: fc.integer({ min: 1, max: 1_000 }),
  });
  const asks = fc.array(
    fc.record({
      afterMs: fc.double({ min: 0, max: 500, noNaN: true }),
      cost: fc.integer({ min: 1, max: 50 }),
    }),
    { minLength: 1, maxLength: 300 },
  );

  it("never lets more through in any stretch of time than its burst and its rate", () => {
    fc.assert(
      fc.property(limits, asks, (limit, list) => {
        const bucket = new RateBucket(limit);
        const granted: { readonly atMs: number; readonly cost: number }[] = [];
        let nowMs = 1e9;
        for (const { afterMs, cost } of list) {
          nowMs += afterMs;
          const isThere = bucket.has(nowMs, cost);
          const waitMs = bucket.waitMs(nowMs, cost);
          const isTaken = bucket.take(nowMs, cost);
          expect(isTaken).toBe(isThere);
          expect(waitMs > 0).toBe(!isTaken);
          if (isTaken) granted.push({ atMs: nowMs, cost });
          expect(bucket.fill(nowMs)).toBeGreaterThanOrEqual(0);
        }
        for (let from = 0; from < granted.length; from += 7) {
          let sum = 0;
          for (const { atMs, cost } of granted.slice(from)) {
            sum += cost;
            const elapsedMs = atMs - (granted[from]?.atMs ?? 0);
            // One that costs more than the burst may start from a full bucket.
            const most = Math.max(limit.burst, cost) + (elapsedMs / 1000) * limit.perSec;
            expect(sum).toBeLessThanOrEqual(most + 0.01);
          }
        }
      }),
    );
  });

  it("lets its whole rate through over an hour: nothing drifts", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 200, noNaN: true }), (perSec) => {
        // Two, so that waking a little late loses nothing.
        const bucket = new RateBucket({ perSec, burst: 2 });
        let granted = 0;
        let nowMs = 12_345.678;
        const endMs = nowMs + 3_600_000;
        while (nowMs < endMs) {
          if (bucket.take(nowMs)) granted++;
          nowMs += Math.max(0.01, bucket.waitMs(nowMs));
        }
        expect(Math.abs(granted - 3_600 * perSec)).toBeLessThan(3);
      }),
      { numRuns: 20 },
    );
  });

  it("gives nothing back when the clock steps back", () => {
    const bucket = new RateBucket({ perSec: 1, burst: 1 });
    expect(bucket.take(10_000)).toBe(true);
    expect(bucket.take(5_000)).toBe(false);
    expect(bucket.take(11_000)).toBe(true);
  });
});
