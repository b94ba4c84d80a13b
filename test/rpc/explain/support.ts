/** Requests made by hand for tests of explanations. */
import type { Told, ToldAttempt } from "../../../src/rpc/explain/told.ts";
import { rank } from "../../../src/rpc/selection/rank.ts";
import { packFaults, packMore, type Selected } from "../../../src/rpc/selection/selected.ts";
import type { RoutingSnapshot, SelectionDemand } from "../../../src/rpc/selection/snapshot.ts";

/** A selection as the engine makes it. */
export const selectedOf = (
  snapshot: RoutingSnapshot,
  demand: SelectionDemand,
  nowMs: number,
  minHead = 0,
): Selected => {
  const ranking = rank(snapshot, demand);
  return {
    snapshot,
    demand,
    ranking,
    minHead,
    faults: packFaults(ranking, 0, nowMs),
    moreFaults: packMore(ranking, nowMs),
    atMs: nowMs,
    tookMs: 0.002,
  };
};

/** An attempt; a good one when nothing is said. */
export const attemptOf = (overrides: Partial<ToldAttempt> = {}): ToldAttempt => ({
  provider: "a",
  row: { transport: "http" },
  kind: "primary",
  errorClass: "ok",
  isSettled: true,
  startMs: 1000,
  durationMs: 40,
  expiresAtMs: 2000,
  ...overrides,
});

/** A request; a plain good one when nothing is said. */
export const toldOf = (overrides: Partial<Told> = {}): Told => ({
  requestId: "r1",
  clientRequestId: undefined,
  chain: "ethereum",
  method: "eth_call",
  strategy: "leaderboard",
  protocol: "http",
  isDone: true,
  outcome: "ok",
  reason: undefined,
  provider: "a",
  cache: "MISS",
  startMs: 1000,
  durationMs: 40,
  selected: undefined,
  attempts: [attemptOf()],
  attemptCount: overrides.attempts?.length ?? 1,
  notes: undefined,
  paramsBytes: 20,
  ...overrides,
});
