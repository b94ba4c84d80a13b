/** The ranking that the kernel makes is the one that plain rules, formulas and sorting give. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { STRATEGIES } from "../../../config/schema.ts";
import { rank } from "../../../src/rpc/selection/rank.ts";
import type { SelectionDemand, SelectionRules } from "../../../src/rpc/selection/snapshot.ts";
import { createSelectionMemory } from "../../../src/rpc/selection/sticky.ts";
import { forecastOf } from "../prediction/kit.ts";
import { noMemory, type Placed, referenceRank } from "./reference.ts";
import { snapshotOf, type Told } from "./world.ts";

const seeded = { seed: 73_291, numRuns: 4_000 } as const;
const one = fc.constantFrom;
const share = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  one(0, 0.5, 0.5, 0.799_999, 0.8, 1),
);
const ms = fc.oneof(
  fc.double({ min: 0, max: 2_000, noNaN: true }),
  one(0, 0.001, 20, 20.5, 21, 21, 22, 100, undefined),
);

const told: fc.Arbitrary<Told> = fc
  .record(
    {
      priority: one(0, 1, 1, 100),
      role: one("primary" as const, "primary" as const, "backup" as const),
      weight: one(0.001, 1, 1, 3, 1_000),
      type: one("public" as const, "paid" as const),
      lag: one(0, 0, 1, 3, 4, -2, undefined),
      head: one(100, 100, 300, -1),
      archival: fc.boolean(),
      maxBlockRange: one(undefined, 10),
      tags: one([], ["eu"]),
      pace: share,
      raceScore: one(0, 0.5, 4),
      price: one(0, 1, 1, 20, 1_000_000, 1_000_001),
      misbehaviour: one(0, 0.5, 2, 3),
      canary: one(undefined, undefined, undefined, 0.1),
      shadow: one(undefined, undefined, undefined, undefined, 0.1),
      isDemoted: one(false, false, true),
      unsupported: one(new Set<string>(), new Set<string>(), new Set(["eth_call"])),
      call: fc.oneof(
        { weight: 1, arbitrary: fc.constant<false>(false) },
        {
          weight: 4,
          arbitrary: fc.record({
            n: one(0, 5, 9.6, 100, 100),
            reliabilityLb: share,
            failureRatio: one(0, 0, 0, 0.7, 0.9),
            p50Ms: ms,
            q95Ms: ms,
            meanMs: ms,
          }),
        },
      ),
      http: fc.record({
        state: one("closed" as const, "closed" as const, "open" as const, "half_open" as const),
        isUsable: one(true, true, false),
        cooldownUntilMs: one(0, 0, 95_000, 200_000),
      }),
      ws: fc.record({ isUsable: fc.boolean(), state: one("closed" as const, "open" as const) }),
    },
    { requiredKeys: [] },
  )
  .map(({ isDemoted = false, ...rest }: Told & { readonly isDemoted?: boolean }) =>
    isDemoted
      ? { ...rest, forecast: { ...forecastOf({ level: 1, slopePerSec: 0 }), isDemoted } }
      : rest,
  );

/** Of any size, with ids in another order than the configuration's. */
const providers = fc
  .uniqueArray(fc.tuple(fc.nat(40), told), { maxLength: 14, selector: ([id]) => id })
  .map((all) => Object.fromEntries(all.map(([id, said]) => [`p${id}x`, said])));

const rules: fc.Arbitrary<Partial<SelectionRules>> = fc.record(
  {
    formula: one("pace" as const, "livechain" as const),
    minHealthy: one(0, 1, 2),
    costBias: one(0, 0.3, 1),
    weights: fc.record({
      race: one(0, 0.4, 7),
      reliability: one(0, 0.3),
      latency: one(0.2, 0.7),
      freshness: one(0, 0.001, 0.1),
    }),
    stickyHysteresis: one(0, 0.31, 10),
  },
  { requiredKeys: [] },
);

const demands: fc.Arbitrary<SelectionDemand> = fc.record({
  strategy: one(...STRATEGIES),
  method: one("eth_call", "eth_call", "eth_getLogs"),
  transport: one("any" as const, "any" as const, "http" as const, "ws" as const),
  provider: one(undefined, undefined, undefined, undefined, "p1x", "eu"),
  exclude: one([], [], [], ["p2x"]),
  needsArchive: one(false, false, true),
  blockRange: one(0, 0, 100),
  maxCost: one(undefined, undefined, undefined, 10),
  seed: fc.nat(),
});

const placed = ({ candidates }: ReturnType<typeof rank>): Placed[] =>
  candidates.map(({ view, row, score, place }) => ({
    provider: view.provider,
    transport: row.transport,
    score,
    place,
  }));

