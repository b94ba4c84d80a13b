/** The parts of the composite score, each 0..1 (json-rpc reference 11). */
import type { LeaderboardWeights } from "../../../config/schema.ts";
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

/** The race components of entries; whoever cannot race (no WebSocket, or no race yet) counts as the median. */
const raceComponents = (
  snapshot: RoutingSnapshot,
  entries: readonly Entry[],
): readonly number[] => {
  const races = entries.map((entry) => raceComponent(snapshot, entry));
  const middle = median(races.filter((race) => race !== undefined)) ?? noRacesAtAll;
  return races.map((race) => race ?? middle);
};

/** The leaderboard's score of each entry: race, reliability, latency and freshness by the chain's weights. */
export const compositeScores = (
  snapshot: RoutingSnapshot,
  entries: readonly Entry[],
): ReadonlyMap<Entry, number> => {
  const { weights } = snapshot.rules;
  const sum = sumOf(weights);
  const races = raceComponents(snapshot, entries);
  return new Map(
    entries.map((entry, i) => {
      const parts =
        weights.race * (races[i] ?? 0) +
        weights.reliability * entry.reliabilityLb +
        weights.latency * latencyScore(entry.call?.p50Ms) +
        weights.freshness * freshnessScore(snapshot, entry.view.lag);
      return [entry, parts / sum];
    }),
  );
};

const sumOf = ({ race, reliability, latency, freshness }: LeaderboardWeights): number =>
  race + reliability + latency + freshness || 1;

/** One part of a score: the score is the sum of `weight` times `value` over its parts. */
export interface ScorePart {
  readonly name: string;
  /** What was measured or configured, in its own unit; null while unknown. */
  readonly raw: number | string | null;
  readonly value: number;
  readonly weight: number;
}

/** The composite score of each entry taken apart, in the order of the entries. */
export const compositeParts = (
  snapshot: RoutingSnapshot,
  entries: readonly Entry[],
): readonly (readonly ScorePart[])[] => {
  const { weights, formula } = snapshot.rules;
  const sum = sumOf(weights);
  const races = raceComponents(snapshot, entries);
  return entries.map(({ view, call, reliabilityLb }, i) => {
    const { paceScore, raceScore } = view.race;
    const part = (
      name: keyof LeaderboardWeights,
      raw: number | undefined,
      value: number,
    ): ScorePart => ({ name, raw: raw ?? null, value, weight: weights[name] / sum });
    const raced = formula === "pace" || paceScore === undefined ? paceScore : raceScore;
    return [
      part("race", raced, races[i] ?? 0),
      part("reliability", reliabilityLb, reliabilityLb),
      part("latency", call?.p50Ms, latencyScore(call?.p50Ms)),
      part("freshness", view.lag, freshnessScore(snapshot, view.lag)),
    ];
  });
};

/** 1 for free, 0.5 for the median price of those that cost anything. */
export const cheapScores = (entries: readonly Entry[]): ReadonlyMap<Entry, number> => {
  const middle = median(entries.map(({ cost }) => cost).filter((cost) => cost > 0)) ?? 1;
  return new Map(entries.map((entry) => [entry, 1 / (1 + entry.cost / middle)]));
};
