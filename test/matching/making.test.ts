/** Orders and boards of large markets are made a slice at a time, and change no ranking meanwhile. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile, type Plan } from "../../src/matching/compile.ts";
import { MAX_DERIVED } from "../../src/matching/index/derived.ts";
import { ProviderIndex } from "../../src/matching/index/provider-index.ts";
import { RankSort } from "../../src/matching/index/building/rank-sort.ts";
import { StaticOrder } from "../../src/matching/index/static-order.ts";
import { Term } from "../../src/matching/index/term.ts";
import { match } from "../../src/matching/match.ts";
import { orderPlaces } from "../../src/matching/paths/nth.ts";
import { Composite } from "../../src/matching/scorers/composite.ts";
import { defaultProfiles } from "../../src/matching/scorers/profiles.ts";
import type { Scorer } from "../../src/matching/scorers/scorer.ts";
import { seededRandom } from "../../src/lib/random.ts";

const seeded = { seed: 77_003, numRuns: 300 } as const;

/** A static scorer that counts its calls. */
function counting() {
  const counts = { calls: 0 };
  const scorer: Scorer = {
    name: "level",
    description: "Of the stake",
    bind: ({ stakes }) => ({
      kind: "static",
      score: (row) => {
        counts.calls++;
        return (stakes.high[row] as number) / 1_000;
      },
    }),
  };
  return { counts, scorer };
}

const planOf = (composite: Composite, demand: object = {}): Plan => {
  const profiles = defaultProfiles();
  profiles.composites.set(composite.name, composite);
  const compiled = compile({ profile: composite.name, ...demand }, profiles);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  return compiled.plan;
};

