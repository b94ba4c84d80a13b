/** The parts of the composite score, each 0..1 (json-rpc reference 11). */
import { median } from "../../lib/median.ts";
import type { Entry } from "./entry.ts";
import type { RoutingSnapshot } from "./snapshot.ts";

const unknownLatency = 0.25;
const noRacesAtAll = 0.5;

/** 1 for instant, 0.5 for 100 ms. */
export const latencyScore = (p50Ms: number | undefined): number =>
  p50Ms === undefined ? unknownLatency : 1 / (1 + p50Ms / 100);

const freshnessScore = (snapshot: RoutingSnapshot, lag: number | undefined): number => {
  if (snapshot.tip < 0) return 1;
  return lag === undefined ? 0 : 1 / (1 + Math.max(0, lag));
};

const raceComponent = (snapshot: RoutingSnapshot, { view }: Entry): number | undefined => {
  if (view.race.paceScore === undefined) return undefined;
  if (snapshot.rules.formula === "pace") return view.race.paceScore;
  return view.race.raceScore / (1 + view.race.raceScore);
};

/**
 * The leaderboard's score of each entry: race, reliability, latency and freshness by the chain's
 * weights. An endpoint that cannot race (no WebSocket, or no race yet) counts as the median.
 */
export const compositeScores = (
  snapshot: RoutingSnapshot,
  entries: readonly Entry[],
): ReadonlyMap<Entry, number> => {
  const { weights } = snapshot.rules;
  const sum = weights.race + weights.reliability + weights.latency + weights.freshness || 1;
  const races = entries.map((entry) => raceComponent(snapshot, entry));
  const middle = median(races.filter((race) => race !== undefined)) ?? noRacesAtAll;
  return new Map(
    entries.map((entry, i) => {
      const parts =
        weights.race * (races[i] ?? middle) +
        weights.reliability * entry.reliabilityLb +
        weights.latency * latencyScore(entry.call?.p50Ms) +
        weights.freshness * freshnessScore(snapshot, entry.view.lag);
      return [entry, parts / sum];
    }),
  );
};

/** 1 for free, 0.5 for the median price of those that cost anything. */
export const cheapScores = (entries: readonly Entry[]): ReadonlyMap<Entry, number> => {
  const middle = median(entries.map(({ cost }) => cost).filter((cost) => cost > 0)) ?? 1;
  return new Map(entries.map((entry) => [entry, 1 / (1 + entry.cost / middle)]));
};