/** Sums in another order differ in the last bits, and those this close may stand either way. */
const EPSILON = 1e-12;

/** Both orders are one, but for sums that differ by rounding. */
const expectSameOrder = (got: readonly Placed[], want: readonly Placed[], epsilon = 0): void => {
  expect(got.map(({ place }) => place)).toEqual(want.map(({ place }) => place));
  const scores = new Map(want.map((one) => [`${one.provider} ${one.transport}`, one.score]));
  got.forEach((one, i) => {
    const other = want[i] as Placed;
    if (one.provider === other.provider && one.transport === other.transport) return;
    if (epsilon === 0) expect(one).toMatchObject({ provider: other.provider });
    const score = scores.get(`${one.provider} ${one.transport}`) ?? Number.NaN;
    expect(Math.abs(score - other.score)).toBeLessThanOrEqual(epsilon);
  });
};

describe("the ranking", () => {
  it("is that of the reference, over snapshots, turns and sticky primaries", {
    timeout: 120_000,
  }, () => {
    const step = fc.tuple(providers, demands, fc.integer({ min: 1, max: 3 }));
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), rules, (steps, rule) => {
        const [memory, expected] = [createSelectionMemory(), noMemory()];
        steps.forEach(([all, demand, times], at) => {
          const options = {
            rules: rule,
            memory,
            builtAtMs: 100_000 + at * 20_000,
            tip: at === 3 ? -1 : 100,
          };
          const snapshot = snapshotOf(all, options);
          // A second look at a cached ranking keeps its place; only turns go on.
          for (let look = 0; look < times; look++) {
            const got = placed(rank(snapshot, demand));
            const want = referenceRank(snapshot, demand, expected);
            if (demand.strategy === "latency-weighted") expectSameDraw(got, want);
            else expectSameOrder(got, want, SUMS.has(demand.strategy ?? "") ? EPSILON : 0);
            if (!OWN_SCORE.has(demand.strategy ?? "")) expectSameScores(got, want);
          }
        });
      }),
      seeded,
    );
  });
});

describe("evidence that is no number", () => {
  it("is unknown: the order is one, however the providers are listed, and nobody is lost", () => {
    const odd = one(Number.NaN, undefined, 0, 20, 500);
    const some: fc.Arbitrary<Told> = fc.record({
      priority: one(1, 2),
      pace: one(Number.NaN, 0.2, 0.9),
      lag: one(0, 1, Number.NaN),
      price: one(0, 5),
      call: fc.record({
        n: fc.constant(100),
        reliabilityLb: one(Number.NaN, 0.9, 0.95),
        p50Ms: odd,
        q95Ms: odd,
        meanMs: odd,
      }),
    });
    fc.assert(
      fc.property(
        fc.array(some, { minLength: 2, maxLength: 8 }),
        one(...STRATEGIES),
        fc.nat(),
        (list, strategy, seed) => {
          const named = list.map((said, i) => [`p${i}`, said] as const);
          const orderOf = (all: typeof named): Placed[] => {
            const snapshot = snapshotOf(Object.fromEntries(all));
            return placed(rank(snapshot, { method: "eth_call", strategy, seed }));
          };
          const order = orderOf(named);
          expect(orderOf(named.toReversed())).toEqual(order);
          expect(order).toHaveLength(list.length);
          for (const { score } of order) expect(score).toBeGreaterThanOrEqual(0);
        },
      ),
      seeded,
    );
  });
});

/** Strategies whose score adds up several parts. */
const SUMS: ReadonlySet<string> = new Set(["leaderboard", "hybrid"]);
/** Strategies of the operator's own order: their score is only shown. */
const OWN_SCORE: ReadonlySet<string> = new Set(["priority", "round-robin", "cheapest"]);

const expectSameScores = (got: readonly Placed[], want: readonly Placed[]): void => {
  for (const [i, { score }] of got.entries()) {
    if (got[i]?.provider === want[i]?.provider) expect(score).toBeCloseTo(want[i]?.score ?? -1, 11);
  }
};

/** Who leads is drawn by weight; behind the leading place the order is the same. */
const expectSameDraw = (got: readonly Placed[], want: readonly Placed[]): void => {
  const size = want.filter(({ place }) => place === want[0]?.place).length;
  const names = (all: readonly Placed[]): string[] => all.map(({ provider }) => provider).sort();
  expect(names(got.slice(0, size))).toEqual(names(want.slice(0, size)));
  expectSameOrder(got.slice(size), want.slice(size));
};
