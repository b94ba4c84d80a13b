/**
 * The reference of ranking: rules, formulas and orders written down a second time, in the obvious way.
 * It shares with the ranking only what an entry is: evidence looked up, and whether the rules let it in.
 */
import type { StrategyName } from "../../../config/schema.ts";
import type { EndpointRow } from "../../../src/rpc/chain-view.ts";
import { type Entry, entryOf } from "../../../src/rpc/selection/entry.ts";
import { healthFaults } from "../../../src/rpc/selection/filters.ts";
import { methodClass } from "../../../src/rpc/selection/method-class.ts";
import type {
  EndpointView,
  RoutingSnapshot,
  SelectionDemand,
  Tier,
} from "../../../src/rpc/selection/snapshot.ts";

/** One place of the order. */
export interface Placed {
  readonly provider: string;
  readonly transport: string;
  /** Higher is better; what sticky primaries are compared by. */
  readonly score: number;
  readonly place: number;
}

/** What the reference remembers from one ranking to the next. */
export interface Memory {
  readonly sticky: Map<string, { provider: string; sinceMs: number }>;
  readonly credits: Map<StrategyName, Map<EndpointRow, number>>;
}

/** A memory of nothing. */
export const noMemory = (): Memory => ({ sticky: new Map(), credits: new Map() });

/** The order of the endpoints that may serve, as one request gets it; draws apart. */
export const referenceRank = (
  snapshot: RoutingSnapshot,
  demand: SelectionDemand,
  memory: Memory,
): Placed[] => {
  const strategy = demand.strategy ?? snapshot.rules.strategy;
  const entries: Entry[] = [];
  const spares: Entry[] = [];
  snapshot.endpoints.forEach((view, at) => {
    if (isRefused(demand, view)) return;
    const { http, ws } = view.transports;
    const rows = [demand.transport === "ws" ? undefined : http].concat(
      demand.transport === "http" ? undefined : ws,
    );
    const usable = rows.filter((row) => row?.isUsable === true) as EndpointRow[];
    const chosen = usable.find(({ state }) => state === "closed") ?? usable[0];
    for (const row of usable) {
      const faults = healthFaults(snapshot, demand, view, row);
      (row === chosen ? entries : spares).push(entryOf(snapshot, demand, view, row, faults, at));
    }
  });
  const isHealthy = ({ view, relaxed, row }: Entry): boolean =>
    view.role === "primary" &&
    view.canary === undefined &&
    relaxed.length === 0 &&
    row.state === "closed";
  const hasPrimaries = entries.filter(isHealthy).length >= snapshot.rules.minHealthy;
  const sorted = ordered(entries, snapshot, strategy)
    .map(({ entry, score }) => ({ entry, score, place: placeOf(entry, strategy, hasPrimaries) }))
    .sort((a, b) => a.place - b.place);
  const size = sorted.filter(({ place }) => place === sorted[0]?.place).length;
  let leading = sorted.slice(0, size);
  if (strategy === "leaderboard" || strategy === "fastest" || strategy === "hybrid") {
    leading = held(leading, snapshot, strategy, demand, memory);
  } else if (strategy === "round-robin") leading = turned(leading, strategy, memory);
  else if (strategy !== "latency-weighted") {
    const like = leading.findIndex(({ entry }) => !isAlike(entry, leading[0]?.entry, strategy));
    const equals = like < 0 ? leading : leading.slice(0, like);
    leading = [...turned(equals, strategy, memory), ...leading.slice(equals.length)];
  }
  const all = [...leading, ...sorted.slice(size)];
  return [
    ...all.map(({ entry, score, place }) => ({ ...named(entry), score, place })),
    ...spares.map((entry) => ({ ...named(entry), score: 0, place: 1_000 })),
  ];
};

interface Scored {
  readonly entry: Entry;
  readonly score: number;
}

const named = ({ view, row }: Entry) => ({ provider: view.provider, transport: row.transport });

