/** What the word of other regions does to a ranking, and where it does nothing. */
import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { explain } from "../../../src/rpc/explain/explain.ts";
import type { NeighbourRow } from "../../../src/rpc/help/ports.ts";
import { buildSnapshot } from "../../../src/rpc/routing.ts";
import { ENOUGH_SAMPLES, priorsOf } from "../../../src/rpc/selection/prior.ts";
import { rank } from "../../../src/rpc/selection/rank.ts";
import { chainConfig, chainState } from "../actors/kit.ts";

const IDS = ["a", "b", "c"];
const METHOD = "eth_call";
const MOST_FAILURES = 30;

/** The ranking of a chain after `calls` calls of each provider and other ones, and what others say. */
const rankingOf = (
  calls: number,
  failures: readonly number[],
  rows: readonly NeighbourRow[],
  otherCalls = 0,
) => {
  const state = chainState(chainConfig(IDS, "    leaderboard: { prior: regions, half_life: 24h }"));
  IDS.forEach((id, at) => {
    const { http } = state.rows(id);
    http.isUsable = true;
    for (let call = 0; call < otherCalls; call++) {
      state.evidence.recordCall(id, "http", "eth_gasPrice", "ok", 10 + at, call);
    }
    for (let call = 0; call < calls; call++) {
      const result = call < (failures[at] ?? 0) ? "server" : "ok";
      state.evidence.recordCall(id, "http", METHOD, result, 10 + at, call);
    }
  });
  state.priors = rows.length === 0 ? undefined : priorsOf(rows);
  const snapshot = buildSnapshot(state, 1, calls);
  const ranking = rank(snapshot, { method: METHOD });
  return { ranking, snapshot };
};

const order = ({ ranking }: ReturnType<typeof rankingOf>) =>
  ranking.candidates.map(({ view, score, tier, place }) => [view.provider, score, tier, place]);

const say = (provider: string, subject: string, score: number): NeighbourRow => ({
  region: "us",
  distanceMs: 20,
  provider,
  subject,
  score,
  weight: 500,
});

const row: fc.Arbitrary<NeighbourRow> = fc.record({
  region: fc.constantFrom("us", "ap"),
  distanceMs: fc.constantFrom(5, 200, undefined),
  provider: fc.constantFrom(...IDS),
  subject: fc.constantFrom("newHeads", "calls:state"),
  score: fc.double({ min: 0, max: 1, noNaN: true }),
  weight: fc.double({ min: 0, max: 1e6, noNaN: true }),
});

/** The prior of a provider as an explanation of such a ranking shows it. */
const explained = ({ ranking, snapshot }: ReturnType<typeof rankingOf>) => {
  const selected = {
    snapshot,
    demand: { method: METHOD },
    ranking,
    minHead: 0,
    faults: 0,
    moreFaults: 0,
    atMs: 15,
    tookMs: 0,
  };
  const record = explain(
    {
      requestId: "r",
      clientRequestId: undefined,
      chain: "eth",
      method: METHOD,
      strategy: "leaderboard",
      protocol: "http",
      isDone: true,
      outcome: "ok",
      reason: undefined,
      provider: "a",
      cache: "MISS",
      startMs: 15,
      durationMs: 1,
      selected,
      attempts: [],
      attemptCount: 0,
      notes: undefined,
      paramsBytes: 0,
    },
    16,
  );
  return (id: string) => record.candidates.find(({ provider }) => provider === id)?.prior;
};

describe("a ranking with the word of other regions", () => {
  it("follows it where this region knows nothing", () => {
    const rows = [
      say("c", "newHeads", 0.9),
      say("c", "calls:state", 0.99),
      say("a", "calls:state", 0.4),
    ];
    const [first, ...others] = order(rankingOf(0, [], rows));
    expect(first?.slice(0, 1)).toEqual(["c"]);
    expect(first?.[2]).toBe("qualified");
    expect(others.map(([provider, , tier]) => [provider, tier])).toEqual([
      ["b", "unknown"],
      ["a", "degraded"],
    ]);
    expect(order(rankingOf(0, [], []))[0]?.[0]).toBe("a");
  });

  it("is the same as without once this region knows enough", () => {
    fc.assert(
      fc.property(
        // A method has a cell once it was answered: what failed before is in that of all others.
        fc.integer({ min: MOST_FAILURES + ENOUGH_SAMPLES + 1, max: 90 }),
        fc.array(fc.integer({ min: 0, max: MOST_FAILURES }), { minLength: 3, maxLength: 3 }),
        fc.array(row, { minLength: 1, maxLength: 12 }),
        (calls, failures, rows) => {
          const ofCalls = rows.filter(({ subject }) => subject.startsWith("calls:"));
          expect(order(rankingOf(calls, failures, ofCalls))).toEqual(
            order(rankingOf(calls, failures, [])),
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  it("shows in the explanation what was said, by whom, and how much of it still counts", () => {
    const priorOf = explained(rankingOf(15, [], [say("a", "calls:state", 0.5)]));
    const { calls, race } = priorOf("a") ?? {};
    expect(race).toBeNull();
    expect(calls).toMatchObject({ value: 0.5, regions: ["us"] });
    expect(calls?.samples).toBeCloseTo(5, 1);
    expect(priorOf("b")).toBeNull();
  });

  it("shows the share that the ranking has used: beside the method's own record once it speaks", () => {
    // 15 calls of the method among 1,000 of the provider: the 15 are judged, so half of it counts.
    const priorOf = explained(rankingOf(15, [], [say("a", "calls:state", 0.5)], 1_000));
    expect(priorOf("a")?.calls?.samples).toBeCloseTo(5, 0);
  });
});
