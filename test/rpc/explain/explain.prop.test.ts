/** The explanation and the ranking are one and the same: order, scores, refusals. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { explain } from "../../../src/rpc/explain/explain.ts";
import { SPARE_PLACE } from "../../../src/rpc/selection/place.ts";
import { rank } from "../../../src/rpc/selection/rank.ts";
import { createSelectionMemory } from "../../../src/rpc/selection/sticky.ts";
import { strategies } from "../../../src/rpc/selection/strategies/registry.ts";
import type { SelectionDemand } from "../../../src/rpc/selection/snapshot.ts";
import { snapshotOf, type Told } from "../selection/world.ts";
import { selectedOf, toldOf } from "./support.ts";

const told: fc.Arbitrary<Told> = fc.record(
  {
    priority: fc.integer({ min: 1, max: 3 }),
    role: fc.constantFrom("primary" as const, "backup" as const),
    weight: fc.integer({ min: 0, max: 3 }),
    type: fc.constantFrom("public" as const, "paid" as const),
    lag: fc.constantFrom(0, 1, 5),
    archival: fc.boolean(),
    maxBlockRange: fc.constantFrom(undefined, 10),
    tags: fc.constantFrom([], ["eu"]),
    pace: fc.double({ min: 0, max: 1, noNaN: true }),
    price: fc.constantFrom(0, 1, 20),
    unsupported: fc.constantFrom(new Set<string>(), new Set(["eth_call"])),
    call: fc.oneof(
      fc.constant<false>(false),
      fc.record({
        n: fc.constantFrom(0, 5, 100),
        reliabilityLb: fc.double({ min: 0, max: 1, noNaN: true }),
        failureRatio: fc.constantFrom(0, 0.9),
        p50Ms: fc.double({ min: 0.1, max: 900, noNaN: true }),
        q95Ms: fc.double({ min: 0.1, max: 900, noNaN: true }),
        meanMs: fc.double({ min: 0.1, max: 900, noNaN: true }),
      }),
    ),
    http: fc.record({
      state: fc.constantFrom("closed" as const, "open" as const),
      isUsable: fc.boolean(),
      suspect: fc.boolean(),
      cooldownUntilMs: fc.constantFrom(0, 200_000),
    }),
    ws: fc.record({ isUsable: fc.boolean() }),
  },
  { requiredKeys: [] },
);
const providersUpTo = (count: number) =>
  fc
    .array(told, { minLength: 1, maxLength: count })
    .map((all) => Object.fromEntries(all.map((one, index) => [`p${index}`, one])));
const providers = providersUpTo(9);
/** Rules of admission cells are remembered for the first ten candidates: two transports each. */
const remembered = providersUpTo(5);
const demands: fc.Arbitrary<SelectionDemand> = fc.record({
  strategy: fc.constantFrom(...Object.values(strategies).map(({ name }) => name)),
  method: fc.constant("eth_call"),
  transport: fc.constantFrom("any" as const, "http" as const, "ws" as const),
  provider: fc.constantFrom(undefined, undefined, undefined, "p1", "eu"),
  exclude: fc.constantFrom([], [], ["p0"]),
  needsArchive: fc.boolean(),
  blockRange: fc.constantFrom(0, 100),
  maxCost: fc.constantFrom(undefined, undefined, 10),
  seed: fc.integer({ min: 0, max: 1_000_000 }),
});
const nowMs = 100_500;

/** Refusals that do not end by themselves. */
const LASTING: ReadonlySet<string> = new Set([
  "not_requested",
  "excluded",
  "method_unsupported",
  "archive",
  "block_range",
  "max_cost",
  "transport",
]);

