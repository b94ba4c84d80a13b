/** What every strategy of keeping the likely ones must do, whichever entry it lets go of. */
import fc from "fast-check";
import { expect, it } from "vitest";

/** A cache under test. */
export interface BoundedCache {
  readonly get: (key: string) => number | undefined;
  readonly set: (key: string, value: number) => void;
  readonly size: () => number;
}

/** Declares the tests. */
export function boundedCacheSuite(open: (capacity: number) => BoundedCache): void {
  const key = fc.constantFrom("a", "b", "c", "d", "e", "f");
  const step = fc.oneof(fc.record({ set: key, value: fc.nat() }), fc.record({ get: key }));

  it("holds no more than it may, and never another's or an old value", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step), (capacity, steps) => {
        const cache = open(capacity);
        const last = new Map<string, number>();
        for (const one of steps) {
          if ("set" in one) {
            cache.set(one.set, one.value);
            last.set(one.set, one.value);
            expect(cache.get(one.set)).toBe(one.value);
          } else expect([undefined, last.get(one.get)]).toContain(cache.get(one.get));
          expect(cache.size()).toBe(Math.min(cache.size(), capacity, last.size));
        }
      }),
      { seed: 41 },
    );
  });

  it("forgets nothing as long as there is room", () => {
    const cache = open(3);
    for (const [at, name] of ["a", "b", "c", "a"].entries()) cache.set(name, at);
    expect(["a", "b", "c"].map(cache.get)).toEqual([3, 1, 2]);
    expect(cache.size()).toBe(3);
  });

  it("lets one go for each that comes when it is full", () => {
    const cache = open(2);
    for (const [at, name] of ["a", "b", "c", "d"].entries()) cache.set(name, at);
    expect(cache.size()).toBe(2);
    expect(cache.get("d")).toBe(3);
  });
}
