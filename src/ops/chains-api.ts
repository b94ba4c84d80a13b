/** JSON of `GET /api/v1/chains`: what is measured now, in plain words. */
import { rounded } from "./rounded.ts";
import {
  chainVerdict,
  isEndpointUsable,
  providerVerdict,
  type ChainState,
  type ProviderState,
} from "./status.ts";
import type { ChainView, EndpointStatus, ForecastStatus, ProviderView } from "./views.ts";

/** One transport of one provider. */
export interface EndpointReport {
  readonly breaker: "closed" | "open" | "half_open";
  readonly usable: boolean;
  readonly forced: boolean;
  /** Time until the breaker lets a probe through, or null. */
  readonly retry_in_ms: number | null;
  readonly cooldown_ms: number | null;
  readonly in_flight: number;
  readonly reason: string | null;
}

/** One limit of what a provider can serve. */
export interface CapabilityReport {
  readonly kind: string;
  readonly method: string | null;
  readonly limit: number;
  /** Time until a learned limit is forgotten; null for a configured one. */
  readonly expires_in_ms: number | null;
}

/** One provider. */
export interface ProviderReport {
  readonly id: string;
  readonly state: ProviderState;
  readonly reason: string | null;
  readonly vendor: string | null;
  readonly region: string | null;
  readonly role: "primary" | "backup";
  readonly type: string;
  readonly priority: number;
  readonly http: EndpointReport | null;
  readonly ws: (EndpointReport & { readonly connection: string | null }) | null;
  readonly head: number | null;
  readonly lag_blocks: number | null;
  readonly rank: number | null;
  readonly score: number | null;
  /** Wrong answers that it was caught with, halved every `half_life`. */
  readonly misbehaviour: number;
  /** Whether it is likely to breach a limit soon; null while nobody looks ahead. */
  readonly forecast: {
    readonly probability: number;
    readonly demoted: boolean;
    readonly reason: string | null;
  } | null;
  readonly trial: "shadow" | "canary" | null;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly failure_ratio: number | null;
  readonly calls: number;
  readonly wins: number;
  readonly races: number;
  readonly win_ratio: number | null;
  readonly capabilities: readonly CapabilityReport[];
  readonly restarts: number;
}

/** Answers that are kept and shared, since the start. */
export interface AnswersReport {
  readonly hits: number;
  readonly misses: number;
  /** Hits over look-ups, or null before the first one. */
  readonly hit_ratio: number | null;
  readonly coalesced: number;
  readonly kept: number;
  readonly entries: number;
  readonly bytes: number;
}

/** One chain. */
export interface ChainReport {
  readonly name: string;
  readonly chain_id: number;
  readonly aliases: readonly string[];
  readonly state: ChainState;
  readonly reason: string | null;
  readonly strategy: string;
  readonly tip: {
    readonly number: number | null;
    readonly hash: string | null;
    readonly age_ms: number | null;
  };
  readonly block_time_ms: number | null;
  readonly restarts: number;
  readonly rpc_path: string;
  readonly answers: AnswersReport;
  readonly providers: readonly ProviderReport[];
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
  readonly unmatched_errors: readonly {
    readonly code: number | null;
    readonly text: string;
    readonly count: number;
    readonly provider: string;
    readonly method: string;
  }[];
}

/** Body of `GET /api/v1/chains`. */
export interface ChainsReport {
  readonly region: string;
  readonly chains: readonly ChainReport[];
}

/** Everything about the running chains, in the order of the configuration. */
export const chainsReport = (
  region: string,
  chains: readonly ChainView[],
  nowMs: number,
): ChainsReport => ({ region, chains: chains.map((chain) => chainReport(chain, nowMs)) });

