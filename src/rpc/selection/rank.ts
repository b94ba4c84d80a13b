/**
 * The order in which a demand's endpoints are tried.
 *
 * Hard rules exclude, the strategy orders, then a stable partition puts healthy before unhealthy,
 * primaries before backups, and trusted before unknown. What does not vary by request is made once
 * per snapshot, method and transport; the request path then only reads it.
 */
import { CANARY_PLACE } from "./canary.ts";
import { entryOf, type Entry } from "./entry.ts";
import { healthFaults, refusal, rowsOf, setback } from "./filters.ts";
import type {
  Candidate,
  Exclusion,
  Ranking,
  RoutingSnapshot,
  SelectionDemand,
  Tier,
} from "./snapshot.ts";
import { holdPrimary } from "./sticky.ts";
import { strategies, strategyCodes } from "./strategies/registry.ts";
import type { Scored, Strategy } from "./strategies/strategy.ts";

/** Methods whose rankings a snapshot keeps; names beyond it are ranked anew each time. */
const maxCachedMethods = 256;

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
  const { cache } = snapshot;
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
    ofMethod = Array.from({ length: Object.keys(strategies).length * 6 }, () => undefined);
    cache.set(key, ofMethod);
  }
  ofMethod[code] = made;
  return made;
};

const makeRanking = (
  snapshot: RoutingSnapshot,
  demand: SelectionDemand,
  strategy: Strategy,
): Ranking => {
  const excluded: Exclusion[] = [];
  const entries: Entry[] = [];
  const spares: Entry[] = [];
  for (const view of snapshot.endpoints) {
    const { provider } = view;
    const refused = refusal(demand, view);
    if (refused !== undefined) {
      excluded.push({ provider, transport: undefined, ...refused });
      continue;
    }
    const rows = rowsOf(demand, view);
    if (rows.length === 0) {
      const value = demand.transport;
      excluded.push({ provider, transport: undefined, rule: "transport", value, limit: undefined });
    }
    const usable = rows.filter((row) => row.isUsable);
    for (const { transport, unusableReason: value } of rows.filter((row) => !row.isUsable)) {
      excluded.push({ provider, transport, rule: "cordoned", value, limit: undefined });
    }
    // One endpoint speaks for its provider: the first that is closed, else the first.
    const chosen = usable.find(({ state }) => state === "closed") ?? usable[0];
    for (const row of usable) {
      const entry = entryOf(snapshot, demand, view, row, healthFaults(snapshot, demand, view, row));
      (row === chosen ? entries : spares).push(entry);
    }
  }
  const { scored, fallback } = strategy.order(entries, snapshot, demand);
  const candidates = [
    ...partition(scored, strategy, snapshot.rules.minHealthy),
    ...spares.map((entry) => candidateOf(entry, 0, SPARE_PLACE)),
  ];
  const leading = leadingGroup(candidates);
  const held =
    strategy.isSticky && isPlain(demand)
      ? [
          ...holdPrimary(leading, snapshot, strategy.name, demand),
          ...candidates.slice(leading.length),
        ]
      : candidates;
  return { strategy: strategy.name, candidates: held, excluded, fallback };
};

const tierOrder: Readonly<Record<Tier, number>> = {
  qualified: 0,
  unknown: 1,
  degraded: 2,
  limited: 3,
  recovering: 4,
};

/** Where a tier stands; strategies by the operator's order only set back the unwell. */
const tierRank = (tier: Tier, strategy: Strategy): number =>
  strategy.usesEvidence || tier === "limited" || tier === "recovering" ? tierOrder[tier] : 0;

/**
 * Who is foreseen to fail stands behind the others of its tier and before the next tier. When all of
 * a tier are, all move, and their order stays as it was.
 */
const PREDICTED_PLACE = 0.5;

/** A stable sort: setback, then backups behind enough healthy primaries, then tier, then forecast. */
const partition = (
  scored: readonly Scored[],
  strategy: Strategy,
  minHealthy: number,
): readonly Candidate[] => {
  const isHealthyPrimary = ({ entry }: Scored): boolean =>
    entry.view.role === "primary" &&
    entry.view.canary === undefined &&
    entry.relaxed.length === 0 &&
    entry.row.state === "closed";
  const areBackupsBehind = scored.filter(isHealthyPrimary).length >= minHealthy;
  const keyOf = ({ entry }: Scored): number =>
    (entry.view.canary === undefined ? 0 : CANARY_PLACE) +
    setback(entry.relaxed) * 100 +
    (areBackupsBehind && entry.view.role === "backup" ? 10 : 0) +
    tierRank(entry.tier, strategy) +
    (entry.view.forecast?.isDemoted === true ? PREDICTED_PLACE : 0);
  return scored
    .map((one) => ({ one, key: keyOf(one) }))
    .sort((a, b) => a.key - b.key)
    .map(({ one: { entry, score }, key }) => candidateOf(entry, score, key));
};

/** Place of the other transports of providers that are in the ranking already. */
export const SPARE_PLACE = 1_000;

const candidateOf = (entry: Entry, score: number, place: number): Candidate => ({
  row: entry.row,
  view: entry.view,
  score,
  tier: entry.tier,
  place,
  relaxed: entry.relaxed,
  ...(entry.view.canary === undefined ? {} : { canary: "demoted" as const }),
});

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