const isRefused = (demand: SelectionDemand, view: EndpointView): boolean => {
  const { method, provider, exclude = [], maxCost, needsArchive, blockRange = 0 } = demand;
  const { cost } = view;
  const price = cost.pricePerMillionUnits * (cost.unitsByMethod[method] ?? cost.defaultUnits);
  return (
    (provider !== undefined && provider !== view.provider && !view.tags.includes(provider)) ||
    exclude.includes(view.provider) ||
    view.shadow !== undefined ||
    view.unsupported.has(method) ||
    (needsArchive === true && !view.archival) ||
    blockRange > (view.maxBlockRange ?? Infinity) ||
    (maxCost !== undefined && price > maxCost)
  );
};

const byPriority = (a: Entry, b: Entry): number =>
  a.view.priority - b.view.priority || (a.view.provider < b.view.provider ? -1 : 1);

const middle = (values: readonly number[]): number | undefined => {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
};

/** The entries of a strategy, best first. */
const ordered = (
  entries: readonly Entry[],
  snapshot: RoutingSnapshot,
  strategy: StrategyName,
): Scored[] => {
  const byScore = (scores: readonly number[]): Scored[] =>
    entries
      .map((entry, i) => ({ entry, score: scores[i] as number }))
      .sort((a, b) => b.score - a.score || byPriority(a.entry, b.entry));
  const inOrder = (compare: (a: Entry, b: Entry) => number): Scored[] =>
    entries
      .toSorted((a, b) => compare(a, b) || byPriority(a, b))
      .map((entry) => ({ entry, score: 0 }));
  if (strategy === "leaderboard") return byScore(composite(entries, snapshot));
  if (strategy === "hybrid") {
    const { costBias } = snapshot.rules;
    const price = middle(entries.map(({ cost }) => cost).filter((cost) => cost > 0)) ?? 1;
    const scores = composite(entries, snapshot);
    return byScore(
      entries.map(
        ({ cost }, i) => (1 - costBias) * (scores[i] as number) + costBias / (1 + cost / price),
      ),
    );
  }
  if (strategy === "latency-weighted") {
    const means = entries.flatMap(({ call }) => call?.meanMs ?? []);
    const best = Math.max(0.01, Math.min(...means));
    return byScore(
      entries.map(({ call }) =>
        call?.meanMs === undefined ? 0 : (best / Math.max(call.meanMs, 0.01)) ** 3,
      ),
    );
  }
  if (strategy === "cheapest") return inOrder((a, b) => a.cost - b.cost || paid(a) - paid(b));
  if (strategy === "priority" || strategy === "round-robin") return inOrder(() => 0);
  const measured = entries.filter(
    ({ tier, call }) => tier === "qualified" && call?.p50Ms !== undefined,
  );
  const rest = entries.filter((entry) => !measured.includes(entry)).sort(byPriority);
  return [...runs(measured.sort((a, b) => p50(a) - p50(b) || byPriority(a, b))), ...rest].map(
    (entry) => ({ entry, score: 1 / (1 + p50(entry)) }),
  );
};

const paid = ({ view }: Entry): number => (view.type === "public" ? 0 : 1);
const p50 = ({ call }: Entry): number => call?.p50Ms ?? Infinity;

/** Runs of medians within 5 % of their first, each in the order of its tails. */
const runs = (sorted: readonly Entry[]): Entry[] => {
  const [first] = sorted;
  if (first === undefined) return [];
  const end = sorted.findIndex((entry) => p50(entry) > p50(first) * 1.05);
  const run = end < 0 ? sorted : sorted.slice(0, end);
  const tail = ({ call }: Entry): number => call?.q95Ms ?? Infinity;
  const rest = end < 0 ? [] : runs(sorted.slice(end));
  return [...run.toSorted((a, b) => (tail(a) === tail(b) ? 0 : tail(a) - tail(b))), ...rest];
};

