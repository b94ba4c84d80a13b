/** Filters by what a provider is called: its place, features and states. */
import type { CanonicalDemand } from "../canonical.ts";
import type { LocationNeed } from "../demand.ts";
import type { Labels } from "../index/labels.ts";
import type { Clause, FilterRule } from "./filter.ts";

/** `location`: exact, a region, a hierarchy, or a list of them. */
export const locationFilter: FilterRule = ({ locations }, index) => {
  if (locations.length === 0) return undefined;
  const { names, slots } = index.locations;
  const wanted = slots.filter((_, code) => isAnywhere(locations, names[code] as string));
  return {
    name: "location",
    isTransient: false,
    clauses: [{ slots: wanted, isNegated: false }],
    need: locations.map(shown).join(" or "),
    have: (row) => index.locationAt(row),
  };
};

/** `features`: all of, any of, none of. */
export const featureFilter: FilterRule = (demand, index) => {
  const { allOf, anyOf, noneOf } = demand;
  if (allOf.length + anyOf.length + noneOf.length === 0) return undefined;
  return {
    name: "features",
    isTransient: false,
    clauses: [
      ...clausesOf(index.features, allOf, noneOf),
      ...(anyOf.length === 0 ? [] : [oneOf(index.features, anyOf)]),
    ],
    need: featureText(demand),
    have: (row) => index.features.of(row).join(", "),
  };
};

/** `health`: states a provider must be in, and must not be in. */
export const healthFilter: FilterRule = ({ states: { is, isNot } }, index) => {
  if (is.length + isNot.length === 0) return undefined;
  return {
    name: "health",
    isTransient: true,
    clauses: clausesOf(index.states, is, isNot),
    need: [...is, ...isNot.map((state) => `not ${state}`)].join(", "),
    have: (row) => index.states.of(row).join(", "),
  };
};

/** Whether `location` is at one of the places. */
export const isAnywhere = (needs: readonly LocationNeed[], location: string): boolean =>
  needs.some((need) => {
    if (typeof need === "string") return location === need;
    if ("region" in need) return isSameRegion(location, need.region);
    return (
      location === need.within ||
      location.startsWith(`${need.within}-`) ||
      location.startsWith(`${need.within}/`)
    );
  });

/** Two places are in one region when they begin with the same two letters. */
export const isSameRegion = (a: string, b: string): boolean =>
  a.length >= REGION && b.length >= REGION && a.slice(0, REGION) === b.slice(0, REGION);

const REGION = 2;

const clausesOf = (labels: Labels, all: readonly string[], none: readonly string[]): Clause[] => [
  ...all.map((name) => oneOf(labels, [name])),
  ...none.flatMap((name) => {
    const slot = labels.slotOf(name);
    return slot === undefined ? [] : [{ slots: [slot], isNegated: true }];
  }),
];

const oneOf = (labels: Labels, names: readonly string[]): Clause => ({
  slots: names.flatMap((name) => labels.slotOf(name) ?? []),
  isNegated: false,
});

const shown = (need: LocationNeed): string => {
  if (typeof need === "string") return need;
  return "region" in need ? `region ${need.region.slice(0, REGION)}` : `within ${need.within}`;
};

const featureText = ({ allOf, anyOf, noneOf }: CanonicalDemand): string =>
  [
    ...(allOf.length > 0 ? [`all of ${allOf.join(", ")}`] : []),
    ...(anyOf.length > 0 ? [`any of ${anyOf.join(", ")}`] : []),
    ...(noneOf.length > 0 ? [`none of ${noneOf.join(", ")}`] : []),
  ].join("; ");
