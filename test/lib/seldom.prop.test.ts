import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Seldom } from "../../src/lib/seldom.ts";

const EVERY_MS = 100;

describe("what is admitted seldom", () => {
  it("is admitted again after the time, key by key", () => {
    const seldom = new Seldom(EVERY_MS, 10);
    const at = (key: string, nowMs: number) => seldom.admits(key, nowMs);
    expect([at("a", 0), at("a", 99), at("b", 99), at("a", 100), at("b", 198)]).toEqual([
      true,
      false,
      true,
      true,
      false,
    ]);
  });

  it("is admitted if and only if its key was not within the time and there is room", () => {
    const asks = fc.array(fc.record({ key: fc.nat(6), afterMs: fc.nat(60) }), { maxLength: 60 });
    fc.assert(
      fc.property(asks, fc.integer({ min: 1, max: 4 }), (all, maxKeys) => {
        const seldom = new Seldom(EVERY_MS, maxKeys);
        const admitted: { key: number; atMs: number }[] = [];
        let nowMs = 0;
        for (const { key, afterMs } of all) {
          nowMs += afterMs;
          const live = admitted.filter(({ atMs }) => nowMs - atMs < EVERY_MS);
          const isDue = live.every((one) => one.key !== key) && live.length < maxKeys;
          expect(seldom.admits(String(key), nowMs)).toBe(isDue);
          if (isDue) admitted.push({ key, atMs: nowMs });
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
