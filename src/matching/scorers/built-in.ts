/** The kernel's own scorers by kind: what another thread can be told by name. */
import { featureScorer } from "./features.ts";
import { locationScorer, strictLocationScorer } from "./location.ts";
import type { Scorer } from "./scorer.ts";
import {
  freshnessScorer,
  latencyScorer,
  loadScorer,
  priorityScorer,
  raceScorer,
  reliabilityScorer,
} from "./signals.ts";
import { linearStakeScorer, stakeScorer } from "./stake.ts";

/** Scorers that are the same in every thread. */
export const BUILT_IN = {
  stake: stakeScorer,
  linearStake: linearStakeScorer,
  location: locationScorer,
  strictLocation: strictLocationScorer,
  features: featureScorer,
  latency: latencyScorer,
  reliability: reliabilityScorer,
  race: raceScorer,
  freshness: freshnessScorer,
  load: loadScorer,
  priority: priorityScorer,
} as const satisfies Readonly<Record<string, Scorer>>;

/** The name of a scorer that is the same everywhere. */
export type ScorerName = keyof typeof BUILT_IN;

/** The kind of a scorer, or undefined for one from outside. */
export const builtInName = (scorer: Scorer): ScorerName | undefined => BY_SCORER.get(scorer);

const BY_SCORER = new Map<Scorer, ScorerName>(
  Object.entries(BUILT_IN).map(([name, scorer]) => [scorer, name as ScorerName]),
);