const composite = (entries: readonly Entry[], { rules, tip }: RoutingSnapshot): number[] => {
  const { race, reliability, latency, freshness } = rules.weights;
  const total = race + reliability + latency + freshness || 1;
  const races = entries.map(({ view: { race: of } }) => {
    if (of.paceScore === undefined) return undefined;
    return rules.formula === "pace" ? of.paceScore : of.raceScore / (1 + of.raceScore);
  });
  const usual = middle(races.filter((one) => one !== undefined)) ?? 0.5;
  return entries.map(({ view: { lag }, call, reliabilityLb }, i) => {
    const fresh = lag === undefined ? 0 : 1 / (1 + Math.max(0, lag));
    const quick = call?.p50Ms === undefined ? 0.25 : 1 / (1 + call.p50Ms / 100);
    const sum =
      race * (races[i] ?? usual) +
      reliability * reliabilityLb +
      latency * quick +
      freshness * (tip < 0 ? 1 : fresh);
    return sum / total;
  });
};

const TIERS: readonly Tier[] = ["qualified", "unknown", "degraded", "limited", "recovering"];

const placeOf = (entry: Entry, strategy: StrategyName, hasPrimaries: boolean): number => {
  const { view, relaxed, tier } = entry;
  const isByEvidence = ["leaderboard", "fastest", "latency-weighted", "hybrid"].includes(strategy);
  const isUnwell = tier === "limited" || tier === "recovering";
  const isCaught = relaxed.includes("failure_ratio") || relaxed.includes("misbehaviour");
  const setback = isCaught ? 3 : relaxed.includes("head_unknown") ? 2 : relaxed.length > 0 ? 1 : 0;
  return (
    (view.canary === undefined ? 0 : 500) +
    setback * 100 +
    (hasPrimaries && view.role === "backup" ? 10 : 0) +
    (isByEvidence || isUnwell ? TIERS.indexOf(tier) : 0) +
    (view.forecast?.isDemoted === true ? 0.5 : 0)
  );
};

const isAlike = (a: Entry, b: Entry | undefined, strategy: StrategyName): boolean =>
  strategy === "priority"
    ? a.view.priority === b?.view.priority
    : a.cost === b?.cost && paid(a) === paid(b);

const held = <T extends Scored>(
  leading: readonly T[],
  snapshot: RoutingSnapshot,
  strategy: StrategyName,
  demand: SelectionDemand,
  { sticky }: Memory,
): T[] => {
  const [first] = leading;
  const { provider, exclude = [], maxCost, blockRange = 0 } = demand;
  const isOdd =
    provider !== undefined || maxCost !== undefined || blockRange > 0 || exclude.length > 0;
  if (first === undefined || isOdd) return [...leading];
  const key = `${strategy}/${demand.transport ?? "any"}/${methodClass(demand.method)}`;
  const before = sticky.get(key);
  const holder = leading.find(({ entry }) => entry.view.provider === before?.provider);
  if (before !== undefined && holder !== undefined) {
    const isBetter = first.score > holder.score * (1 + snapshot.rules.stickyHysteresis);
    const isDue = snapshot.builtAtMs - before.sinceMs >= snapshot.rules.stickyMinIntervalMs;
    if (holder === first || !isBetter || !isDue) {
      return [holder, ...leading.filter((one) => one !== holder)];
    }
  }
  sticky.set(key, { provider: first.entry.view.provider, sinceMs: snapshot.builtAtMs });
  return [...leading];
};

/** Smooth weighted round-robin: each gains its weight, the richest goes first and pays the sum. */
const turned = <T extends Scored>(
  group: readonly T[],
  strategy: StrategyName,
  memory: Memory,
): T[] => {
  if (group.length < 2) return [...group];
  const credits = memory.credits.get(strategy) ?? new Map<EndpointRow, number>();
  memory.credits.set(strategy, credits);
  const weights = group.map(({ entry }) => Math.max(0, entry.view.weight));
  group.forEach(({ entry: { row } }, i) =>
    credits.set(row, (credits.get(row) ?? 0) + (weights[i] as number)),
  );
  const creditOf = ({ entry: { row } }: T): number => credits.get(row) ?? 0;
  const most = Math.max(...group.map(creditOf));
  const best = group.findIndex((one) => creditOf(one) === most);
  const winner = group[best] as T;
  credits.set(winner.entry.row, most - weights.reduce((sum, weight) => sum + weight, 0));
  return [...group.slice(best), ...group.slice(0, best)];
};
