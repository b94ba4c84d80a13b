/**
 * Builds the routing snapshot of a chain from its configuration, its cells and its evidence.
 * Pure and off the request path: the provider pool calls it when something changed.
 */
import type { ChainConfig, ProviderConfig } from "../../config/schema.ts";
import type { ChainState } from "./chain-state.ts";
import { limitsOf } from "./capabilities/provider-limits.ts";
import type { HeadView } from "./chain-view.ts";
import { lagOf } from "./head/head-truth.ts";
import type { EndpointView, RoutingSnapshot, SelectionRules } from "./selection/snapshot.ts";

/** Block time assumed until it is configured or learned, ms. */
const defaultBlockTimeMs = 12_000;

/** The snapshot of `state` at `nowMs` (monotonic). */
export const buildSnapshot = (
  state: ChainState,
  version: number,
  nowMs: number,
): RoutingSnapshot => {
  const { config, head } = state;
  const blockTimeMs = config.blockTimeMs ?? head?.blockTimeMs ?? defaultBlockTimeMs;
  const endpoints = config.providers.map((provider) =>
    viewOf(state, provider, head, blockTimeMs, nowMs),
  );
  return {
    chain: config.name,
    version,
    builtAtMs: nowMs,
    tip: head?.number ?? -1,
    blockTimeMs,
    rules: rulesOf(config),
    endpoints,
    canaries: someOf(endpoints.filter(({ canary }) => canary !== undefined)),
    shadows: someOf(endpoints.filter(({ shadow }) => shadow !== undefined)),
    cache: new Map(),
    cacheOfLists: new Map(),
    memory: state.memory,
  };
};

/** Nearly always there are none, and then one look says so. */
const someOf = (views: readonly EndpointView[]): readonly EndpointView[] | undefined =>
  views.length === 0 ? undefined : views;

const rulesOf = (config: ChainConfig): SelectionRules => ({
  strategy: config.strategy,
  maxLagBlocks: config.selection.maxLagBlocks,
  archivalThreshold: config.selection.archivalThreshold,
  minHealthy: config.selection.minHealthy,
  formula: config.leaderboard.formula,
  weights: config.leaderboard.weights,
  stickyHysteresis: config.sticky.hysteresis,
  stickyMinIntervalMs: config.sticky.minIntervalMs,
  costBias: config.selection.costBias,
});

/** A configured depth beyond the threshold is an archive, as far as it goes. */
const keepsOldState = (
  { archival, capabilities: { archiveDepth = 0 } }: ProviderConfig,
  { selection }: ChainConfig,
): boolean => archival || archiveDepth > selection.archivalThreshold;

const viewOf = (
  state: ChainState,
  provider: ProviderConfig,
  head: HeadView | undefined,
  blockTimeMs: number,
  nowMs: number,
): EndpointView => {
  const rows = state.rows(provider.id);
  const { head: number, headAtMs: atMs = nowMs } =
    rows.http.head >= rows.ws.head ? rows.http : rows.ws;
  return {
    provider: provider.id,
    vendor: provider.vendor,
    region: provider.region,
    tags: provider.tags,
    transports: {
      ...(provider.url === undefined ? {} : { http: rows.http }),
      ...(provider.wsUrl === undefined ? {} : { ws: rows.ws }),
    },
    priority: provider.priority,
    role: provider.role,
    weight: provider.weight,
    type: provider.type,
    cost: provider.cost,
    archival: keepsOldState(provider, state.config),
    mayProbe: provider.probe,
    ...limitsOf(provider.id, provider.capabilities, state.capabilities, head?.number ?? -1, nowMs),
    head: number,
    lag:
      number < 0 || head === undefined
        ? undefined
        : lagOf(head.number, { number, atMs }, blockTimeMs, nowMs).optimistic,
    calls: state.evidence.callsOf(provider.id, nowMs),
    race: state.evidence.raceSummary(provider.id, nowMs),
    prior: state.priors?.get(provider.id),
    misbehaviour: state.evidence.misbehaviourOf(provider.id, nowMs).recent,
    forecast: state.forecasts.of(provider.id),
    shadow: provider.shadow?.sample,
    canary: provider.canary?.share,
  };
};
