/** JSON of what races and calls have shown: leaderboard, its history, metrics, races, providers. */
import { providerReport, type ProviderReport } from "../chains-api.ts";
import { rounded } from "../rounded.ts";
import { providerVerdict, type ProviderState } from "../status.ts";
import type { ChainView } from "../views.ts";
import type { CallFigures, ChainEvidence, RaceFigures, RowsWanted } from "./port.ts";

/** Both clocks at one moment. */
export interface Moment {
  /** Monotonic ms, the clock of the evidence. */
  readonly nowMs: number;
  /** Ms since 1970. */
  readonly wallMs: number;
}

const iso = (wallMs: number): string => new Date(wallMs).toISOString();

/** By what a leaderboard is ordered: the chain's ranking, or one of the two race scores. */
export const LEADERBOARD_ORDERS = ["rank", "pace", "livechain"] as const;

/** One of them. */
export type LeaderboardOrder = (typeof LEADERBOARD_ORDERS)[number];

/** One place of the leaderboard. */
export interface LeaderboardRow {
  readonly rank: number | null;
  readonly provider: string;
  readonly state: ProviderState;
  readonly score: number | null;
  readonly race_score: number | null;
  readonly pace_score: number | null;
  readonly wins: number;
  readonly races: number;
  readonly win_ratio: number | null;
  readonly miss_ratio: number | null;
  readonly avg_margin_ms: number | null;
  readonly reliability: number | null;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly calls: number;
}

/** Body of `GET /api/v1/chains/:chain/leaderboard`. */
export interface LeaderboardReport {
  readonly chain: string;
  readonly strategy: string;
  readonly by: LeaderboardOrder;
  /** Number of the newest race row behind it. */
  readonly version: number;
  readonly leaderboard: readonly LeaderboardRow[];
}

/** The providers of a chain, best first, ties by id; who has no place or score comes last. */
export function leaderboardReport(
  chain: ChainView,
  evidence: ChainEvidence | undefined,
  { nowMs }: Moment,
  { by = "rank", limit }: { readonly by?: LeaderboardOrder | undefined; readonly limit: number },
): LeaderboardReport {
  const rows = chain.providers.map((provider): LeaderboardRow => {
    const { race, calls } = provider;
    const hasRaced = race !== undefined && race.races > 0;
    return {
      rank: provider.rank ?? null,
      provider: provider.id,
      state: providerVerdict(provider, chain.maxLagBlocks, nowMs).state,
      score: rounded(provider.score, 4),
      race_score: hasRaced ? rounded(race.raceScore, 4) : null,
      pace_score: rounded(race?.paceScore, 4),
      wins: race?.wins ?? 0,
      races: race?.races ?? 0,
      win_ratio: hasRaced ? rounded(race.winRate, 4) : null,
      miss_ratio: hasRaced ? rounded(race.missRate, 4) : null,
      avg_margin_ms: hasRaced ? rounded(race.avgMarginMs, 3) : null,
      reliability: rounded(calls?.reliabilityLb, 4),
      p50_ms: rounded(calls?.p50Ms, 2),
      p95_ms: rounded(calls?.q95Ms, 2),
      calls: Math.round(calls?.n ?? 0),
    };
  });
  const goodness = GOODNESS[by];
  const ordered = rows.sort(
    (a, b) => goodness(b) - goodness(a) || (a.provider < b.provider ? -1 : 1),
  );
  return {
    chain: chain.name,
    strategy: chain.strategy,
    by,
    version: evidence?.raceNumbers.last ?? 0,
    leaderboard: ordered.slice(0, limit),
  };
}

const GOODNESS: Readonly<Record<LeaderboardOrder, (row: LeaderboardRow) => number>> = {
  rank: ({ rank }) => -(rank ?? Number.MAX_SAFE_INTEGER),
  pace: ({ pace_score }) => pace_score ?? -1,
  livechain: ({ race_score }) => race_score ?? -1,
};

/** How the leaderboard stood at earlier moments, oldest first. */
export const historyReport = (
  chain: ChainView,
  evidence: ChainEvidence | undefined,
  wanted: { readonly sinceMs: number; readonly untilMs: number; readonly limit: number },
) => ({
  chain: chain.name,
  history: (evidence?.history.range(wanted.sinceMs, wanted.untilMs, wanted.limit) ?? []).map(
    ({ wallMs, standings }) => ({
      at: iso(wallMs),
      leaderboard: standings.map((one) => ({
        provider: one.provider,
        race_score: rounded(one.raceScore, 4),
        pace_score: rounded(one.paceScore ?? undefined, 4),
        wins: one.wins,
        races: one.races,
        win_ratio: rounded(one.winRate, 4),
        miss_ratio: rounded(one.missRate, 4),
        avg_margin_ms: rounded(one.avgMarginMs, 3),
        reliability: rounded(one.reliabilityLb ?? undefined, 4),
        p50_ms: rounded(one.p50Ms ?? undefined, 2),
      })),
    }),
  ),
});

/** Body of `GET /api/v1/chains/:chain/leaderboard/history`. */
export type HistoryReport = ReturnType<typeof historyReport>;

/** What is left out of a chain's metrics. */
export interface MetricsFilter {
  readonly provider?: string | undefined;
  readonly event?: RaceFigures["event"] | undefined;
  readonly transport?: CallFigures["transport"] | undefined;
  readonly method?: string | undefined;
  readonly limit: number;
}

