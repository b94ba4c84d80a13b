/**
 * The reference: filter, score, sort, over plain objects, in the obvious way. It shares nothing with the
 * fast paths but the canonical demand, so that tests can hold them against it and benches measure them.
 */
import type { CanonicalDemand } from "../../src/matching/canonical.ts";
import type { Provider } from "../../src/matching/provider.ts";

/** A provider with its labels ready to be compared. */
export interface NaiveProvider extends Omit<Provider, "features" | "states"> {
  readonly features: ReadonlySet<string>;
  readonly states: ReadonlySet<string>;
}

/** One scorer of the reference. */
export type NaiveScorer = (provider: NaiveProvider, demand: CanonicalDemand) => number;

/** A provider that may serve, with its raw sum. */
export interface NaivePick {
  readonly provider: NaiveProvider;
  readonly sum: number;
}

const low = (list: readonly string[] = []) =>
  new Set(list.map((text) => text.trim().toLowerCase()));
const value = ({ values }: NaiveProvider, name: string) => values?.[name] ?? Number.NaN;

/** Prepares a provider once. */
export const naiveProvider = ({ features, states, ...rest }: Provider): NaiveProvider => ({
  ...rest,
  features: low(features),
  states: low(states),
});

/** Whether a provider may serve. */
export function naiveFilter(provider: NaiveProvider, demand: CanonicalDemand): boolean {
  const { id, owner = "", location = "", stake = 0n, features, states } = provider;
  const isThere = demand.locations.some((need) => {
    if (typeof need === "string") return need === location;
    if ("within" in need)
      return `${location}-`.startsWith(`${need.within}-`) || location.startsWith(`${need.within}/`);
    return (
      location.length > 1 &&
      need.region.length > 1 &&
      location.slice(0, 2) === need.region.slice(0, 2)
    );
  });
  return (
    (demand.locations.length === 0 || isThere) &&
    demand.allOf.every((name) => features.has(name)) &&
    (demand.anyOf.length === 0 || demand.anyOf.some((name) => features.has(name))) &&
    !demand.noneOf.some((name) => features.has(name)) &&
    (demand.minStake <= 0n || stake >= demand.minStake) &&
    (demand.ids?.includes(id) ?? true) &&
    (demand.owners?.includes(owner) ?? true) &&
    !demand.exclude.includes(id) &&
    demand.resources.every(([name, least]) => value(provider, name) >= least) &&
    demand.states.is.every((name) => states.has(name)) &&
    !demand.states.isNot.some((name) => states.has(name)) &&
    demand.signals.every(
      ([name, { min, max }]) => value(provider, name) >= min && value(provider, name) <= max,
    )
  );
}

/** Filters, scores in ascending order of names, sorts by raw sum and id. */
export function naiveRank(
  providers: readonly NaiveProvider[],
  demand: CanonicalDemand,
  scorers: readonly (readonly [name: string, weight: number, score: NaiveScorer])[],
): NaivePick[] {
  const sorted = [...scorers].sort(([a], [b]) => (a < b ? -1 : 1));
  return providers
    .filter((provider) => naiveFilter(provider, demand))
    .map((provider) => {
      let sum = 0;
      for (const [, weight, score] of sorted) {
        const raw = attempt(score, provider, demand);
        sum += weight * (Number.isNaN(raw) ? 0 : Math.max(0, Math.min(1, raw)));
      }
      return { provider, sum };
    })
    .sort((a, b) => b.sum - a.sum || (a.provider.id < b.provider.id ? -1 : 1));
}

const attempt = (score: NaiveScorer, provider: NaiveProvider, demand: CanonicalDemand): number => {
  try {
    return score(provider, demand);
  } catch {
    return Number.NaN;
  }
};

const region = (a: string, b: string) =>
  a.length > 1 && b.length > 1 && a.slice(0, 2) === b.slice(0, 2);
const known = (raw: number, score: (raw: number) => number) =>
  Number.isNaN(raw) ? 0.25 : score(raw);

/** The formulas, written down a second time. */
export const naiveScorers: Readonly<Record<string, NaiveScorer>> = {
  stake: ({ stake = 0n }) =>
    stake < 1n ? 0 : Math.min(1, Math.log10(Number(stake)) / Math.log10(10_000_000)),
  linearStake: ({ stake = 0n }) => (stake < 1n ? 0 : Math.min(1, Number(stake) / 1_000_000)),
  location: ({ location = "" }, { preferLocation, locations }) => {
    const needs = preferLocation === undefined ? locations : [preferLocation];
    if (needs.length === 0) return 0.5;
    const at = (need: (typeof needs)[number]) => {
      if (typeof need === "string")
        return location === need ? 1 : region(need, location) ? 0.7 : 0.2;
      if ("region" in need) return region(need.region, location) ? 1 : 0.2;
      if (`${location}-`.startsWith(`${need.within}-`) || location.startsWith(`${need.within}/`))
        return 1;
      return region(need.within, location) ? 0.7 : 0.2;
    };
    return Math.max(...needs.map(at));
  },
  strictLocation: (provider, demand) => {
    if (demand.preferLocation === undefined && demand.locations.length === 0) return 1;
    return naiveScorers["location"]?.(provider, demand) === 1 ? 1 : 0;
  },
  features: (provider, { preferFeatures, allOf }) => {
    const wanted = preferFeatures ?? allOf;
    if (wanted.length === 0) return 0.5;
    const has = provider.features;
    const extra = has.size - wanted.length;
    const bonus = extra > 0 ? Math.min(0.05 * extra, 0.2) : 0;
    return Math.min(1, wanted.filter((name) => has.has(name)).length / wanted.length + bonus);
  },
  latency: (provider) => known(value(provider, "latencyMs"), (ms) => 1 / (1 + ms / 100)),
  reliability: (provider) => known(value(provider, "reliability"), (share) => share),
  load: (provider) => known(value(provider, "load"), (share) => 1 - share),
  priority: (provider) => known(value(provider, "priority"), (number) => 1 / (1 + number / 100)),
};
