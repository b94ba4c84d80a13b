/** Maps the live records of the chains onto the shapes that pages, metrics and health read. */
import type { ProviderConfig } from "../../config/schema.ts";
import type { ChainRestarts } from "../ops/processes.ts";
import type { CapabilityStatus, ChainView, ForecastStatus, ProviderView } from "../ops/views.ts";
import { budgetView } from "./callers.ts";
import type { ChainState } from "../rpc/chain-state.ts";
import type { ProviderForecast } from "../rpc/prediction/forecast-book.ts";
import { reasonOf } from "../rpc/prediction/reason.ts";
import { rank } from "../rpc/selection/rank.ts";
import type { EndpointView, Ranking } from "../rpc/selection/snapshot.ts";
import {
  aggregationRow,
  connectionRow,
  streamsRow,
  type AggregationStats,
  type ConnectionStats,
  type StreamStats,
} from "../rpc/stream-stats.ts";

/** Reads one row of the table of stream counters. */
type ReadStats = (row: string) => unknown;

/** The view of one chain. */
export const chainView = (
  state: ChainState,
  stats: ReadStats,
  restarts: ChainRestarts | undefined,
  nowMs: number,
): ChainView => {
  const { config, snapshot, head } = state;
  const order =
    snapshot === undefined ? undefined : rank(snapshot, { method: "eth_blockNumber", seed: 0.5 });
  const aggregation = stats(aggregationRow(config.name)) as AggregationStats | undefined;
  const streams = stats(streamsRow(config.name)) as readonly StreamStats[] | undefined;
  return {
    name: config.name,
    chainId: config.chainId,
    aliases: config.aliases,
    strategy: config.strategy,
    tip: head?.number ?? -1,
    tipHash: head?.hash,
    tipAtMs: head?.atMs,
    blockTimeMs: snapshot?.blockTimeMs ?? config.blockTimeMs ?? 0,
    maxLagBlocks: config.selection.maxLagBlocks,
    skipped: config.skipped,
    unmatched: state.unmatched.most(),
    restarts: restarts?.own ?? 0,
    providers: config.providers.map((provider) =>
      providerView(state, provider, order, stats, restarts, nowMs),
    ),
    aggregation,
    streams,
    answers: state.answers,
    caches: aggregation === undefined ? [] : [{ kind: "seen_events", ...aggregation.cache }],
  };
};

const providerView = (
  state: ChainState,
  provider: ProviderConfig,
  order: Ranking | undefined,
  stats: ReadStats,
  restarts: ChainRestarts | undefined,
  nowMs: number,
): ProviderView => {
  const { id } = provider;
  const rows = state.rows(id);
  const view = state.snapshot?.endpoints.find((endpoint) => endpoint.provider === id);
  const place = order?.candidates.findIndex(({ row }) => row.provider === id) ?? -1;
  return {
    id,
    vendor: provider.vendor,
    region: provider.region,
    role: provider.role,
    type: provider.type,
    priority: provider.priority,
    http: provider.url === undefined ? undefined : rows.http,
    ws: provider.wsUrl === undefined ? undefined : rows.ws,
    connection: stats(connectionRow(state.name, id)) as ConnectionStats | undefined,
    head: Math.max(rows.http.head, rows.ws.head),
    lag: view?.lag,
    rank: place < 0 ? undefined : place + 1,
    score: order?.candidates[place]?.score,
    misbehaviour: view?.misbehaviour,
    forecast: view?.forecast && forecastOf(view.forecast),
    trial: provider.shadow !== undefined ? "shadow" : provider.canary && "canary",
    race: view?.race,
    calls: view === undefined ? undefined : callsOf(view, provider),
    capabilities: capabilitiesOf(state, provider),
    budget: budgetView(state.budgets.of(id), nowMs),
    restarts: restarts?.byProvider.get(id) ?? 0,
  };
};

/** The operator's word first, then what was learned and holds at the time of the last snapshot. */
const capabilitiesOf = (
  { capabilities, snapshot, head }: ChainState,
  { id, capabilities: configured }: ProviderConfig,
): readonly CapabilityStatus[] => {
  const { unsupported, maxBlockRange, archiveDepth } = configured;
  const method = "eth_getLogs";
  return [
    ...unsupported.map((glob) => ({ kind: "method", method: glob, limit: 0 })),
    ...(maxBlockRange === undefined ? [] : [{ kind: "range", method, limit: maxBlockRange }]),
    ...(archiveDepth === undefined || head === undefined
      ? []
      : [{ kind: "state", limit: Math.max(0, head.number - archiveDepth) }]),
    ...capabilities.lessons(id, snapshot?.builtAtMs ?? 0),
  ];
};

const callsOf = (view: EndpointView, provider: ProviderConfig) =>
  view.calls.get(provider.url === undefined ? "ws" : "http", undefined);

const forecastOf = ({ probability, isDemoted, components }: ProviderForecast): ForecastStatus => ({
  probability,
  isDemoted,
  reason: components[0] && reasonOf(components[0]),
});