/** What races and calls have shown, stream by stream and method by method. */
export function metricsReport(
  chain: ChainView,
  evidence: ChainEvidence | undefined,
  { nowMs }: Moment,
  { provider, event, transport, method, limit }: MetricsFilter,
) {
  const isOf = (one: { readonly provider: string }): boolean =>
    provider === undefined || one.provider === provider;
  const races = (evidence?.raceMatrix(nowMs) ?? []).filter(
    (one) => isOf(one) && (event === undefined || one.event === event),
  );
  const calls = (evidence?.callMatrix(nowMs) ?? []).filter(
    (one) =>
      isOf(one) &&
      (transport === undefined || one.transport === transport) &&
      (method === undefined || one.method === method),
  );
  const kept = { races: races.slice(0, limit), calls: calls.slice(0, limit) };
  return {
    chain: chain.name,
    races: kept.races.map(racesOf),
    calls: kept.calls.map(callsOf),
    omitted: races.length - kept.races.length + calls.length - kept.calls.length,
  };
}

const racesOf = (one: RaceFigures) => ({
  provider: one.provider,
  event: one.event,
  race_score: rounded(one.raceScore, 4),
  pace_score: rounded(one.paceScore, 4),
  weight: rounded(one.weight, 2),
  wins: one.wins,
  losses: one.losses,
  misses: one.misses,
  races: one.races,
  win_ratio: rounded(one.winRate, 4),
  miss_ratio: rounded(one.missRate, 4),
  avg_margin_ms: rounded(one.avgMarginMs, 3),
  absences: one.absences,
  availability: rounded(one.availability, 4),
  uncorroborated: one.misbehaviour,
});

const callsOf = (one: CallFigures) => ({
  provider: one.provider,
  transport: one.transport,
  method: one.method,
  n: rounded(one.n, 2),
  reliability: rounded(one.reliabilityLb, 4),
  failure_ratio: rounded(one.failureRatio, 4),
  timeout_ratio: rounded(one.timeoutRatio, 4),
  capacity: rounded(one.capacity, 2),
  samples: one.samples,
  mean_ms: rounded(one.meanMs, 2),
  p50_ms: rounded(one.p50Ms, 2),
  p95_ms: rounded(one.q95Ms, 2),
  p99_ms: rounded(one.q99Ms, 2),
});

/** Which races are wanted; `since` is the seq of a row or a moment. */
export interface RacesWanted extends Omit<RowsWanted, "after" | "sinceMs"> {
  readonly since?: { readonly seq: number } | { readonly wallMs: number } | undefined;
}

/** Body of `GET /api/v1/chains/:chain/races`. */
export interface RacesReport {
  readonly chain: string;
  /** Numbers of the oldest row that is kept, and of the newest. */
  readonly first: number;
  readonly last: number;
  /** `since` of the next question. */
  readonly next: number;
  /** Rows between `since` and the first answer that are not kept any more. */
  readonly missed: number;
  /** `since` was beyond the newest row: the numbers began anew, and so does this answer. */
  readonly reset: boolean;
  readonly races: readonly {
    readonly seq: number;
    readonly at: string;
    readonly provider: string;
    readonly event: string;
    readonly result: string;
    readonly margin_ms: number | null;
  }[];
}

/** Results of races, row by row. */
export function racesReport(
  chain: ChainView,
  evidence: ChainEvidence | undefined,
  { nowMs, wallMs }: Moment,
  { since, ...wanted }: RacesWanted,
): RacesReport {
  const { first, last } = evidence?.raceNumbers ?? { first: 1, last: 0 };
  const seq = since !== undefined && "seq" in since ? since.seq : undefined;
  const isReset = seq !== undefined && seq > last;
  const sinceMs =
    since !== undefined && "wallMs" in since ? since.wallMs - wallMs + nowMs : undefined;
  const oldest = since === undefined ? undefined : first - 1;
  const after = seq === undefined || isReset ? oldest : seq;
  const rows = evidence?.raceRowsAfter({ ...wanted, after, sinceMs }) ?? [];
  return {
    chain: chain.name,
    first,
    last,
    // Filtered rows are read too: only a full answer may have left some behind.
    next: rows.length < wanted.limit ? last : (rows.at(-1)?.seq ?? last),
    missed: seq === undefined || isReset ? 0 : Math.max(0, first - 1 - seq),
    reset: isReset,
    races: rows.map(({ atMs, provider, event, result, marginMs, ...row }) => ({
      seq: row.seq,
      at: iso(wallMs - nowMs + atMs),
      provider,
      event,
      result,
      margin_ms: result === "loss" ? rounded(marginMs, 3) : null,
    })),
  };
}

/** Which providers are wanted; `after` is the id of the last one that was read. */
export interface ProvidersWanted {
  readonly state?: ProviderState | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Body of `GET /api/v1/chains/:chain/providers`. */
export function providersReport(
  chain: ChainView,
  { nowMs }: Moment,
  { state, after, limit }: ProvidersWanted,
): {
  readonly chain: string;
  readonly total: number;
  readonly next: string | null;
  readonly providers: readonly ProviderReport[];
} {
  const all = [...chain.providers]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((provider) => providerReport(provider, chain.maxLagBlocks, nowMs))
    .filter((provider) => state === undefined || provider.state === state);
  const rest = after === undefined ? all : all.filter(({ id }) => id > after);
  const providers = rest.slice(0, limit);
  const next = providers.length < rest.length ? (providers.at(-1)?.id ?? null) : null;
  return { chain: chain.name, total: all.length, next, providers };
}