describe("the making of an order", () => {
  it("takes no more steps a turn than it is given, with a million providers", {
    timeout: 120_000,
  }, () => {
    const rows = 1_000_000;
    const index = new ProviderIndex({ name: "large" });
    const random = seededRandom(5);
    const stakes = Array.from({ length: rows }, () => Math.floor(random() * 1_000));
    for (let i = 0; i < rows; i++) {
      index.put({ id: `p${i}`, stake: BigInt(stakes[i] as number), location: i === 7 ? "A" : "B" });
    }
    const { counts, scorer } = counting();
    const composite = new Composite("case", "").add("level", scorer, 1);
    const plan = planOf(composite, { pick: { k: 3 } });
    const few = planOf(composite, { require: { location: "A" } });
    const most = stakes.flatMap((stake, i) => (stake === 999 ? [`p${i}`] : [])).sort();
    const picks = () => match(plan, index).picks.map(({ id }) => id);

    const first = match(few, index);
    expect([first.path, first.picks[0]?.id]).toEqual(["scan", "p7"]);
    expect(counts.calls).toBeLessThan(140_000);
    expect(picks()).toEqual(most.slice(0, 3));

    const slice = 20_000;
    let turns = 0;
    counts.calls = 0;
    for (let before = 0; index.derived.advance(slice); turns++) {
      expect(counts.calls - before).toBeLessThanOrEqual(slice);
      before = counts.calls;
      if (turns % 300 !== 0) continue;
      // A match meanwhile scores its survivors, and takes the making a little further.
      const { path } = match(few, index);
      expect(path).toBe("scan");
      expect(counts.calls - before).toBeLessThan(slice);
      before = counts.calls;
    }
    // So much could not have been done in less.
    expect(turns).toBeGreaterThan((rows * Math.log2(rows / 32)) / slice - 60);
    expect(turns).toBeLessThan((40 * rows) / slice);
    counts.calls = 0;
    expect(match(plan, index).path).toBe("rank");
    expect(picks()).toEqual(most.slice(0, 3));
    expect(counts.calls).toBeLessThan(3_000);
  });

  it("goes on with a board likewise", () => {
    const index = new ProviderIndex({ name: "wide", signals: ["latencyMs"] });
    for (let i = 0; i < 200_000; i++) {
      index.put({ id: `p${i}`, stake: BigInt(i % 977), values: { latencyMs: (i * 7) % 501 } });
    }
    const { counts, scorer } = counting();
    const latency = defaultProfiles().composites.get("fastest")?.get("latency");
    if (latency === undefined) throw new Error("no latency");
    const composite = new Composite("case", "").add("level", scorer, 1).add("ms", latency, 0.5);
    const plan = planOf(composite);
    const before = match(plan, index);
    expect(before.path).toBe("scan");
    counts.calls = 0;
    while (index.derived.advance(10_000)) {
      expect(counts.calls).toBeLessThanOrEqual(5_000);
      counts.calls = 0;
    }
    const after = match(plan, index);
    expect(after.path).toBe("bound");
    expect(after.picks).toEqual(before.picks);
  });

  it("counts what became whole once and for all, though orders are dropped", () => {
    const index = new ProviderIndex({ name: "small" });
    for (let i = 0; i < 100; i++) index.put({ id: `p${i}`, stake: BigInt(i) });
    const orderBy = (name: string) => {
      const { scorer } = counting();
      // An order each: which scorer it is makes them differ.
      match(planOf(new Composite(name, "").add("level", scorer, 1)), index);
    };
    for (let i = 0; i < MAX_DERIVED; i++) orderBy(`one ${i}`);
    const { derived } = index;
    expect(derived.rebuilds).toBe(MAX_DERIVED);
    derived.forget();
    expect([[...derived.orders].length, derived.rebuilds]).toEqual([0, MAX_DERIVED]);
    for (let i = 0; i < MAX_DERIVED; i++) orderBy(`two ${i}`);
    expect(derived.rebuilds).toBe(2 * MAX_DERIVED);
    // One that is idle makes room for another.
    for (let i = 0; i < 1_001; i++) derived.use(undefined);
    orderBy("more");
    expect([...derived.orders]).toHaveLength(MAX_DERIVED);
    expect(derived.rebuilds).toBe(2 * MAX_DERIVED + 1);
  });

  it("orders all rows, whatever comes, goes and changes meanwhile", () => {
    const step = fc.oneof(
      fc.record({ put: fc.nat({ max: 400 }), stake: fc.nat({ max: 40 }) }),
      fc.record({ remove: fc.nat({ max: 400 }) }),
      fc.record({ steps: fc.nat({ max: 900 }) }),
    );
    const { scorer } = counting();
    fc.assert(
      fc.property(fc.nat({ max: 300 }), fc.array(step, { maxLength: 60 }), (size, steps) => {
        const index = new ProviderIndex({ name: "small" });
        const list = new Map<string, number>();
        const put = (id: string, stake: number) => {
          index.put({ id, stake: BigInt(stake) });
          list.set(id, stake);
        };
        for (let i = 0; i < size; i++) put(`p${i}`, (i * 37) % 40);
        const bound = scorer.bind(index, planOf(new Composite("case", "")).demand);
        const order = new StaticOrder(index, [
          {
            scorer,
            key: "level",
            column: undefined,
            isSignal: false,
            ofStake: undefined,
            term: new Term(1, bound.score, undefined, undefined),
          },
        ]);
        const moved = (id: string, change: () => void) => {
          const known = index.rowOf(id);
          change();
          const row = index.rowOf(id);
          if (row !== undefined) order.move(row);
          else if (known !== undefined) order.remove(known);
        };
        for (const one of steps) {
          if ("steps" in one) order.step(one.steps);
          else if ("put" in one) {
            order.grow(Math.max(index.capacity, 1_024));
            moved(`p${one.put}`, () => put(`p${one.put}`, one.stake));
          } else {
            moved(`p${one.remove}`, () => {
              index.remove(`p${one.remove}`);
              list.delete(`p${one.remove}`);
            });
          }
        }
        while (order.isMerging) order.step(500);
        const { layout } = order;
        const ranked: string[] = [];
        for (let rank = 0; rank < layout.length; rank++) {
          const row = layout.rowAt[rank] as number;
          if (layout.rankOf[row] === rank) ranked.push(index.ids[row] as string);
        }
        const waiting = order.moved.map((row) => index.ids[row] as string);
        const want = [...list]
          .filter(([id]) => !waiting.includes(id))
          .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
          .map(([id]) => id);
        expect(ranked).toEqual(want);
        expect([...ranked, ...waiting].sort()).toEqual([...list.keys()].sort());
      }),
      seeded,
    );
  });

  it("sorts as a sort does, in slices of any size", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0, 0.25, 0.5, 0.75, 1), { maxLength: 400 }),
        fc.integer({ min: 1, max: 3_000 }),
        (keys, slice) => {
          const ids = keys.map((_, i) => `p${(i * 7_919) % 10_007}`);
          const source = {
            ids,
            length: keys.length,
            rowAt: (i: number) => (i % 5 === 0 ? undefined : i),
            keyOf: (row: number) => keys[row] as number,
            touched: new Set<number>(),
          };
          const sort = new RankSort(source, keys.length);
          while (!sort.isDone) sort.step(slice);
          const want = keys
            .map((key, row) => ({ key, row }))
            .filter(({ row }) => row % 5 !== 0)
            .sort((a, b) => b.key - a.key || ((ids[a.row] ?? "") < (ids[b.row] ?? "") ? -1 : 1))
            .map(({ row }) => row);
          expect([...sort.rows.subarray(0, sort.count)]).toEqual(want);
        },
      ),
      seeded,
    );
  });
});

describe("the places of an order", () => {
  it("hold what a sort would put there", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat({ max: 5_000 }), { maxLength: 500 }),
        fc.nat({ max: 500 }),
        fc.nat({ max: 64 }),
        (list, at, k) => {
          const from = Math.min(at, list.length);
          const end = Math.min(from + k, list.length);
          const items = Uint32Array.from(list);
          orderPlaces(items, from, end, (a, b) => a - b);
          const want = list.toSorted((a, b) => a - b);
          expect([...items.subarray(from, end)]).toEqual(want.slice(from, end));
          expect([...items].sort((a, b) => a - b)).toEqual(want);
        },
      ),
      seeded,
    );
  });
});
