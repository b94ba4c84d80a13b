/** Best composite score first: races, reliability, latency, freshness. The default. */
import type { LeaderboardWeights } from "../../../../config/schema.ts";
import {
  freshnessScorer,
  latencyScorer,
  raceScorer,
  reliabilityScorer,
} from "../../../matching/scorers/signals.ts";
import { paceOf } from "../prior.ts";
import type { SelectionRules } from "../snapshot.ts";
import type { ProfilePart, Strategy } from "./strategy.ts";

/** A weight's share of all of them. */
const shareOf =
  (name: keyof LeaderboardWeights) =>
  ({ weights }: SelectionRules): number => {
    const { race, reliability, latency, freshness } = weights;
    return weights[name] / (race + reliability + latency + freshness || 1);
  };

/** The parts of the composite score (json-rpc reference 11). */
export const compositeParts: readonly ProfilePart[] = [
  {
    name: "race",
    scorer: raceScorer,
    weight: shareOf("race"),
    raw: ({ view }, { rules }) => {
      if (rules.formula === "pace") return paceOf(view);
      return view.race.paceScore === undefined ? undefined : view.race.raceScore;
    },
  },
  {
    name: "reliability",
    scorer: reliabilityScorer,
    weight: shareOf("reliability"),
    raw: ({ reliabilityLb }) => reliabilityLb,
  },
  {
    name: "latency",
    scorer: latencyScorer,
    weight: shareOf("latency"),
    raw: ({ call }) => call?.p50Ms,
  },
  {
    name: "freshness",
    scorer: freshnessScorer,
    weight: shareOf("freshness"),
    raw: ({ view }) => view.lag,
  },
];

/** The `leaderboard` strategy. */
export const leaderboard: Strategy = {
  name: "leaderboard",
  description: "Races, reliability, latency and freshness",
  usesEvidence: true,
  isSticky: true,
  profile: compositeParts,
  orderBy: ["score", "priority"],
};
