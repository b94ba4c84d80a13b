/**
 * Other regions as the last resort of a chain: who of them is asked for a call that no provider here
 * may be asked for (docs/regions.md).
 *
 * Such a region looks like a provider of its own: it has a cell with a breaker, an attempt, a deadline.
 * It stands in no ranking and no leaderboard, so nothing changes while the chain's own providers serve.
 */
import { isAdmissible } from "../admission.ts";
import type { EndpointRow } from "../chain-view.ts";
import { DECISIONS } from "../errors/decisions.ts";
import type { ErrorClass } from "../errors/classes.ts";
import type { ProviderId } from "../ids.ts";
import type { MethodInfo } from "../json-rpc/methods.ts";
import type { CallOptions } from "../proxy/call.ts";
import type { ChainView } from "../proxy/ports.ts";
import type { TriedSet } from "../selection/pick.ts";
import type { Selected } from "../selection/selected.ts";
import type { Candidate, EndpointView, RoutingSnapshot } from "../selection/snapshot.ts";

/** The regions that help one chain now; its `neighbours` process publishes them. */
export interface Helpers {
  /** Nearest first. */
  readonly candidates: readonly Candidate[];
  /** Helped calls at once, of each region. */
  readonly maxInFlight: number;
}

/** Regions that are asked for one call. */
export const MAX_HELPS = 2;

/** No id of a provider holds a colon. */
const PREFIX = "region:";

/** What a region is called where providers are named; its name may hold anything. */
export const helperId = (region: string): ProviderId => PREFIX + encodeURIComponent(region);

/** The region behind such a name; undefined for a provider. */
export const regionOf = (provider: ProviderId): string | undefined =>
  provider.startsWith(PREFIX) ? decodeURIComponent(provider.slice(PREFIX.length)) : undefined;

/** A region as somebody who can be asked. */
export const helperCandidate = (row: EndpointRow): Candidate => ({
  row,
  view: { ...NOBODY, provider: row.provider, vendor: row.provider, transports: { http: row } },
  score: 0,
  tier: "unknown",
  place: LAST_PLACE,
  relaxed: [],
});

/** Behind everybody: it stands in no ranking. */
const LAST_PLACE = 10_000;

/** Nothing is known of who answers there. */
const NOBODY: Omit<EndpointView, "provider" | "vendor" | "transports"> = {
  region: undefined,
  tags: [],
  priority: 0,
  role: "backup",
  weight: 1,
  type: "dedicated",
  cost: { pricePerMillionUnits: 0, defaultUnits: 1, unitsByMethod: {} },
  archival: false,
  mayProbe: false,
  maxBlockRange: undefined,
  unsupported: new Set(),
  head: -1,
  lag: undefined,
  calls: { get: () => undefined },
  race: {
    raceScore: 0,
    paceScore: undefined,
    wins: 0,
    races: 0,
    winRate: 0,
    missRate: 0,
    avgMarginMs: 0,
  },
};

/**
 * Whether a call may be passed on: reads that can be repeated, of callers who left the choice of
 * providers to us, and that no other region has passed on already.
 */
const mayBeHelped = (options: CallOptions, info: MethodInfo): boolean =>
  info.isIdempotent &&
  info.class !== "write" &&
  options.isHelped !== true &&
  options.failover &&
  !options.asksAll &&
  options.quorum === undefined &&
  options.provider === undefined &&
  options.paired === undefined &&
  options.exclude.length === 0 &&
  options.maxCost === undefined &&
  options.transport !== "ws" &&
  (options.profile === undefined || options.profile.providers.length === 0);

/** Failures after which another region may be asked: of what lies between us and a provider. */
export const isHelpable = (errorClass: ErrorClass): boolean => {
  const { breaker, memory } = DECISIONS[errorClass];
  return memory === "cooldown" || (breaker !== "none" && breaker !== "success");
};

/** No provider of the chain may be asked now. */
export const isForsaken = (snapshot: RoutingSnapshot | undefined, nowMs: number): boolean =>
  snapshot?.endpoints.some((view) => stands(view, nowMs)) !== true;

const stands = ({ shadow, transports: { http, ws } }: EndpointView, nowMs: number): boolean =>
  shadow === undefined &&
  ((http !== undefined && isAdmissible(http, nowMs)) ||
    (ws !== undefined && isAdmissible(ws, nowMs)));

/**
 * Every provider was tried by this call, or may not be asked now. Whoever is well but cannot serve such
 * a call (no archive, another list) is there: the chain is not forsaken.
 */
export const isForsakenFor = (
  { ranking: { candidates, excluded }, snapshot }: Selected,
  nowMs: number,
  tried: TriedSet,
): boolean =>
  candidates.every(({ row }) => tried.has(row.index) || !isAdmissible(row, nowMs)) &&
  excluded.every(({ provider, rule }) => {
    // As the ranking found it; it is made anew before such a one is asked.
    if (rule === "cordoned") return true;
    const view = snapshot.endpoints.find((one) => one.provider === provider);
    return view === undefined || !stands(view, nowMs);
  });

/**
 * The region that a call may be passed on to now: the call is one that may be helped, and somebody is
 * there who was not asked for it and has a way.
 */
export const helperFor = (
  chain: Pick<ChainView, "helpers" | "upstream">,
  options: CallOptions,
  info: MethodInfo,
  nowMs: number,
  tried: TriedSet,
): Candidate | undefined => {
  const { helpers } = chain;
  const helper = helpers === undefined ? undefined : nextHelper(helpers, nowMs, tried);
  if (helper === undefined || chain.upstream(helper.row) === undefined) return undefined;
  return mayBeHelped(options, info) ? helper : undefined;
};

/**
 * The nearest region that this call has not asked and that may be asked now; one that stalls when there
 * is no other, because a slow answer beats none.
 */
const nextHelper = (
  { candidates, maxInFlight }: Helpers,
  nowMs: number,
  tried: TriedSet,
): Candidate | undefined => {
  let stalled: Candidate | undefined;
  for (const candidate of candidates) {
    const { row } = candidate;
    if (row.inFlight >= maxInFlight || tried.has(row.index)) continue;
    if (isAdmissible(row, nowMs)) return candidate;
    const isOnlySlow = row.isUsable && row.state === "closed" && row.cooldownUntilMs <= nowMs;
    if (isOnlySlow) stalled ??= candidate;
  }
  return stalled;
};
