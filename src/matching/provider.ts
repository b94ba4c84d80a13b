/** What is supplied: one row of a market, as it comes from outside. */

/** A provider of anything. What is left out is unknown, empty or 0. */
export interface Provider {
  readonly id: string;
  /** Who it belongs to, where several providers belong to one. */
  readonly owner?: string;
  readonly location?: string;
  /** What it can do; compared without case. */
  readonly features?: readonly string[];
  /** Exact, in the smallest unit of the market. */
  readonly stake?: bigint;
  /** What it is at the moment: `open`, `draining`, `suspect`. */
  readonly states?: readonly string[];
  /** Its numbers, by the columns of the market's schema. */
  readonly values?: Readonly<Record<string, number>>;
}

/** The numbers a market keeps of each provider. */
export interface MarketSchema {
  readonly name: string;
  /** Columns that change rarely; writing one makes a new version of the market. */
  readonly facts?: readonly string[];
  /** Columns that drift all the time: load, latency; writing one is cheap and makes no new version. */
  readonly signals?: readonly string[];
  /** Most providers; 1,048,576 by default. */
  readonly maxRows?: number;
}

/** Most features of one provider. */
export const MAX_FEATURES = 256;
/** Most different locations, features and states of a market. */
export const MAX_LABELS = { location: 256, feature: 1_024, state: 64 };
/** Most providers of a market, unless its schema says otherwise. */
export const MAX_ROWS = 1_048_576;
/** A stake is kept as two doubles, which are exact below this. */
const STAKE_LIMIT = 1n << 106n;

/** Why a provider cannot be kept, or `undefined` when it can. */
export function providerFault(provider: Provider, schema: MarketSchema): string | undefined {
  const { id, features = [], stake = 0n, values = {} } = provider;
  if (id.trim() === "") return "a provider needs an id";
  if (stake >= STAKE_LIMIT || stake <= -STAKE_LIMIT) return `the stake of ${id} is beyond 2^106`;
  if (features.length > MAX_FEATURES) {
    return `${id} has ${features.length} features, at most ${MAX_FEATURES} are kept`;
  }
  if (features.some((feature) => feature.trim() === "")) return `${id} has a blank feature`;
  const known = new Set([...(schema.facts ?? []), ...(schema.signals ?? [])]);
  const unknown = Object.keys(values).find((name) => !known.has(name));
  if (unknown !== undefined) return `${id} has a value ${unknown}, which ${schema.name} lacks`;
  return undefined;
}

/** How features and states are compared: trimmed, without case. */
export const normalLabel = (text: string): string => text.trim().toLowerCase();
