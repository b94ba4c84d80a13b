/** The profiles and custom filters that demands name, and those that are always there. */
import { Composite } from "./composite.ts";
import type { CustomFilter } from "../filters/filter.ts";
import { featureScorer } from "./features.ts";
import { locationScorer, strictLocationScorer } from "./location.ts";
import {
  freshnessScorer,
  latencyScorer,
  loadScorer,
  priceScorer,
  priorityScorer,
  raceScorer,
  reliabilityScorer,
} from "./signals.ts";
import { linearStakeScorer, stakeScorer } from "./stake.ts";

/** What demands may name. */
export interface Profiles {
  readonly composites: Map<string, Composite>;
  readonly filters: Map<string, CustomFilter>;
}

/** The profiles there are without any configuration. */
export function defaultProfiles(medianPrice = 1): Profiles {
  const composites = [
    new Composite("pairing", "Default Composite Scoring")
      .add("stake", stakeScorer, 0.4)
      .add("location", locationScorer, 0.3)
      .add("features", featureScorer, 0.3),
    new Composite("pairing-strict", "Linear stake at the exact place")
      .add("stake", linearStakeScorer, 0.6)
      .add("location", strictLocationScorer, 0.4),
    new Composite("leaderboard", "Races, reliability, latency and freshness")
      .add("race", raceScorer, 0.4)
      .add("reliability", reliabilityScorer, 0.3)
      .add("latency", latencyScorer, 0.2)
      .add("freshness", freshnessScorer, 0.1),
    new Composite("balanced", "Stake, reliability and latency")
      .add("stake", stakeScorer, 0.4)
      .add("reliability", reliabilityScorer, 0.3)
      .add("latency", latencyScorer, 0.3),
    new Composite("fastest", "Latency alone").add("latency", latencyScorer, 1),
    new Composite("cheapest", "Price alone").add("price", priceScorer(medianPrice), 1),
    new Composite("idle", "What has least to do").add("load", loadScorer, 1),
    new Composite("priority", "The configured order").add("priority", priorityScorer, 1),
  ];
  return { composites: new Map(composites.map((one) => [one.name, one])), filters: new Map() };
}
