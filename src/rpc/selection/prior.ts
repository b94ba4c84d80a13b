/**
 * What other regions say of a provider, for as long as this region has little evidence of its own
 * (`leaderboard.prior: regions`).
 *
 * It counts as a few samples of the provider's race credit and reliability: each region's word weighs
 * as much as there is behind it and less the further it is, all of them together at most `MOST_SAMPLES`,
 * and with each sample of our own less, until nothing. Latency is left out: it is the region's own.
 */
import type { ProviderId } from "../ids.ts";
import type { NeighbourRow } from "../help/ports.ts";
import type { EndpointView } from "./snapshot.ts";

/** A word of other regions: a value from 0 to 1, and the samples that it counts as. */
export interface Prior {
  readonly value: number;
  readonly samples: number;
  readonly regions: readonly string[];
}

/** What is said of one provider. */
export interface ProviderPrior {
  readonly race: Prior | undefined;
  /** Reliability of its calls. */
  readonly calls: Prior | undefined;
}

/** By provider. */
export type Priors = ReadonlyMap<ProviderId, ProviderPrior>;

/** What all other regions together count as at most: as many samples of our own outweigh them. */
export const MOST_SAMPLES = 10;
/** With so many samples of our own nobody else is asked. */
export const ENOUGH_SAMPLES = 30;
/** At this round trip a region's word counts half, ms; what an unknown one counts as. */
const HALF_MS = 100;
const UNKNOWN_MS = 300;
/** Less than this says nothing. */
const LEAST_SAMPLES = 0.001;
const CALLS = "calls:";

/** What a region's word counts at a distance, 0..1. */
export const nearness = (distanceMs: number | undefined): number =>
  HALF_MS / (HALF_MS + Math.max(0, distanceMs ?? UNKNOWN_MS));

/** What the regions say, taken together. */
export const priorsOf = (rows: readonly NeighbourRow[]): Priors => {
  const sums = new Map<ProviderId, { readonly race: Sum; readonly calls: Sum }>();
  for (const row of rows) {
    const sum = sums.get(row.provider) ?? { race: new Sum(), calls: new Sum() };
    sums.set(row.provider, sum);
    (row.subject.startsWith(CALLS) ? sum.calls : sum.race).add(row);
  }
  return new Map(
    [...sums].map(([provider, { race, calls }]) => [
      provider,
      { race: race.prior, calls: calls.prior },
    ]),
  );
};

/** What is left of a prior beside `own` samples. */
export const fading = (prior: Prior | undefined, own: number): number =>
  prior === undefined ? 0 : prior.samples * Math.max(0, 1 - own / ENOUGH_SAMPLES);

/** Own evidence with the prior's share: the value, and the samples behind it. */
export const blend = (
  own: number | undefined,
  samples: number,
  prior: Prior | undefined,
): { readonly value: number | undefined; readonly samples: number } => {
  const borrowed = fading(prior, samples);
  if (prior === undefined || borrowed === 0) return { value: own, samples };
  const sum = samples + borrowed;
  return { value: ((own ?? 0) * samples + prior.value * borrowed) / sum, samples: sum };
};

/** The race credit that a ranking goes by. */
export const paceOf = ({ race, prior }: EndpointView): number | undefined =>
  prior?.race === undefined
    ? race.paceScore
    : blend(race.paceScore, race.paceScore === undefined ? 0 : race.races, prior.race).value;

/** Adds up what regions say of one thing. */
class Sum {
  #weight = 0;
  #weighted = 0;
  readonly #regions = new Set<string>();

  add({ region, distanceMs, score, weight }: NeighbourRow): void {
    const counts = weight * nearness(distanceMs);
    if (!(counts > LEAST_SAMPLES)) return;
    this.#weight += counts;
    this.#weighted += counts * Math.min(1, Math.max(0, score));
    this.#regions.add(region);
  }

  get prior(): Prior | undefined {
    if (this.#weight === 0) return undefined;
    return {
      value: this.#weighted / this.#weight,
      samples: Math.min(MOST_SAMPLES, this.#weight),
      regions: [...this.#regions],
    };
  }
}
