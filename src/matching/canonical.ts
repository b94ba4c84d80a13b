/**
 * One form for all demands that mean the same: trimmed, sorted, without duplicates and defaults. Equal
 * demands have equal text, hence one plan and one cached ranking.
 */
import { fnv64Hex } from "../lib/fnv64.ts";
import {
  BY_SCORE,
  type Bounds,
  type Demand,
  featureNeed,
  type LocationNeed,
  type PickMode,
} from "./demand.ts";
import { normalLabel } from "./provider.ts";

/** A demand with all defaults in place; equal demands are equal in every field. */
export interface CanonicalDemand {
  readonly profile: string;
  readonly weights: readonly (readonly [scorer: string, weight: number])[];
  readonly exclude: readonly string[];
  /** `undefined` where nothing is required; an empty list would mean nobody. */
  readonly ids: readonly string[] | undefined;
  readonly owners: readonly string[] | undefined;
  readonly locations: readonly LocationNeed[];
  readonly allOf: readonly string[];
  readonly anyOf: readonly string[];
  readonly noneOf: readonly string[];
  /** 0 where there is no minimum. */
  readonly minStake: bigint;
  readonly resources: readonly (readonly [column: string, least: number])[];
  readonly states: { readonly is: readonly string[]; readonly isNot: readonly string[] };
  readonly signals: readonly (readonly [column: string, bounds: Required<Bounds>])[];
  readonly custom: readonly string[];
  readonly preferLocation: string | undefined;
  readonly preferFeatures: readonly string[] | undefined;
  readonly k: number;
  readonly mode: PickMode;
  readonly sticky: string | undefined;
  readonly weightBy: "score" | "stake";
  /** `undefined` where the score alone decides. */
  readonly orderBy: readonly string[] | undefined;
}

/** Picks when a demand does not say how many. */
export const DEFAULT_PICKS = 5;

/** The canonical form of a demand without faults. */
export function canonical(demand: Demand): CanonicalDemand {
  const { require = {}, prefer = {}, pick = {} } = demand;
  const features = featureNeed(require.features);
  const { minStake = 0n } = require;
  const preferred = prefer.location?.trim() ?? "";
  return {
    profile: demand.profile,
    weights: sortedEntries(demand.weights),
    exclude: distinct(demand.exclude),
    ids: require.ids === undefined ? undefined : distinct(require.ids),
    owners: require.owners === undefined ? undefined : distinct(require.owners),
    locations: locationsOf([require.location ?? []].flat()),
    allOf: labels(features.all),
    anyOf: labels(features.any),
    noneOf: labels(features.none),
    minStake: minStake > 0n ? minStake : 0n,
    resources: sortedEntries(require.resources).filter(([, least]) => least > 0),
    states: { is: labels(require.health?.is), isNot: labels(require.health?.isNot) },
    signals: sortedEntries(require.signals).map(([column, bounds]) => [column, closed(bounds)]),
    custom: distinct(require.custom),
    preferLocation: preferred === "" ? undefined : preferred,
    preferFeatures: prefer.features === undefined ? undefined : labels(prefer.features),
    k: pick.k ?? DEFAULT_PICKS,
    mode: pick.mode ?? "top",
    sticky: pick.sticky,
    weightBy: pick.weightBy ?? "score",
    orderBy: orderOf(pick.orderBy),
  };
}

/** The text that two demands share exactly when they mean the same. */
export const canonicalText = (demand: CanonicalDemand): string =>
  JSON.stringify(demand, (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : shown(value),
  );

/** A short name of a demand for people; equality is by text. */
export const demandHash = (text: string): string => fnv64Hex(text);

/** JSON has no infinities, and bounds may be infinite. */
const shown = (value: unknown): unknown =>
  typeof value === "number" && !Number.isFinite(value) ? String(value) : value;

const closed = ({ min = -Infinity, max = Infinity }: Bounds): Required<Bounds> => ({ min, max });

const distinct = (list: readonly string[] = []): string[] =>
  [...new Set(list.map((entry) => entry.trim()))].sort();

const labels = (list: readonly string[] = []): string[] =>
  [...new Set(list.map(normalLabel))].sort();

/** Without what comes twice: only the first can decide. */
const orderOf = (keys: readonly string[] = []): readonly string[] | undefined => {
  const order = [...new Set(keys.map((key) => key.trim()))];
  return order.length === 0 || (order.length === 1 && order[0] === BY_SCORE) ? undefined : order;
};

const sortedEntries = <T>(record: Readonly<Record<string, T>> = {}): [string, T][] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));

const locationsOf = (needs: readonly LocationNeed[]): LocationNeed[] => {
  const byText = new Map(
    needs.map(trimmed).flatMap((need) => (need === "" ? [] : [[JSON.stringify(need), need]])),
  );
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, need]) => need);
};

/** `US-*` is short for all within `US`. */
const trimmed = (need: LocationNeed): LocationNeed => {
  if (typeof need !== "string") {
    return "region" in need ? { region: need.region.trim() } : { within: need.within.trim() };
  }
  const text = need.trim();
  return /[-/]\*$/.test(text) ? { within: text.slice(0, -2) } : text;
};
