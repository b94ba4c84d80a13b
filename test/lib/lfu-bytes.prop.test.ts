import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LfuBytes, type LfuRemoval } from "../../src/lib/lfu-bytes.ts";

const OVERHEAD = 10;

interface Kept {
  readonly key: string;
  readonly bytes: number;
  readonly group: string | undefined;
  readonly expiresAtMs: number;
}

/** The same cache without any cleverness: 16 arrays, searched from the front. */
class Naive {
  levels: Kept[][] = Array.from({ length: 16 }, () => []);
  lookups = 0;
  readonly removed: [string, LfuRemoval][] = [];
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get all(): Kept[] {
    return this.levels.flat();
  }

  get bytes(): number {
    return this.all.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  remove(kept: Kept, reason: LfuRemoval): void {
    this.levels = this.levels.map((level) => level.filter((one) => one !== kept));
    this.removed.push([kept.key, reason]);
  }

  get(key: string, nowMs: number): string | undefined {
    if (++this.lookups >= Math.max(1_000, 10 * this.all.length)) {
      this.lookups = 0;
      this.levels = Array.from({ length: 16 }, (_, level) => [
        ...(this.levels[2 * level] ?? []),
        ...(this.levels[2 * level + 1] ?? []),
      ]);
    }
    const at = this.levels.findIndex((level) => level.some((one) => one.key === key));
    const kept = this.levels[at]?.find((one) => one.key === key);
    if (kept === undefined) return undefined;
    if (kept.expiresAtMs <= nowMs) {
      this.remove(kept, "expired");
      return undefined;
    }
    this.levels = this.levels.map((level) => level.filter((one) => one !== kept));
    this.levels[Math.min(15, at + 1)]?.push(kept);
    return kept.key;
  }

  set(key: string, bytes: number, group: string | undefined, expiresAtMs: number): boolean {
    const known = this.all.find((one) => one.key === key);
    if (known !== undefined) this.remove(known, "replaced");
    if (bytes > this.maxBytes) return false;
    while (this.bytes + bytes > this.maxBytes) this.remove(this.all[0] as Kept, "full");
    this.levels[0]?.push({ key, bytes, group, expiresAtMs });
    return true;
  }

  deleteGroup(group: string): number {
    const gone = this.all.filter((one) => one.group === group);
    for (const one of gone) this.remove(one, "group");
    return gone.length;
  }

  sweep(nowMs: number): void {
    for (const one of this.all) if (one.expiresAtMs <= nowMs) this.remove(one, "expired");
  }
}

type Step =
  | { readonly do: "get"; readonly key: number; readonly times: number }
  | {
      readonly do: "set";
      readonly key: number;
      readonly size: number;
      readonly group: number;
      readonly ttlMs: number;
    }
  | { readonly do: "delete"; readonly key: number }
  | { readonly do: "group"; readonly group: number }
  | { readonly do: "pass"; readonly ms: number };

const key = fc.integer({ min: 0, max: 12 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("get" as const),
      key,
      times: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 20 }), fc.constant(1_001)),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("set" as const),
      key,
      size: fc.integer({ min: 0, max: 60 }),
      group: fc.integer({ min: 0, max: 3 }),
      ttlMs: fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 200_000 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), key }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("group" as const),
      group: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      ms: fc.integer({ min: 1, max: 100_000 }),
    }),
  },
);

