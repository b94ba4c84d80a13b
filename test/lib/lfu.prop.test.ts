import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Lfu } from "../../src/lib/lfu.ts";

/** The same without any cleverness: one array, searched. */
class Naive {
  entries: { key: string; value: number; count: number; since: number }[] = [];
  capacity: number;
  hits = 0;
  clock = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get(key: string): number | undefined {
    const entry = this.entries.find((one) => one.key === key);
    if (entry === undefined) return undefined;
    entry.count++;
    entry.since = ++this.clock;
    if (++this.hits >= this.capacity * 10) {
      this.hits = 0;
      // Those that become equal keep the order of their counts, then of their arrival.
      this.entries.sort((a, b) => a.count - b.count || a.since - b.since);
      for (const one of this.entries) {
        one.count = Math.max(1, one.count >> 1);
        one.since = ++this.clock;
      }
    }
    return entry.value;
  }

  set(key: string, value: number): void {
    const entry = this.entries.find((one) => one.key === key);
    if (entry !== undefined) entry.value = value;
    else if (this.capacity > 0) {
      if (this.entries.length >= this.capacity) this.evict();
      this.entries.push({ key, value, count: 1, since: ++this.clock });
    }
  }

  evict(): void {
    this.entries.sort((a, b) => a.count - b.count || a.since - b.since).shift();
  }

  resize(capacity: number): void {
    this.capacity = capacity;
    while (this.entries.length > capacity) this.evict();
  }

  distribution(): [number, number][] {
    const sizes = new Map<number, number>();
    for (const { count } of this.entries) sizes.set(count, (sizes.get(count) ?? 0) + 1);
    return [...sizes].sort(([a], [b]) => a - b);
  }
}

const key = fc.nat({ max: 9 }).map(String);
const step = fc.oneof(
  fc.record({ get: key, times: fc.constantFrom(1, 1, 2, 5) }),
  fc.record({ set: key, value: fc.nat() }),
  fc.record({ resize: fc.nat({ max: 8 }) }),
);

describe("a cache of the most asked for", () => {
  it("keeps what a plain search would keep, after every step", () => {
    fc.assert(
      fc.property(fc.nat({ max: 6 }), fc.array(step, { maxLength: 150 }), (capacity, steps) => {
        const lfu = new Lfu<number>(capacity);
        const naive = new Naive(capacity);
        for (const one of steps) {
          if ("get" in one) {
            for (let i = 0; i < one.times; i++) expect(lfu.get(one.get)).toBe(naive.get(one.get));
          } else if ("set" in one) {
            lfu.set(one.set, one.value);
            naive.set(one.set, one.value);
          } else {
            lfu.resize(one.resize);
            naive.resize(one.resize);
          }
          expect([...lfu.distribution()]).toEqual(naive.distribution());
          expect(lfu.size).toBe(naive.entries.length);
          expect(lfu.size).toBeLessThanOrEqual(lfu.capacity);
          for (const { key: kept } of naive.entries) expect(lfu.has(kept)).toBe(true);
        }
      }),
      { seed: 11, numRuns: 2_000 },
    );
  });

  it("ends a resize whatever gaps there are between the counts", () => {
    const lfu = new Lfu<number>(3);
    for (const [name, times] of [
      ["a", 1],
      ["b", 4],
      ["c", 6],
    ] as const) {
      lfu.set(name, 0);
      for (let i = 1; i < times; i++) lfu.get(name);
    }
    expect(lfu.resize(1)).toBe(2);
    expect(lfu.has("c")).toBe(true);
    expect(() => lfu.resize(-1)).toThrow("whole number");
  });
});
