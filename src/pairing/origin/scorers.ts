/** The founding system's scorers: each a weight and the kernel's formula. */
import { canonical, type CanonicalDemand } from "../../matching/canonical.ts";
import { ProviderIndex } from "../../matching/index/provider-index.ts";
import { customScorer } from "../../matching/scorers/custom.ts";
import { featureScorer } from "../../matching/scorers/features.ts";
import { locationScorer, strictLocationScorer } from "../../matching/scorers/location.ts";
import { type Scorer, safeScore } from "../../matching/scorers/scorer.ts";
import { linearStakeScorer, stakeScorer } from "../../matching/scorers/stake.ts";
import { demandOf } from "../policy.ts";
import type { ConsumerPolicy, ProviderRecord } from "../protocol.ts";

interface Weighing {
  readonly getWeight: () => number;
  readonly setWeight: (weight: number) => void;
}

type Calculate = (provider: ProviderRecord, policy: ConsumerPolicy) => number;

/** Scores by stake. */
export interface StakeScorer extends Weighing {
  readonly calculateStakeScore: Calculate;
}

/** Scores by place. */
export interface LocationScorer extends Weighing {
  readonly calculateLocationScore: Calculate;
}

/** Scores by features. */
export interface FeatureScorer extends Weighing {
  readonly calculateFeatureScore: Calculate;
}

/** Any of them. */
export type OriginScorer = StakeScorer | LocationScorer | FeatureScorer;

/** A weight that can be changed, and one of the kernel's scorers. */
class KernelScorer implements Weighing {
  readonly kernel: Scorer;
  #weight: number;

  constructor(kernel: Scorer, weight: number) {
    this.kernel = kernel;
    this.#weight = weight;
  }

  getWeight(): number {
    return this.#weight;
  }

  setWeight(weight: number): void {
    this.#weight = weight;
  }
}

/** The logarithm of the stake, 1 from ten million on. */
export class DefaultStakeScorer extends KernelScorer implements StakeScorer {
  constructor(weight = 0.4) {
    super(stakeScorer, weight);
  }

  calculateStakeScore(provider: ProviderRecord, policy: ConsumerPolicy): number {
    return scoreOf(this.kernel, provider, policy);
  }
}

/** The stake in millions, 1 from one on. */
export class LinearStakeScorer extends KernelScorer implements StakeScorer {
  constructor(weight: number) {
    super(linearStakeScorer, weight);
  }

  calculateStakeScore(provider: ProviderRecord, policy: ConsumerPolicy): number {
    return scoreOf(this.kernel, provider, policy);
  }
}

/** 1 at the place, 0.7 in its region, 0.2 elsewhere, 0.5 without a requirement. */
export class DefaultLocationScorer extends KernelScorer implements LocationScorer {
  constructor(weight = 0.3) {
    super(locationScorer, weight);
  }

  calculateLocationScore(provider: ProviderRecord, policy: ConsumerPolicy): number {
    return scoreOf(this.kernel, provider, policy);
  }
}

/** 1 at the place or without a requirement, else 0. */
export class StrictLocationScorer extends KernelScorer implements LocationScorer {
  constructor(weight: number) {
    super(strictLocationScorer, weight);
  }

  calculateLocationScore(provider: ProviderRecord, policy: ConsumerPolicy): number {
    return scoreOf(this.kernel, provider, policy);
  }
}

/** The share of the required features, and a bonus for more. */
export class DefaultFeatureScorer extends KernelScorer implements FeatureScorer {
  constructor(weight = 0.3) {
    super(featureScorer, weight);
  }

  calculateFeatureScore(provider: ProviderRecord, policy: ConsumerPolicy): number {
    return scoreOf(this.kernel, provider, policy);
  }
}

/** The kernel's scorer of an object of this folder, or of one from outside that has its methods. */
export function kernelScorerOf(name: string, scorer: unknown): Scorer {
  if (scorer instanceof KernelScorer) return scorer.kernel;
  const calculate = calculateOf(scorer);
  if (calculate === undefined) throw new TypeError("unsupported scorer type");
  return customScorer(name, "From outside", (row, index, demand) => {
    const { id, location = "", stake = 0n, features = [] } = index.providerAt(row);
    return calculate({ address: id, location, stake, features }, policyOf(demand));
  });
}

function calculateOf(scorer: unknown): Calculate | undefined {
  if (typeof scorer !== "object" || scorer === null || !("getWeight" in scorer)) return undefined;
  const methods = scorer as Partial<StakeScorer & LocationScorer & FeatureScorer>;
  return (
    methods.calculateStakeScore?.bind(scorer) ??
    methods.calculateLocationScore?.bind(scorer) ??
    methods.calculateFeatureScore?.bind(scorer)
  );
}

/** The policy that a demand was made of, its features as the kernel compares them. */
export const policyOf = (demand: CanonicalDemand): ConsumerPolicy => {
  const place = demand.preferLocation ?? demand.locations[0];
  return {
    requiredLocation: typeof place === "string" ? place : "",
    requiredFeatures: demand.preferFeatures ?? demand.allOf,
    minStake: demand.minStake,
  };
};

/** One provider's score; NaN for one that cannot be kept is none, hence 0. */
function scoreOf(scorer: Scorer, provider: ProviderRecord, policy: ConsumerPolicy): number {
  const { address, ...rest } = provider;
  const index = new ProviderIndex({ name: "one" });
  const put = index.put({ id: address, ...rest });
  if (!put.ok) throw new RangeError(put.message);
  const demand = canonical(demandOf({ policy }, { profile: "", top: 1 }));
  return safeScore(scorer.bind(index, demand), put.row);
}