describe("an explanation", () => {
  it("lists the candidates as they were ranked, each with the score that its parts add up to", () => {
    fc.assert(
      fc.property(providers, demands, (all, demand) => {
        const memory = () => createSelectionMemory();
        const selected = selectedOf(snapshotOf(all, { memory: memory() }), demand, nowMs);
        const record = explain(toldOf({ selected }), nowMs);
        const again = rank(snapshotOf(all, { memory: memory() }), demand).candidates;
        expect(record.candidates.map(({ provider, transport }) => [provider, transport])).toEqual(
          again.map(({ view, row }) => [view.provider, row.transport]),
        );
        record.candidates.forEach((candidate, index) => {
          expect(candidate.rank).toBe(index + 1);
          if (candidate.spare) {
            expect(again[index]?.place).toBe(SPARE_PLACE);
            return;
          }
          const sum = Object.values(candidate.components).reduce(
            (total, { value, weight }) => total + value * weight,
            0,
          );
          expect(candidate.score).toBe(again[index]?.score);
          expect(sum).toBeCloseTo(candidate.score, 9);
        });
      }),
      { numRuns: 500 },
    );
  });

  it("names for every provider all that refused it, and nothing for one that could be tried", () => {
    fc.assert(
      fc.property(remembered, demands, (all, demand) => {
        const snapshot = snapshotOf(all);
        const selected = selectedOf(snapshot, demand, nowMs);
        const record = explain(toldOf({ selected }), nowMs);
        for (const view of snapshot.endpoints) {
          const said = record.excluded.filter(({ provider }) => provider === view.provider);
          const rules = new Set(said.map(({ rule }) => rule));
          const isMeant =
            demand.provider === undefined ||
            demand.provider === view.provider ||
            view.tags.includes(demand.provider);
          expect(rules.has("not_requested")).toBe(!isMeant);
          expect(rules.has("excluded")).toBe(demand.exclude?.includes(view.provider) === true);
          expect(rules.has("method_unsupported")).toBe(view.unsupported.has("eth_call"));
          expect(rules.has("archive")).toBe(demand.needsArchive === true && !view.archival);
          expect(rules.has("block_range")).toBe(
            demand.blockRange === 100 && view.maxBlockRange === 10,
          );
          expect(rules.has("max_cost")).toBe(
            demand.maxCost === 10 && view.cost.pricePerMillionUnits > 10,
          );
          for (const { rule, transient } of said) expect(transient).toBe(!LASTING.has(rule));
          const { http, ws } = view.transports;
          const rows = [
            demand.transport === "ws" ? undefined : http,
            demand.transport === "http" ? undefined : ws,
          ];
          expect(rules.has("transport")).toBe(rows.every((row) => row === undefined));
          for (const row of rows) {
            if (row === undefined) continue;
            const ofRow = new Set(
              said.filter(({ transport }) => transport === row.transport).map(({ rule }) => rule),
            );
            expect(ofRow.has("cordoned")).toBe(!row.isUsable);
            expect(ofRow.has("breaker_open")).toBe(row.state !== "closed");
            expect(ofRow.has("cooldown")).toBe(row.cooldownUntilMs > nowMs);
            expect(ofRow.has("suspect")).toBe(row.suspect);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("remembers what the cells said when the request was served, whatever they say since", () => {
    const snapshot = snapshotOf({ a: {}, b: { http: { state: "open", openUntilMs: 110_000 } } });
    const selected = selectedOf(snapshot, { method: "eth_call" }, nowMs);
    const [a, b] = snapshot.endpoints.map(({ transports }) => transports.http);
    if (a === undefined || b === undefined) throw new Error("no rows");
    a.suspect = true;
    b.state = "closed";
    const { excluded } = explain(toldOf({ selected }), nowMs + 5_000);
    expect(excluded).toEqual([
      {
        provider: "b",
        transport: "http",
        rule: "breaker_open",
        value: 0,
        limit: null,
        transient: true,
      },
    ]);
  });

  it("says which block a provider had not reached, and how far behind it is", () => {
    const snapshot = snapshotOf({ a: { http: { head: 90 }, head: 90, lag: 10 } });
    const selected = selectedOf(snapshot, { method: "eth_call" }, nowMs, 95);
    const record = explain(toldOf({ selected }), nowMs);
    expect(record.excluded).toEqual([
      {
        provider: "a",
        transport: "http",
        rule: "block_unreached",
        value: 90,
        limit: 95,
        transient: true,
      },
    ]);
    expect(record.candidates[0]).toMatchObject({
      relaxed: [{ rule: "lag", value: 10, limit: 3 }],
      lag: 10,
      head: 90,
    });
  });
});
