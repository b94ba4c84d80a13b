/**
 * What is wanted. `require` only filters, `prefer` only scores; a scorer that finds nothing in `prefer`
 * reads `require`, so that a plain policy scores by what it requires.
 */

/** A place: exactly it; all that begin with the same two letters; or it and all below it (`US-East`). */
export type LocationNeed = string | { readonly region: string } | { readonly within: string };

/** Which features: all of, at least one of, none of. A plain list means all of. */
export interface FeatureNeed {
  readonly all?: readonly string[];
  readonly any?: readonly string[];
  readonly none?: readonly string[];
}

/** Bounds of a column, both inclusive. An unknown value is out of any bounds. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** What a provider must be. */
export interface Requirements {
  readonly ids?: readonly string[];
  readonly owners?: readonly string[];
  /** `""` and an empty list mean anywhere; a list means any of them. */
  readonly location?: LocationNeed | readonly LocationNeed[];
  readonly features?: readonly string[] | FeatureNeed;
  /** Exact; 0 and below mean no minimum. */
  readonly minStake?: bigint;
  /** Least free capacity, by column (`milliCpu`, `memMb`, `vramMb`). */
  readonly resources?: Readonly<Record<string, number>>;
  /** States it must be in, and must not be in. */
  readonly health?: { readonly is?: readonly string[]; readonly isNot?: readonly string[] };
  /** Bounds of any other column: `{ latencyMs: { max: 80 } }`. */
  readonly signals?: Readonly<Record<string, Bounds>>;
  /** Filters by name, as registered with the profiles. */
  readonly custom?: readonly string[];
}

/** How picks are made of the ranking. */
export type PickMode = "top" | "weighted" | "roundRobin";

/** A demand. Everything but the profile has a default. */
export interface Demand {
  /** The composite that scores. */
  readonly profile: string;
  /** Weights that differ from the profile's. */
  readonly weights?: Readonly<Record<string, number>>;
  /** Providers that were tried already, or are not wanted. */
  readonly exclude?: readonly string[];
  readonly require?: Requirements;
  readonly prefer?: { readonly location?: string; readonly features?: readonly string[] };
  readonly pick?: {
    /** How many, 5 by default. */
    readonly k?: number;
    readonly mode?: PickMode;
    /** Goes first while it survives. */
    readonly sticky?: string;
    /** What `weighted` draws by: the score (default) or the stake. */
    readonly weightBy?: "score" | "stake";
    /**
     * What decides, one after the other: columns, smaller first and unknown last, and `score`, larger
     * first; then the id. Default: the score alone. Only for `top`.
     */
    readonly orderBy?: readonly string[];
  };
}

/** What is wrong with a demand, and where. */
export interface DemandFault {
  readonly path: string;
  readonly message: string;
}

/** Most picks. */
export const MAX_PICKS = 64;
/** Most ids, owners or exclusions of a demand. */
export const MAX_IDS = 4_096;
/** Most features or states of a demand, and most locations. */
export const MAX_DEMAND_LABELS = 32;

/** Most columns that decide one after the other. */
export const MAX_ORDER = 8;
/** In `orderBy`: the raw sum of the scorers. */
export const BY_SCORE = "score";

/** Largest weight, so that no sum overflows. */
export const MAX_WEIGHT = 1_000_000;

/** Everything that is wrong with a demand by itself; empty when nothing is. */
export function demandFaults(demand: Demand): DemandFault[] {
  const { require = {}, prefer = {}, pick = {} } = demand;
  const features = featureNeed(require.features);
  const faults: DemandFault[] = [];
  const add = (path: string, message: string | undefined): void => {
    if (message !== undefined) faults.push({ path, message });
  };
  const lists: readonly (readonly [string, readonly string[] | undefined, number])[] = [
    ["exclude", demand.exclude, MAX_IDS],
    ["require.ids", require.ids, MAX_IDS],
    ["require.owners", require.owners, MAX_IDS],
    ["require.features.all", features.all, MAX_DEMAND_LABELS],
    ["require.features.any", features.any, MAX_DEMAND_LABELS],
    ["require.features.none", features.none, MAX_DEMAND_LABELS],
    ["require.health.is", require.health?.is, MAX_DEMAND_LABELS],
    ["require.health.isNot", require.health?.isNot, MAX_DEMAND_LABELS],
    ["prefer.features", prefer.features, MAX_DEMAND_LABELS],
  ];
  for (const [path, list, most] of lists) add(path, listFault(list, most));
  const locations = [require.location ?? []].flat();
  if (locations.length > MAX_DEMAND_LABELS) {
    add("require.location", `at most ${MAX_DEMAND_LABELS} locations`);
  }
  for (const [name, least] of Object.entries(require.resources ?? {})) {
    add(`require.resources.${name}`, amountFault(least));
  }
  for (const [name, { min = 0, max = 0 }] of Object.entries(require.signals ?? {})) {
    add(`require.signals.${name}`, Number.isNaN(min + max) ? "not a number" : undefined);
  }
  for (const [name, weight] of Object.entries(demand.weights ?? {})) {
    add(`weights.${name}`, weightFault(weight));
  }
  const { k = 1 } = pick;
  if (!Number.isInteger(k) || k < 0 || k > MAX_PICKS) {
    add("pick.k", `${k} is no whole number from 0 to ${MAX_PICKS}`);
  }
  add("pick.orderBy", listFault(pick.orderBy, MAX_ORDER));
  if (pick.orderBy !== undefined && (pick.mode ?? "top") !== "top") {
    add("pick.orderBy", `no order is kept by ${pick.mode}`);
  }
  return faults;
}

/** Both forms of a feature need as one. */
export const featureNeed = (need: Requirements["features"]): FeatureNeed =>
  need === undefined || "length" in need ? { all: need ?? [] } : need;

const listFault = (list: readonly string[] = [], most: number): string | undefined => {
  if (list.length > most) return `${list.length} entries, at most ${most}`;
  return list.some((entry) => entry.trim() === "") ? "a blank entry" : undefined;
};

/** Why `weight` cannot be one, or `undefined` when it can. */
export const weightFault = (weight: number): string | undefined =>
  weight > MAX_WEIGHT ? `${weight} is more than ${MAX_WEIGHT}` : amountFault(weight);

const amountFault = (amount: number): string | undefined =>
  Number.isFinite(amount) && amount >= 0 ? undefined : `${amount} is no number from 0 on`;
