import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { STRATEGIES, type StrategyName } from "../../../config/schema.ts";
import { explorationTarget } from "../../../src/rpc/selection/exploration.ts";
import { nextInLine } from "../../../src/rpc/selection/next-in-line.ts";
import { rank } from "../../../src/rpc/selection/rank.ts";
import { createSelectionMemory } from "../../../src/rpc/selection/sticky.ts";
import { snapshotOf, type Told } from "../selection/world.ts";
import { forecastOf } from "./kit.ts";

const doomed = forecastOf({ level: 480, slopePerSec: 20 });
const calm = forecastOf({}, false);
const demand = { method: "eth_call", seed: 0.5 } as const;

const order = (providers: Readonly<Record<string, Told>>, strategy: StrategyName) =>
  rank(snapshotOf(providers), { ...demand, strategy }).candidates.map(
    ({ view, row }) => `${view.provider} ${row.transport}`,
  );

const told: fc.Arbitrary<Told> = fc.record({
  pace: fc.double({ min: 0, max: 1, noNaN: true }),
  price: fc.integer({ min: 0, max: 3 }),
  priority: fc.integer({ min: 1, max: 3 }),
  role: fc.constantFrom("primary", "backup"),
  lag: fc.integer({ min: 0, max: 6 }),
  call: fc.constantFrom<NonNullable<Told["call"]>[]>(
    { p50Ms: 20 },
    { p50Ms: 80, q95Ms: 200 },
    { n: 2, reliabilityLb: 0.3 },
    { reliabilityLb: 0.5 },
    false,
  ),
  ws: fc.constant({}),
});
const three = fc.record({ a: told, b: told, c: told });
const strategy = fc.constantFrom(...STRATEGIES);

describe("a provider that is likely to fail", () => {
  it("stands behind the others of its tier, whatever the strategy", () => {
    for (const one of STRATEGIES) {
      const providers = { a: { forecast: doomed, pace: 0.99, priority: 1 }, b: { pace: 0.4 } };
      expect(order(providers, one), one).toEqual(["b http", "a http"]);
    }
  });

  it("stands before the next tier", () => {
    const providers = { a: { forecast: doomed }, b: { call: false as const } };
    expect(order(providers, "leaderboard")).toEqual(["a http", "b http"]);
  });

  it("is never left out, and changes nothing but the order", () => {
    fc.assert(
      fc.property(three, strategy, fc.subarray(["a", "b", "c"]), (providers, one, failing) => {
        const marked = Object.fromEntries(
          Object.entries(providers).map(([id, provider]) => [
            id,
            failing.includes(id) ? { ...provider, forecast: doomed } : provider,
          ]),
        );
        expect(order(marked, one).toSorted()).toEqual(order(providers, one).toSorted());
      }),
    );
  });

  it("changes nothing when all are", () => {
    fc.assert(
      fc.property(three, strategy, (providers, one) => {
        const all = Object.fromEntries(
          Object.entries(providers).map(([id, provider]) => [
            id,
            { ...provider, forecast: doomed },
          ]),
        );
        expect(order(all, one)).toEqual(order(providers, one));
      }),
    );
  });

  it("changes nothing while it is only watched", () => {
    fc.assert(
      fc.property(three, strategy, (providers, one) => {
        const watched = { ...providers, b: { ...providers.b, forecast: calm } };
        expect(order(watched, one)).toEqual(order(providers, one));
      }),
    );
  });

  it("gives up a sticky first place, and has it back afterwards only by its score", () => {
    const memory = createSelectionMemory();
    const first = (a: Told, builtAtMs: number): string | undefined =>
      rank(snapshotOf({ a, b: { pace: 0.9 } }, { memory, builtAtMs }), demand).candidates[0]?.view
        .provider;
    expect(first({ pace: 0.95 }, 100_000)).toBe("a");
    expect(first({ pace: 0.95, forecast: doomed }, 101_000)).toBe("b");
    expect(first({ pace: 0.95, forecast: calm }, 140_000)).toBe("b");
  });

  it("is served to a caller who names it", () => {
    const snapshot = snapshotOf({ a: { forecast: doomed }, b: {} });
    const { candidates } = rank(snapshot, { ...demand, provider: "a" });
    expect(candidates.map(({ view }) => view.provider)).toEqual(["a"]);
  });

  it("gets copies of reads, so that one sees it recover", () => {
    const snapshot = snapshotOf({ a: { forecast: doomed }, b: {} });
    expect(explorationTarget(snapshot, demand, 0)?.view.provider).toBe("a");
    expect(explorationTarget(snapshotOf({ a: {}, b: {} }), demand, 0)).toBeUndefined();
  });
});

describe("the next in line", () => {
  it("is the first sound provider of the chain's own order", () => {
    const snapshot = snapshotOf({
      a: { pace: 0.9 },
      b: { pace: 0.8, http: { state: "open" } },
      c: {},
    });
    expect(nextInLine(snapshot, "a")?.provider).toBe("c");
    expect(nextInLine(snapshotOf({ a: {} }), "a")).toBeUndefined();
  });

  it("takes no turn of a rotation", () => {
    const memory = createSelectionMemory();
    const snapshot = snapshotOf(
      { a: {}, b: {}, c: {} },
      { memory, rules: { strategy: "round-robin" } },
    );
    nextInLine(snapshot, "a");
    expect(memory.rotations.size).toBe(0);
  });
});
