/** How far the word of other regions carries. */
import { describe, expect, it } from "vitest";
import fc from "fast-check";
import type { NeighbourRow } from "../../../src/rpc/help/ports.ts";
import {
  blend,
  ENOUGH_SAMPLES,
  fading,
  MOST_SAMPLES,
  nearness,
  type Prior,
  priorsOf,
} from "../../../src/rpc/selection/prior.ts";

const share = fc.double({ min: 0, max: 1, noNaN: true });
const amount = fc.double({ min: 0, max: 1e9, noNaN: true });
const row: fc.Arbitrary<NeighbourRow> = fc.record({
  region: fc.constantFrom("us", "ap", "sa"),
  distanceMs: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined }),
  provider: fc.constantFrom("a", "b"),
  subject: fc.constantFrom("newHeads", "logs", "calls:state", "calls:logs"),
  score: share,
  weight: amount,
});
const prior: fc.Arbitrary<Prior> = fc.record({
  value: share,
  samples: fc.double({ min: 0, max: MOST_SAMPLES, noNaN: true }),
  regions: fc.constant(["us"]),
});

describe("the word of other regions", () => {
  it("counts as few samples at most, and lies between what each of them says", () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 30 }), (rows) => {
        for (const [provider, { race, calls }] of priorsOf(rows)) {
          for (const [found, isCalls] of [
            [race, false],
            [calls, true],
          ] as const) {
            if (found === undefined) continue;
            const said = rows.filter(
              (one) => one.provider === provider && one.subject.startsWith("calls:") === isCalls,
            );
            const scores = said.map(({ score }) => score);
            expect(found.samples).toBeGreaterThan(0);
            expect(found.samples).toBeLessThanOrEqual(MOST_SAMPLES);
            expect(found.value).toBeGreaterThanOrEqual(Math.min(...scores) - 1e-9);
            expect(found.value).toBeLessThanOrEqual(Math.max(...scores) + 1e-9);
          }
        }
      }),
    );
  });

  it("is the same in whatever order the rows come", () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), (rows) => {
        const one = priorsOf(rows);
        const other = priorsOf(rows.toReversed());
        expect([...one.keys()].sort()).toEqual([...other.keys()].sort());
        for (const [provider, { race, calls }] of one) {
          const found = other.get(provider);
          expect(found?.race?.value ?? -1).toBeCloseTo(race?.value ?? -1, 9);
          expect(found?.calls?.value ?? -1).toBeCloseTo(calls?.value ?? -1, 9);
        }
      }),
    );
  });

  it("weighs less the further a region is, and something wherever it is", () => {
    fc.assert(
      fc.property(amount, amount, (a, b) => {
        const [near, far] = a < b ? [a, b] : [b, a];
        expect(nearness(near)).toBeGreaterThanOrEqual(nearness(far));
        expect(nearness(far)).toBeGreaterThan(0);
        expect(nearness(near)).toBeLessThanOrEqual(1);
      }),
    );
    const said = (distanceMs: number, score: number, region: string): NeighbourRow => {
      return { region, distanceMs, provider: "a", subject: "newHeads", score, weight: 100 };
    };
    const { race } = priorsOf([said(10, 0.9, "near"), said(1_000, 0.1, "far")]).get("a") ?? {};
    expect(race?.value).toBeGreaterThan(0.8);
  });

  it("fades with every sample of our own, and is nothing once there are enough", () => {
    fc.assert(
      fc.property(prior, amount, amount, (word, a, b) => {
        const [few, many] = a < b ? [a, b] : [b, a];
        expect(fading(word, few)).toBeGreaterThanOrEqual(fading(word, many));
      }),
    );
    fc.assert(
      fc.property(
        prior,
        share,
        fc.double({ min: ENOUGH_SAMPLES, max: 1e9, noNaN: true }),
        (word, own, n) => {
          expect(blend(own, n, word)).toEqual({ value: own, samples: n });
        },
      ),
    );
  });

  it("never moves what we know by more than our own samples allow", () => {
    fc.assert(
      fc.property(prior, share, fc.double({ min: 0.01, max: 1e6, noNaN: true }), (word, own, n) => {
        const { value = Number.NaN, samples } = blend(own, n, word);
        const most = MOST_SAMPLES / (n + MOST_SAMPLES);
        expect(Math.abs(value - own)).toBeLessThanOrEqual(most * Math.abs(word.value - own) + 1e-9);
        expect(samples).toBeGreaterThanOrEqual(n);
        expect(samples).toBeLessThanOrEqual(n + MOST_SAMPLES);
        if (n >= MOST_SAMPLES) expect(most).toBeLessThanOrEqual(0.5);
      }),
    );
  });

  it("changes nothing where there is none", () => {
    fc.assert(
      fc.property(fc.option(share, { nil: undefined }), amount, (own, n) => {
        expect(blend(own, n, undefined)).toEqual({ value: own, samples: n });
      }),
    );
  });
});