/** Everything about one chain. */
export function chainReport(chain: ChainView, nowMs: number): ChainReport {
  const verdict = chainVerdict(chain, nowMs);
  return {
    name: chain.name,
    chain_id: chain.chainId,
    aliases: chain.aliases,
    state: verdict.state,
    reason: verdict.reason ?? null,
    strategy: chain.strategy,
    tip: {
      number: chain.tip < 0 ? null : chain.tip,
      hash: chain.tipHash ?? null,
      age_ms: chain.tipAtMs === undefined ? null : Math.max(0, Math.round(nowMs - chain.tipAtMs)),
    },
    block_time_ms: chain.blockTimeMs > 0 ? Math.round(chain.blockTimeMs) : null,
    restarts: chain.restarts,
    rpc_path: `/rpc/${encodeURIComponent(chain.name)}`,
    answers: answersReport(chain),
    providers: chain.providers.map((provider) =>
      providerReport(provider, chain.maxLagBlocks, nowMs),
    ),
    skipped: chain.skipped ?? [],
    unmatched_errors: (chain.unmatched ?? []).map((error) => ({
      ...error,
      code: error.code ?? null,
    })),
  };
}

/** What is kept and shared of a chain's answers. */
export function answersReport({ answers }: ChainView): AnswersReport {
  const { hits = 0, misses = 0, coalesced = 0, stores = 0, entries = 0, bytes = 0 } = answers ?? {};
  const asked = hits + misses;
  return {
    hits,
    misses,
    hit_ratio: asked === 0 ? null : rounded(hits / asked, 4),
    coalesced,
    kept: stores,
    entries,
    bytes,
  };
}

/** Everything about one provider. */
export function providerReport(
  provider: ProviderView,
  maxLagBlocks: number,
  nowMs: number,
): ProviderReport {
  const { calls, race, connection } = provider;
  const verdict = providerVerdict(provider, maxLagBlocks, nowMs);
  const ws = endpointReport(provider.ws, nowMs);
  return {
    id: provider.id,
    state: verdict.state,
    reason: verdict.reason ?? null,
    vendor: provider.vendor ?? null,
    region: provider.region ?? null,
    role: provider.role,
    type: provider.type,
    priority: provider.priority,
    http: endpointReport(provider.http, nowMs),
    ws: ws && { ...ws, connection: connection?.state ?? null },
    head: provider.head < 0 ? null : provider.head,
    lag_blocks: provider.lag ?? null,
    rank: provider.rank ?? null,
    score: rounded(provider.score, 4),
    misbehaviour: rounded(provider.misbehaviour, 2) ?? 0,
    forecast: provider.forecast === undefined ? null : forecastReport(provider.forecast),
    trial: provider.trial ?? null,
    p50_ms: rounded(calls?.p50Ms, 2),
    p95_ms: rounded(calls?.q95Ms, 2),
    failure_ratio: calls === undefined || calls.n === 0 ? null : rounded(calls.failureRatio, 4),
    calls: Math.round(calls?.n ?? 0),
    wins: race?.wins ?? 0,
    races: race?.races ?? 0,
    win_ratio: race === undefined || race.races === 0 ? null : rounded(race.winRate, 4),
    capabilities: (provider.capabilities ?? []).map(({ kind, method, limit, untilMs }) => ({
      kind,
      method: method ?? null,
      limit,
      expires_in_ms: untilMs === undefined ? null : Math.max(0, Math.round(untilMs - nowMs)),
    })),
    restarts: provider.restarts,
  };
}

function endpointReport(row: EndpointStatus | undefined, nowMs: number): EndpointReport | null {
  if (row === undefined) return null;
  return {
    breaker: row.state,
    usable: isEndpointUsable(row, nowMs),
    forced: row.forced,
    retry_in_ms: row.state === "open" ? Math.max(0, Math.round(row.openUntilMs - nowMs)) : null,
    cooldown_ms: row.cooldownUntilMs > nowMs ? Math.round(row.cooldownUntilMs - nowMs) : null,
    in_flight: row.inFlight,
    reason: row.unusableReason ?? null,
  };
}

const forecastReport = ({
  probability,
  isDemoted,
  reason,
}: ForecastStatus): NonNullable<ProviderReport["forecast"]> => ({
  probability: rounded(probability, 4) ?? 0,
  demoted: isDemoted,
  reason: reason ?? null,
});
