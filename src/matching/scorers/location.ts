/** Scores by place, against what is preferred, else against what is required. */
import type { CanonicalDemand } from "../canonical.ts";
import type { LocationNeed } from "../demand.ts";
import { isAnywhere, isSameRegion } from "../filters/labels.ts";
import type { ProviderIndex } from "../index/provider-index.ts";
import type { BoundScorer, Scorer } from "./scorer.ts";

const NO_PREFERENCE = 0.5;
const SAME_REGION = 0.7;
const ELSEWHERE = 0.2;

/** `location`: 1 there, 0.7 in the same region, else 0.2; 0.5 without a preference. */
export const locationScorer: Scorer = {
  name: "location",
  description: "1 at the place, 0.7 in its region, 0.2 elsewhere, 0.5 without a preference",
  bind: (index, demand) =>
    byPlace(index, demand, NO_PREFERENCE, (needs, location) => {
      if (isAnywhere(needs, location)) return 1;
      return needs.some((need) => isSameRegion(placeOf(need), location)) ? SAME_REGION : ELSEWHERE;
    }),
};

/** `location`, strict: 1 there, else 0; 1 without a preference. */
export const strictLocationScorer: Scorer = {
  name: "location",
  description: "1 at the place, 0 elsewhere, 1 without a preference",
  bind: (index, demand) =>
    byPlace(index, demand, 1, (needs, location) => (isAnywhere(needs, location) ? 1 : 0)),
};

/** One value for each distinct place, looked up by its code. */
function byPlace(
  index: ProviderIndex,
  { locations, preferLocation }: CanonicalDemand,
  without: number,
  scoreOf: (needs: readonly LocationNeed[], location: string) => number,
): BoundScorer {
  const needs = preferLocation === undefined ? locations : [preferLocation];
  if (needs.length === 0) return { kind: "demand", constant: without, score: () => without };
  const { names } = index.locations;
  const table = Float64Array.from(names, (name) => scoreOf(needs, name));
  const score = (row: number): number => table[index.locationOf[row] as number] as number;
  const survivors = names.flatMap((name, code) =>
    locations.length === 0 || isAnywhere(locations, name) ? [table[code] as number] : [],
  );
  const [first] = survivors;
  return first !== undefined && survivors.every((value) => value === first)
    ? { kind: "demand", constant: first, score }
    : { kind: "demand", most: Math.max(0, ...survivors), score };
}

const placeOf = (need: LocationNeed): string => {
  if (typeof need === "string") return need;
  return "region" in need ? need.region : need.within;
};
