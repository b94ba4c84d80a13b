/**
 * The order in which a demand's endpoints are tried.
 *
 * The matching kernel makes it: hard rules are its filters, and by place, then by the strategy's
 * profile, it orders who is left. What does not vary by request is made once per snapshot, method and
 * transport; the request path then only reads it.
 */
import type { EndpointRow } from "../chain-view.ts";
import { entryOf, type Entry } from "./entry.ts";
import { findingOf, healthFaults, rowsOf } from "./filters.ts";
import { marketOf, type ProviderMarket } from "./market/market.ts";
import { placesOf, SPARE_PLACE } from "./place.ts";
import type {
  Candidate,
  EndpointView,
  Exclusion,
  Ranking,
  RankingCache,
  RoutingSnapshot,
  SelectionDemand,
} from "./snapshot.ts";
import { holdPrimary } from "./sticky.ts";
import { strategies, strategyCodes } from "./strategies/registry.ts";
import type { Strategy } from "./strategies/strategy.ts";

/** Methods whose rankings a snapshot keeps; names beyond it are ranked anew each time. */
const maxCachedMethods = 256;
/** Lists of different members whose rankings a snapshot keeps. */
const maxCachedLists = 4_096;

/** Ranks the snapshot's endpoints for a demand. */
export const rank = (snapshot: RoutingSnapshot, demand: SelectionDemand): Ranking => {
  const strategy = strategies[demand.strategy ?? snapshot.rules.strategy];
  const base = isPlain(demand)
    ? cached(snapshot, demand, strategy)
    : makeRanking(snapshot, demand, strategy);
  return strategy.vary === undefined ? base : varied(base, strategy, snapshot, demand);
};

/** True when nothing but method, strategy, transport and archive shapes the ranking. */
const isPlain = (demand: SelectionDemand): boolean =>
  demand.provider === undefined &&
  demand.maxCost === undefined &&
  demand.oldest === undefined &&
  (demand.blockRange ?? 0) === 0 &&
  (demand.exclude === undefined || demand.exclude.length === 0);

const transportCodes = { any: 0, http: 1, ws: 2 } as const;

const cached = (
  snapshot: RoutingSnapshot,
  demand: SelectionDemand,
  strategy: Strategy,
): Ranking => {
  const cache = cacheOf(snapshot, demand);
  if (cache === undefined) return makeRanking(snapshot, demand, strategy);
  const code =
    strategyCodes[strategy.name] * 6 +
    transportCodes[demand.transport ?? "any"] * 2 +
    (demand.needsArchive === true ? 1 : 0);
  const { profile } = demand;
  const key = profile === undefined ? demand.method : `${profile.name} ${demand.method}`;
  let ofMethod = cache.get(key);
  const known = ofMethod?.[code];
  if (known !== undefined) return known;
  const made = makeRanking(snapshot, demand, strategy);
  if (ofMethod === undefined) {
    if (cache.size >= maxCachedMethods) return made;
    ofMethod = noRankings.slice();
    cache.set(key, ofMethod);
  }
  ofMethod[code] = made;
  return made;
};

/** One place for each strategy, transport and need of an archive. To copy it is cheaper than to make it. */
const noRankings: readonly (Ranking | undefined)[] = Object.keys(strategies).flatMap(() =>
  Array.from({ length: 6 }, () => undefined),
);

/** Where rankings of such a demand are kept; lists beyond the bound are ranked anew each time. */
const cacheOf = (
  { cache, cacheOfLists }: RoutingSnapshot,
  { paired, hasLeftList }: SelectionDemand,
): RankingCache | undefined => {
  if (paired === undefined || hasLeftList === true) return cache;
  const known = cacheOfLists?.get(paired.key);
  if (known !== undefined || cacheOfLists === undefined) return known;
  if (cacheOfLists.size >= maxCachedLists) return undefined;
  const made: RankingCache = new Map();
  cacheOfLists.set(paired.key, made);
  return made;
};

const makeRanking = (
  snapshot: RoutingSnapshot,
  demand: SelectionDemand,
  strategy: Strategy,
): Ranking => {
  const market = marketOf(snapshot, demand);
  const { entries, spares, excluded } = admitted(snapshot, demand, market);
  const places = placesOf(entries, strategy.usesEvidence, snapshot.rules.minHealthy);
  const candidates: Candidate[] = market.sort(entries, places, candidateOf);
  for (const entry of spares) candidates.push(candidateOf(entry, 0, SPARE_PLACE));
  const leading = leadingGroup(candidates);
  const isHeld = strategy.isSticky && isPlain(demand);
  const first = isHeld ? holdPrimary(leading, snapshot, strategy.name, demand) : leading;
  const held = first === leading ? candidates : [...first, ...candidates.slice(leading.length)];
  const fallback = strategy.fallback?.(entries);
  return { strategy: strategy.name, candidates: held, excluded, fallback };
};

interface Admitted {
  /** One endpoint a provider. */
  readonly entries: Entry[];
  /** Its other transports. */
  readonly spares: Entry[];
  readonly excluded: Exclusion[];
}

const admitted = (
  snapshot: RoutingSnapshot,
  demand: SelectionDemand,
  market: ProviderMarket,
): Admitted => {
  const found: Admitted = { entries: [], spares: [], excluded: [] };
  const { endpoints } = snapshot;
  for (let at = 0; at < endpoints.length; at++) {
    const view = endpoints[at] as EndpointView;
    const { provider } = view;
    const refused = market.firstRefusal(at);
    if (refused !== undefined) {
      found.excluded.push({ provider, transport: undefined, ...findingOf(refused) });
      continue;
    }
    const rows = rowsOf(demand, view);
    const chosen = spokesman(rows);
    for (const row of rows) {
      if (row.isUsable) {
        const faults = healthFaults(snapshot, demand, view, row);
        const entry = entryOf(snapshot, demand, view, row, faults, at);
        (row === chosen ? found.entries : found.spares).push(entry);
      } else {
        const { transport, unusableReason: value } = row;
        found.excluded.push({ provider, transport, rule: "cordoned", value, limit: undefined });
      }
    }
  }
  return found;
};

/** One endpoint speaks for its provider: the first usable one that is closed, else the first usable. */
const spokesman = (rows: readonly EndpointRow[]): EndpointRow | undefined => {
  let first: EndpointRow | undefined;
  for (const row of rows) {
    if (!row.isUsable) continue;
    if (row.state === "closed") return row;
    first ??= row;
  }
  return first;
};

const candidateOf = (
  { row, view, tier, relaxed }: Entry,
  score: number,
  place: number,
): Candidate => {
  const candidate = { row, view, score, tier, place, relaxed };
  return view.canary === undefined ? candidate : { ...candidate, canary: "demoted" };
};

/** The candidates at the front that stand in one place. */
const leadingGroup = (candidates: readonly Candidate[]): readonly Candidate[] => {
  const end = candidates.findIndex(({ place }) => place !== candidates[0]?.place);
  return end < 0 ? candidates : candidates.slice(0, end);
};

const varied = (
  base: Ranking,
  strategy: Strategy,
  snapshot: RoutingSnapshot,
  demand: SelectionDemand,
): Ranking => {
  const { candidates } = base;
  const leading = leadingGroup(candidates);
  const turned = strategy.vary?.(leading, demand, snapshot.memory) ?? leading;
  if (turned === leading) return base;
  return { ...base, candidates: [...turned, ...candidates.slice(leading.length)] };
};
