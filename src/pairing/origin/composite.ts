/** The founding system's composite: a view on a profile of the kernel. */
import { bindingOf } from "../../matching/binding.ts";
import { compile, type Plan } from "../../matching/compile.ts";
import { weightFault } from "../../matching/demand.ts";
import { componentsOf } from "../../matching/picks.ts";
import { Composite } from "../../matching/scorers/composite.ts";
import type { Profiles } from "../../matching/scorers/profiles.ts";
import { demandOf } from "../policy.ts";
import type { ConsumerPolicy, ProviderRecord } from "../protocol.ts";
import { ProviderStore } from "../provider-store.ts";
import {
  DefaultFeatureScorer,
  DefaultLocationScorer,
  DefaultStakeScorer,
  kernelScorerOf,
  type OriginScorer,
} from "./scorers.ts";

/** A provider with what it scored; all numbers 0..1. */
export interface PairingScore {
  readonly provider: ProviderRecord;
  readonly score: number;
  readonly components: Readonly<Record<string, number>>;
}

/** A whole way to score. */
export interface ScoringStrategy {
  readonly calculateScore: (provider: ProviderRecord, policy: ConsumerPolicy) => PairingScore;
  readonly getName: () => string;
  readonly getDescription: () => string;
}

/** Weighted scorers by name. */
export class CompositeScoringSystem implements ScoringStrategy {
  /** The kernel's profile; `sync` it before use, for weights may have changed in their scorers. */
  readonly kernel: Composite;
  readonly #scorers = new Map<string, OriginScorer>();

  constructor(name: string, description: string) {
    this.kernel = new Composite(name, description);
  }

  getName(): string {
    return this.kernel.name;
  }

  getDescription(): string {
    return this.kernel.description;
  }

  /** Adds a scorer, or replaces the one of that name; an object that is none is an error. */
  addScorer(name: string, scorer: OriginScorer): this {
    const kernel = kernelScorerOf(name, scorer);
    this.kernel.add(name, kernel, scorer.getWeight());
    this.#scorers.set(name, scorer);
    return this;
  }

  removeScorer(name: string): void {
    this.kernel.remove(name);
    this.#scorers.delete(name);
  }

  getScorer(name: string): OriginScorer {
    const scorer = this.#scorers.get(name);
    if (scorer === undefined) throw new RangeError(`scorer ${name} not found`);
    return scorer;
  }

  /** All names, in order. */
  listScorers(): string[] {
    return this.kernel.list();
  }

  setScorerWeight(name: string, weight: number): void {
    const scorer = this.getScorer(name);
    this.kernel.setWeight(name, weight);
    scorer.setWeight(weight);
  }

  getScorerWeight(name: string): number {
    return this.getScorer(name).getWeight();
  }

  /** One provider, filters aside. */
  calculateScore(provider: ProviderRecord, policy: ConsumerPolicy): PairingScore {
    const [score] = this.scoreAll([provider], policy);
    if (score === undefined) throw new RangeError(`provider ${provider.address} cannot be scored`);
    return score;
  }

  /** Providers, filters aside, best first, equals by address. */
  scoreAll(providers: readonly ProviderRecord[], policy: ConsumerPolicy): PairingScore[] {
    const store = new ProviderStore("scored", Math.max(1, providers.length));
    for (const provider of providers) store.put(provider);
    const given = new Map(providers.map((provider) => [provider.address, provider]));
    const binding = bindingOf(this.#planOf(policy), store.index);
    const total = binding.weightSum;
    const sums = new Map<string, number>();
    const scores = [...store.index.rows()].map((row): PairingScore => {
      const components: Record<string, number> = {};
      let sum = 0;
      // The order of the names, as in the kernel, for the last bit to be equal.
      for (const [name, score] of Object.entries(componentsOf(binding, row))) {
        components[name] = score ?? 0;
        sum += (binding.scorers.find((one) => one.name === name)?.weight ?? 0) * (score ?? 0);
      }
      const address = store.index.ids[row] as string;
      sums.set(address, sum);
      const provider = given.get(address) as ProviderRecord;
      return { provider, score: total === 0 ? 0 : sum / total, components };
    });
    const sumOf = ({ provider }: PairingScore): number => sums.get(provider.address) ?? 0;
    return scores.sort(
      (a, b) => sumOf(b) - sumOf(a) || (a.provider.address < b.provider.address ? -1 : 1),
    );
  }

  /** What is wrong with weights that scorers have come to by themselves. */
  faults(): readonly string[] {
    return [...this.#scorers].flatMap(([name, scorer]) => {
      const message = weightFault(scorer.getWeight());
      return message === undefined ? [] : [`weight of ${name}: ${message}`];
    });
  }

  /** Takes over weights that were changed in the scorers themselves. */
  sync(): void {
    for (const [name, scorer] of this.#scorers) {
      const weight = scorer.getWeight();
      if (this.kernel.weightOf(name) !== weight) this.kernel.setWeight(name, weight);
    }
  }

  #planOf(policy: ConsumerPolicy): Plan {
    this.sync();
    const { name } = this.kernel;
    const profiles: Profiles = {
      composites: new Map([[name, this.kernel]]),
      filters: new Map(),
    };
    const compiled = compile(demandOf({ policy }, { profile: name, top: 1 }), profiles);
    if (!compiled.ok)
      throw new RangeError(compiled.faults.map(({ message }) => message).join("; "));
    return compiled.plan;
  }
}

/** Stake 0.4, location 0.3, features 0.3. */
export const defaultComposite = (): CompositeScoringSystem =>
  new CompositeScoringSystem("Default Composite Scoring", "Stake, location and features")
    .addScorer("stake", new DefaultStakeScorer())
    .addScorer("location", new DefaultLocationScorer())
    .addScorer("features", new DefaultFeatureScorer());
