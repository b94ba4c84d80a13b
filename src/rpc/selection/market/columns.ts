/**
 * What the kernel's columns hold of the entries of one ranking. Evidence is of the asked method and
 * transport, and some of it is relative to the others that are ranked; so columns are written for each
 * ranking that is made, and not only when the evidence changes. NaN is unknown.
 */
import { ascending, median } from "../../../lib/median.ts";
import type { Entry } from "../entry.ts";
import { paceOf } from "../prior.ts";
import type { RoutingSnapshot } from "../snapshot.ts";

/** One value for each entry. */
export type ColumnReader = (
  entries: readonly Entry[],
  snapshot: RoutingSnapshot,
) => readonly number[];

const noRacesAtAll = 0.5;
/** The least mean that is told apart, ms. */
const leastMs = 0.01;
const sharpness = 3;
const alikeRatio = 1.05;

const raceOf = ({ rules }: RoutingSnapshot, { view }: Entry): number | undefined => {
  if (rules.formula === "pace") return paceOf(view);
  const { paceScore, raceScore } = view.race;
  return paceScore === undefined ? undefined : raceScore / (1 + raceScore);
};

const isKnown = (value: number | undefined): value is number =>
  value !== undefined && !Number.isNaN(value);

/** The columns by name. The place is not among them: it comes with the entries. */
export const COLUMNS = {
  priority: (entries) => entries.map(({ view }) => view.priority),
  /** The weight as a share of the largest. */
  weight: (entries) => {
    const most = Math.max(Number.MIN_VALUE, ...entries.map(({ view }) => view.weight));
    return entries.map(({ view }) => view.weight / most);
  },
  /** Whoever cannot race (no WebSocket, or no race yet) counts as the median of the others. */
  race: (entries, snapshot) => {
    const races = entries.map((entry) => raceOf(snapshot, entry));
    const middle = median(races.filter(isKnown)) ?? noRacesAtAll;
    return races.map((race) => race ?? middle);
  },
  reliability: (entries) => entries.map(({ reliabilityLb }) => reliabilityLb),
  latencyMs: (entries) => entries.map(({ call }) => call?.p50Ms ?? Number.NaN),
  /** Nobody lags while there is no tip; an unknown head is as far behind as can be. */
  lagBlocks: (entries, { tip }) =>
    entries.map(({ view: { lag } }) =>
      tip < 0 ? 0 : Math.max(0, lag ?? Number.POSITIVE_INFINITY),
    ),
  cost: (entries) => entries.map(({ cost }) => cost),
  /** The cost in median costs of those that cost anything. */
  price: (entries) => {
    const paid: number[] = [];
    for (const { cost } of entries) if (cost > 0) paid.push(cost);
    const middle = median(paid) ?? 1;
    return entries.map(({ cost }) => cost / middle);
  },
  paid: (entries) => entries.map(({ view }) => (view.type === "public" ? 0 : 1)),
  /** The best mean to the own, cubed. */
  speed: (entries) => {
    const means = entries.map(({ call }) => call?.meanMs ?? Number.NaN);
    const best = Math.max(Math.min(...means.filter(isKnown)), leastMs);
    return means.map((mean) => (best / Math.max(mean, leastMs)) ** sharpness);
  },
  /** The median of the fastest that a qualified one is within 5 % of: they run level. */
  levelMs: (entries) => {
    const medians: number[] = [];
    for (const entry of entries) if (isMeasured(entry)) medians.push(p50(entry));
    const levels = levelsOf(medians);
    return entries.map((entry) => (isMeasured(entry) ? levelOf(levels, p50(entry)) : Number.NaN));
  },
  /** The 95th percentile and the median of the qualified. */
  tailMs: (entries) =>
    entries.map((entry) => (isMeasured(entry) ? (entry.call?.q95Ms ?? Number.NaN) : Number.NaN)),
  medianMs: (entries) => entries.map((entry) => (isMeasured(entry) ? p50(entry) : Number.NaN)),
} as const satisfies Readonly<Record<string, ColumnReader>>;

/** A column of the market. */
export type ColumnName = keyof typeof COLUMNS;

/** Whether an entry takes part in the race for the lowest median. */
export const isMeasured = ({ tier, call }: Entry): boolean =>
  tier === "qualified" && isKnown(call?.p50Ms);

const p50 = ({ call }: Entry): number => call?.p50Ms ?? Number.NaN;

/** Levels begin at their fastest member, so "within 5 %" stays transitive: where they begin, rising. */
const levelsOf = (medians: readonly number[]): readonly number[] => {
  const levels: number[] = [];
  let level = Number.NEGATIVE_INFINITY;
  for (const ms of ascending(medians)) if (ms > level * alikeRatio) levels.push((level = ms));
  return levels;
};

/** The last that is not above a median of theirs. */
const levelOf = (levels: readonly number[], ms: number): number => {
  let [low, high] = [0, levels.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((levels[middle] as number) <= ms) low = middle;
    else high = middle - 1;
  }
  return levels[low] as number;
};
