/**
 * A named, weighted set of scorers: what a demand calls its profile. Scorers and weights change at run
 * time; every change makes a new version, and the next match uses it.
 */
import { weightFault } from "../demand.ts";
import type { Scorer } from "./scorer.ts";

/** Most scorers of a composite. */
export const MAX_SCORERS = 16;

/** One scorer and what it counts. */
export interface Weighted {
  readonly name: string;
  readonly scorer: Scorer;
  readonly weight: number;
}

/** A composite. Names it does not know are errors: `scorer <name> not found`. */
export class Composite {
  readonly name: string;
  readonly description: string;
  /** Changes with every change of a scorer or a weight. */
  version = 0;
  #scorers: readonly Weighted[] = [];

  constructor(name: string, description: string) {
    this.name = name;
    this.description = description;
  }

  /** In ascending order of names, which is the order that scores are added in. */
  get scorers(): readonly Weighted[] {
    return this.#scorers;
  }

  /** Adds a scorer under a name, or replaces the one of that name. */
  add(name: string, scorer: Scorer, weight: number): this {
    if (typeof (scorer as Partial<Scorer> | undefined)?.bind !== "function") {
      throw new TypeError("unsupported scorer type");
    }
    const others = this.#scorers.filter((one) => one.name !== name);
    if (others.length >= MAX_SCORERS) throw new RangeError(`at most ${MAX_SCORERS} scorers`);
    this.#write([...others, { name, scorer, weight: checked(weight) }]);
    return this;
  }

  /** Takes a scorer out. */
  remove(name: string): void {
    this.#known(name);
    this.#write(this.#scorers.filter((one) => one.name !== name));
  }

  /** The scorer of a name. */
  get(name: string): Scorer {
    return this.#known(name).scorer;
  }

  /** All names, in ascending order. */
  list(): string[] {
    return this.#scorers.map(({ name }) => name);
  }

  /** What a scorer counts. */
  weightOf(name: string): number {
    return this.#known(name).weight;
  }

  /** Changes what a scorer counts: a number from 0 on. */
  setWeight(name: string, weight: number): void {
    const known = this.#known(name);
    this.#write([
      ...this.#scorers.filter((one) => one !== known),
      { ...known, weight: checked(weight) },
    ]);
  }

  #known(name: string): Weighted {
    const known = this.#scorers.find((one) => one.name === name);
    if (known === undefined) throw new RangeError(`scorer ${name} not found`);
    return known;
  }

  #write(scorers: readonly Weighted[]): void {
    this.#scorers = scorers.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    this.version++;
  }
}

const checked = (weight: number): number => {
  const fault = weightFault(weight);
  if (fault !== undefined) throw new RangeError(`a weight: ${fault}`);
  return weight;
};