describe("a cache bounded in bytes", () => {
  it("keeps, forgets and puts out exactly what a naive model does", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const naive = new Naive(200);
        const removed: [string, LfuRemoval][] = [];
        const cache = new LfuBytes<string>({
          maxBytes: 200,
          overheadBytes: OVERHEAD,
          onRemove: (value, reason) => removed.push([value, reason]),
        });
        let nowMs = 5_000;
        for (const one of steps) {
          // Both must forget the same at the same moment, so time passes with a sweep.
          if (one.do === "pass") {
            nowMs = Math.ceil((nowMs + one.ms) / 1_000) * 1_000;
            cache.sweep(nowMs);
            naive.sweep(nowMs);
          } else if (one.do === "get") {
            for (let i = 0; i < one.times; i++) {
              expect(cache.get(`k${one.key}`, nowMs)).toBe(naive.get(`k${one.key}`, nowMs));
            }
          } else if (one.do === "set") {
            const name = `k${one.key}`;
            const group = one.group === 0 ? undefined : `g${one.group}`;
            const expiresAtMs = nowMs + one.ttlMs;
            const isKept = cache.set(name, name, { valueBytes: one.size * 5, group, expiresAtMs });
            const bytes = name.length + one.size * 5 + OVERHEAD;
            expect(isKept).toBe(naive.set(name, bytes, group, expiresAtMs));
          } else if (one.do === "delete") {
            const known = naive.all.find((kept) => kept.key === `k${one.key}`);
            if (known !== undefined) naive.remove(known, "deleted");
            expect(cache.delete(`k${one.key}`)).toBe(known !== undefined);
          } else
            expect(cache.deleteGroup(`g${one.group}`)).toBe(naive.deleteGroup(`g${one.group}`));
          expect(cache.bytes).toBe(naive.bytes);
          expect(cache.size).toBe(naive.all.length);
          expect(cache.bytes).toBeLessThanOrEqual(200);
        }
        // Within one sweep or group the order is nobody's business.
        expect(removed.map(String).sort()).toEqual(naive.removed.map(String).sort());
      }),
      { numRuns: 300 },
    );
  });

  it("puts out in the model's order when it is full", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.boolean()), { maxLength: 200 }), (uses) => {
        const naive = new Naive(100);
        const removed: string[] = [];
        const cache = new LfuBytes<string>({
          maxBytes: 100,
          overheadBytes: OVERHEAD,
          onRemove: (value, reason) => removed.push(`${value},${reason}`),
        });
        for (const [number, isWrite] of uses) {
          const name = `k${number}`;
          if (cache.get(name, 0) !== naive.get(name, 0)) throw new Error("they differ");
          if (!isWrite) continue;
          cache.set(name, name, { valueBytes: 10, group: undefined, expiresAtMs: Infinity });
          naive.set(name, name.length + 10 + OVERHEAD, undefined, Infinity);
        }
        expect(removed).toEqual(naive.removed.map(String));
      }),
      { numRuns: 300 },
    );
  });

  it("keeps what is asked for often through a scan of things asked for once", () => {
    const cache = new LfuBytes<number>({ maxBytes: 10_000, overheadBytes: 90 });
    const place = { valueBytes: 0, group: undefined, expiresAtMs: Infinity };
    for (let i = 0; i < 50; i++) cache.set(`hot${i}`, i, place);
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 50; i++) cache.get(`hot${i}`, 0);
    }
    for (let i = 0; i < 10_000; i++) cache.set(`scan${i}`, i, place);
    const left = Array.from({ length: 50 }, (_, i) => cache.get(`hot${i}`, 0));
    expect(left.filter((value) => value !== undefined)).toHaveLength(50);
  });

  it("lets go of former favourites that nobody asks for any more", () => {
    const cache = new LfuBytes<number>({ maxBytes: 10_000, overheadBytes: 90 });
    const place = { valueBytes: 0, group: undefined, expiresAtMs: Infinity };
    for (let i = 0; i < 50; i++) cache.set(`old${i}`, i, place);
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 50; i++) cache.get(`old${i}`, 0);
    }
    for (let i = 0; i < 20_000; i++) {
      cache.set(`new${i}`, i, place);
      for (let back = 0; back < 3; back++) cache.get(`new${i - back}`, 0);
    }
    const left = Array.from({ length: 50 }, (_, i) => cache.get(`old${i}`, 0));
    expect(left.filter((value) => value !== undefined)).toHaveLength(0);
  });
});
