import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SeenKeys } from "../../../src/rpc/seen-keys.ts";

const ttlNs = 1_000;

describe("seen keys", () => {
  it("know a key until it is out of age, however often it is repeated", () => {
    const seen = new SeenKeys({ capacity: 10, ttlNs });
    expect(seen.arrive("a", 0, 0)).toBe("first");
    expect(seen.arrive("a", 1, 900)).toBe("duplicate");
    expect(seen.arrive("a", 2, 1_000)).toBe("duplicate");
    expect(seen.arrive("a", 3, 1_001)).toBe("first");
  });

  it("say when one provider repeats itself, and take its round's copies for duplicates", () => {
    const seen = new SeenKeys({ capacity: 10, ttlNs });
    seen.arrive("a", 0, 0);
    expect(seen.arrive("a", 1, 1)).toBe("duplicate");
    expect(seen.arrive("a", 0, 2)).toBe("again");
    expect(seen.arrive("a", 1, 3)).toBe("duplicate");
    expect(seen.arrive("a", 1, 4)).toBe("again");
  });

  it("drop the oldest tenth in one go when full, by first arrival", () => {
    const seen = new SeenKeys({ capacity: 100, ttlNs: 1e9 });
    for (let i = 0; i < 100; i++) seen.arrive(`k${i}`, 0, i);
    // A duplicate refreshes nothing: k0 goes first all the same.
    seen.arrive("k0", 1, 100);
    seen.arrive("new", 0, 101);
    expect(seen.size).toBe(91);
    expect(seen.evictions).toBe(10);
    expect(seen.has("k9")).toBe(false);
    expect(seen.has("k10")).toBe(true);
  });

  it("forget by age on a sweep whatever their number, and all with their counters on a reset", () => {
    const seen = new SeenKeys({ capacity: 10, ttlNs });
    for (let i = 0; i < 5; i++) seen.arrive(`k${i}`, 0, i * 100);
    expect(seen.sweep(1_250)).toBe(3);
    expect(seen.size).toBe(2);
    expect(seen.expiries).toBe(3);
    seen.reset();
    expect([seen.size, seen.evictions, seen.expiries]).toEqual([0, 0, 0]);
    expect(seen.arrive("k4", 0, 1_260)).toBe("first");
  });

  it("agree with a plain model and never exceed their bound", () => {
    const arrival = fc.tuple(fc.nat(60), fc.nat(3), fc.nat(200));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.array(arrival), (capacity, arrivals) => {
        const seen = new SeenKeys({ capacity, ttlNs });
        const batch = Math.max(1, Math.floor(capacity / 10));
        // The model keeps slots in order; a slot of an expired key is freed only at its turn.
        let slots: { key: string; at: number; isLive: boolean }[] = [];
        let nowNs = 0;
        for (const [code, lane, waitNs] of arrivals) {
          nowNs += waitNs;
          const key = `k${code}`;
          const known = slots.find((slot) => slot.isLive && slot.key === key);
          const isKnown = known !== undefined && nowNs - known.at <= ttlNs;
          expect(seen.arrive(key, lane, nowNs) === "first").toBe(!isKnown);
          if (!isKnown) {
            if (known !== undefined) known.isLive = false;
            if (slots.length === capacity) slots = slots.slice(batch);
            slots.push({ key, at: nowNs, isLive: true });
          }
          expect(seen.size).toBe(slots.filter(({ isLive }) => isLive).length);
          expect(seen.size).toBeLessThanOrEqual(capacity);
        }
      }),
    );
  });
});
