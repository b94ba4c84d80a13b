/** How each sampled family of the metrics table is copied out of the live cells at scrape time. */
import { chainVerdict, endpointsOf, isEndpointUsable, isProviderUsable } from "../status.ts";
import { DurationCells } from "../../lib/duration-cells.ts";
import type { Alert } from "../alerts.ts";
import {
  type ClusterView,
  type HelpView,
  PEER_STATES,
  type RegionView,
} from "../../cluster/protocol.ts";
import type { MarketCounts, PairingView } from "../../pairing/protocol.ts";
import type {
  AnswerCounters,
  CacheCounters,
  CallerView,
  ChainView,
  ConnectionStatus,
  EndpointStatus,
  HostView,
  ProcessesView,
  ProviderView,
  StreamCounters,
} from "../views.ts";
import type { EndpointCells, RequestMeter } from "./request-meter.ts";
import type { Put, Sampler } from "./registry.ts";

/** Where the metrics come from; every function is called at scrape time and must be cheap. */
export interface MetricSources {
  readonly nowMs: () => number;
  readonly version: string;
  readonly region: string;
  readonly configHash: () => string;
  readonly chains: () => readonly ChainView[];
  readonly meter: RequestMeter;
  /** Connected clients by kind of connection, e.g. `http` and `ws`. */
  readonly clients: () => Readonly<Record<string, number>>;
  /** Stateful filters that are open, by kind. */
  readonly filters: () => readonly { readonly kind: string; readonly count: number }[];
  readonly processes: () => ProcessesView;
  readonly host: () => HostView;
  readonly suppressedLogLines: () => number;
  readonly callers: () => readonly CallerView[];
  /** Undefined without a configured Redis. */
  readonly redis: () => RedisView | undefined;
  /** This region among the others. */
  readonly cluster: () => ClusterView;
  readonly alerts: () => readonly Alert[];
  /** Undefined without a configured market. */
  readonly pairing: () => PairingView | undefined;
  /** Most bytes of answers that the node keeps. */
  readonly answersLimitBytes: () => number;
}

/** The link to Redis: whether it answers, and what became of the commands by result. */
export interface RedisView {
  readonly isUp: boolean;
  readonly counters: Readonly<Record<"ok" | "failed" | "timeout" | "refused", number>>;
}

type Sample = Sampler<MetricSources>;

const perMarket =
  (put: (market: MarketCounts, put: Put) => void): Sample =>
  ({ pairing }, add) => {
    for (const market of pairing()?.markets ?? []) put(market, add);
  };

const perScorer = (
  read: (tally: { picks: number; points: number; failures: number }) => number,
): Sample =>
  perMarket(({ name, scoredBy }, put) => {
    for (const [scorer, tally] of scoredBy) put([name, scorer], read(tally));
  });

const ofPairing =
  (value: (view: PairingView) => number): Sample =>
  ({ pairing }, put) => {
    const view = pairing();
    if (view !== undefined) put([], value(view));
  };

const perRegion =
  (value: (region: RegionView) => number): Sample =>
  ({ cluster }, put) => {
    for (const region of cluster().regions) {
      if (!region.isSelf) put([region.region], value(region));
    }
  };

/** What helping has counted, by region or reason. */
const ofHelp =
  (read: (help: HelpView) => Readonly<Record<string, number>>, scale = 1): Sample =>
  ({ cluster }, put) => {
    const { help } = cluster();
    if (help === undefined) return;
    for (const [name, value] of Object.entries(read(help))) put([name], value * scale);
  };

const perChain =
  (put: (chain: ChainView, put: Put, nowMs: number) => void): Sample =>
  (sources, add) => {
    const nowMs = sources.nowMs();
    for (const chain of sources.chains()) put(chain, add, nowMs);
  };

const perProvider = (value: (provider: ProviderView) => number | undefined): Sample =>
  perChain((chain, put) => {
    for (const provider of chain.providers) {
      const known = value(provider);
      if (known !== undefined) put([chain.name, provider.id], known);
    }
  });

const perEndpoint = (value: (row: EndpointStatus, nowMs: number) => number): Sample =>
  perChain((chain, put, nowMs) => {
    for (const provider of chain.providers) {
      for (const [transport, row] of endpointsOf(provider)) {
        put([chain.name, provider.id, transport], value(row, nowMs));
      }
    }
  });

const perCache = (value: (cache: CacheCounters) => number): Sample =>
  perChain((chain, put) => {
    for (const cache of chain.caches ?? []) put([chain.name, cache.kind], value(cache));
  });

const perAnswers = (put: (answers: AnswerCounters, chain: string, put: Put) => void): Sample =>
  perChain(({ name, answers }, add) => {
    if (answers !== undefined) put(answers, name, add);
  });

const perStream = (value: (stream: StreamCounters) => number): Sample =>
  perChain((chain, put) => {
    for (const stream of chain.streams ?? []) put([chain.name, stream.kind], value(stream));
  });

const perCaller =
  (value: (caller: CallerView) => number): Sample =>
  ({ callers }, put) => {
    for (const caller of callers()) put([caller.id], value(caller));
  };

const meteredEndpoints =
  (copy: (cells: EndpointCells, labels: readonly string[], put: Put) => void): Sample =>
  ({ meter }, put) => {
    for (const [chain, cells] of meter.chains) {
      for (const [provider, { http, ws }] of cells.providers) {
        if (http.durations.count > 0) copy(http, [chain, provider, "http"], put);
        if (ws.durations.count > 0) copy(ws, [chain, provider, "ws"], put);
      }
    }
  };

const one =
  (value: (sources: MetricSources) => number): Sample =>
  (sources, put) =>
    put([], value(sources));

/** States of a connection in which it carries calls and events. */
const UP_STATES: ReadonlySet<string> = new Set(["live", "stale"]);

const BREAKER_VALUE = { closed: 0, half_open: 1, open: 2 } as const;

/** Why answers leave, as the page says it. */
const REMOVAL_WORDS: Readonly<Record<string, string>> = { group: "reorg", deleted: "stale" };

const ratioOf = (value: number | undefined, samples: number | undefined): number | undefined =>
  samples === undefined || samples === 0 ? undefined : value;

const byName: Readonly<Record<string, Sample>> = {
  rpc_requests_total: ({ meter }, put) => {
    for (const [chain, { requests }] of meter.chains) {
      for (const transport of ["http", "ws"] as const) {
        for (const outcome of ["ok", "error", "gone"] as const) {
          put([chain, transport, outcome], requests[transport][outcome]);
        }
      }
    }
  },
  rpc_request_errors_total: ({ meter }, put) => {
    for (const [chain, { reasons }] of meter.chains) {
      for (const [reason, count] of reasons) put([chain, reason], count);
    }
  },
  rpc_request_duration_seconds: ({ meter }, put) => {
    for (const [chain, { durations }] of meter.chains) {
      for (const [methodClass, cells] of durations) put([chain, methodClass], cells);
    }
  },
  rpc_attempts_total: meteredEndpoints(({ byClass }, labels, put) => {
    for (const [errorClass, count] of byClass) put([...labels, errorClass], count);
  }),
  rpc_attempt_duration_seconds: meteredEndpoints(({ durations }, labels, put) => {
    put(labels, durations);
  }),
  rpc_method_attempts_total: ({ meter }, put) => {
    for (const [chain, { providers }] of meter.chains) {
      for (const [provider, { byMethod }] of providers) {
        for (const [method, counts] of byMethod) {
          for (const outcome of ["ok", "failed", "neutral"] as const) {
            if (counts[outcome] > 0) put([chain, provider, method, outcome], counts[outcome]);
          }
        }
      }
    }
  },
  circuit_breaker_state: perEndpoint(({ state }) => BREAKER_VALUE[state]),
  endpoint_usable: perEndpoint((row, nowMs) => Number(isEndpointUsable(row, nowMs))),
  endpoint_in_flight: perEndpoint(({ inFlight }) => inFlight),
  endpoint_completed_total: perEndpoint(({ completed }) => completed),
  provider_head_block: perProvider(({ head }) => (head < 0 ? undefined : head)),
  provider_lag_blocks: perProvider(({ lag }) => lag),
  provider_latency_seconds: perChain((chain, put) => {
    for (const { id, calls } of chain.providers) {
      if (calls?.p50Ms !== undefined) put([chain.name, id, "0.5"], calls.p50Ms / 1_000);
      if (calls?.q95Ms !== undefined) put([chain.name, id, "0.95"], calls.q95Ms / 1_000);
    }
  }),
  provider_failure_ratio: perProvider(({ calls }) => ratioOf(calls?.failureRatio, calls?.n)),
  provider_misbehaviour: perProvider(({ misbehaviour }) => misbehaviour),
  provider_breach_probability_ratio: perProvider(({ forecast }) => forecast?.probability),
  provider_score_ratio: perProvider(({ score }) => score),
  provider_race_win_ratio: perProvider(({ race }) => ratioOf(race?.winRate, race?.races)),
  provider_race_miss_ratio: perProvider(({ race }) => ratioOf(race?.missRate, race?.races)),
  provider_race_margin_seconds: perProvider(({ race }) =>
    race === undefined || race.races === 0 ? undefined : race.avgMarginMs / 1_000,
  ),
  chain_tip_block: perChain(({ name, tip }, put) => {
    if (tip >= 0) put([name], tip);
  }),
  chain_tip_age_seconds: perChain(({ name, tipAtMs }, put, nowMs) => {
    if (tipAtMs !== undefined) put([name], Math.max(0, nowMs - tipAtMs) / 1_000);
  }),
  chain_usable_providers: perChain(({ name, providers }, put, nowMs) => {
    put([name], providers.filter((provider) => isProviderUsable(provider, nowMs)).length);
  }),
  chain_providers: perChain(({ name, providers }, put) => put([name], providers.length)),
  chain_down: perChain((chain, put, nowMs) => {
    put([chain.name], Number(chainVerdict(chain, nowMs).state === "down"));
  }),
  aggregation_messages_total: perChain(({ name, aggregation }, put) => {
    for (const [kind, { messages }] of Object.entries(aggregation?.byKind ?? {})) {
      put([name, kind], messages);
    }
  }),
  aggregation_duplicates_total: perChain(({ name, aggregation }, put) => {
    for (const [kind, { duplicates }] of Object.entries(aggregation?.byKind ?? {})) {
      put([name, kind], duplicates);
    }
  }),
  aggregation_races_settled_total: perChain(({ name, aggregation }, put) => {
    if (aggregation !== undefined) put([name], aggregation.racesSettled);
  }),
  aggregation_missed_total: perChain(({ name, aggregation }, put) => {
    if (aggregation !== undefined) put([name], aggregation.missed);
  }),
  aggregation_processing_seconds_total: perChain(({ name, aggregation }, put) => {
    if (aggregation !== undefined) put([name], aggregation.processingMs / 1_000);
  }),
  cache_hits_total: perCache(({ hits }) => hits),
  cache_misses_total: perCache(({ misses }) => misses),
  cache_evictions_total: perCache(({ evictions }) => evictions),
  cache_entries: perCache(({ entries }) => entries),
  cache_limit_entries: perCache(({ limit }) => limit),
  answers_found_total: perAnswers(({ hits, misses }, chain, put) => {
    put([chain, "hit"], hits);
    put([chain, "miss"], misses);
  }),
  answers_coalesced_total: perAnswers(({ coalesced }, chain, put) => put([chain], coalesced)),
  answers_kept_total: perAnswers(({ stores }, chain, put) => put([chain], stores)),
  answers_removed_total: perAnswers(({ removed }, chain, put) => {
    for (const [reason, count] of Object.entries(removed)) {
      put([chain, REMOVAL_WORDS[reason] ?? reason], count);
    }
  }),
  answers_entries: perAnswers(({ entries }, chain, put) => put([chain], entries)),
  answers_bytes: perAnswers(({ bytes }, chain, put) => put([chain], bytes)),
  answers_limit_bytes: one(({ answersLimitBytes }) => answersLimitBytes()),
  rpc_filters_open: ({ filters }, put) => {
    for (const { kind, count } of filters()) put([kind], count);
  },
  clients: ({ clients }, put) => {
    for (const [kind, count] of Object.entries(clients())) put([kind], count);
  },
  websocket_connected: perProvider(({ connection }) =>
    connection === undefined ? undefined : Number(UP_STATES.has(connection.state)),
  ),
  websocket_subscriptions: perChain(({ name, providers }, put) => {
    const links = providers.flatMap(({ connection }) => connection ?? []);
    const sumOf = (value: (link: ConnectionStatus) => number | undefined): number =>
      links.reduce((sum, link) => sum + (value(link) ?? 0), 0);
    put(
      [name, "wanted"],
      sumOf(({ wanted }) => wanted),
    );
    put(
      [name, "open"],
      sumOf(({ subscriptions }) => subscriptions),
    );
  }),
  subs_active: perStream(({ active }) => active),
  subs_delivered_total: perStream(({ delivered }) => delivered),
  subs_dropped_total: perStream(({ dropped }) => dropped),
  config_info: ({ configHash }, put) => put([configHash()], 1),
  otp_processes: ({ processes }, put) => {
    const { supervisors, workers } = processes();
    put(["supervisor"], supervisors);
    put(["worker"], workers);
  },
  otp_mailbox_messages: one(({ processes }) => processes().mailboxMessages),
  otp_mailbox_max_messages: one(({ processes }) => processes().mailboxMaxMessages),
  info: ({ version, region }, put) => put([version, region], 1),
  host_uptime_seconds: one(({ host }) => host().uptimeMs / 1_000),
  host_cpu_seconds_total: ({ host }, put) => {
    const { cpuUserMs, cpuSystemMs } = host();
    put(["user"], cpuUserMs / 1_000);
    put(["system"], cpuSystemMs / 1_000);
  },
  host_memory_bytes: ({ host }, put) => {
    const view = host();
    put(["rss"], view.rssBytes);
    put(["heap_used"], view.heapUsedBytes);
    put(["heap_total"], view.heapTotalBytes);
    put(["heap_limit"], view.heapLimitBytes);
    put(["external"], view.externalBytes);
  },
  host_event_loop_lag_seconds: ({ host }, put) => {
    const { loopLagP50Ms, loopLagP99Ms, loopLagMaxMs } = host();
    put(["0.5"], loopLagP50Ms / 1_000);
    put(["0.99"], loopLagP99Ms / 1_000);
    put(["1"], loopLagMaxMs / 1_000);
  },
  host_event_loop_utilization_ratio: one(({ host }) => host().loopUtilization),
  host_gc_seconds_total: ({ host }, put) => {
    for (const { kind, durationMs } of host().gc) put([kind], durationMs / 1_000);
  },
  host_gc_runs_total: ({ host }, put) => {
    for (const { kind, count } of host().gc) put([kind], count);
  },
  host_open_fds: ({ host }, put) => {
    const { openFds } = host();
    if (openFds >= 0) put([], openFds);
  },
  client_calls_total: perCaller(({ calls }) => calls),
  client_units_total: perCaller(({ units }) => units),
  client_refused_total: ({ callers }, put) => {
    for (const { id, refused } of callers()) {
      for (const [reason, count] of Object.entries(refused)) {
        if (count > 0) put([id, reason], count);
      }
    }
  },
  provider_quota_used_ratio: perProvider(({ budget }) =>
    budget?.quota === undefined ? undefined : budget.quota.used / budget.quota.units,
  ),
  redis_up: ({ redis }, put) => {
    const view = redis();
    if (view !== undefined) put([], Number(view.isUp));
  },
  redis_commands_total: ({ redis }, put) => {
    for (const [result, count] of Object.entries(redis()?.counters ?? {})) put([result], count);
  },
  market_rows: perMarket(({ name, rows }, put) => put([name], rows)),
  market_version: perMarket(({ name, version }, put) => put([name], version)),
  match_refused_total: perMarket(({ name, refusedBy }, put) => {
    for (const [filter, count] of refusedBy) put([name, filter], count);
  }),
  match_picks_total: perScorer(({ picks }) => picks),
  match_points_total: perScorer(({ points }) => points),
  match_scorer_failures_total: perScorer(({ failures }) => failures),
  pairings_total: perMarket(({ name, durations }, put) => {
    put(
      [name],
      durations.values().reduce((sum, { count }) => sum + count, 0),
    );
  }),
  match_seconds: ({ pairing }, put) => {
    const byPath = new Map<string, DurationCells>();
    for (const { durations } of pairing()?.markets ?? []) {
      for (const [path, cells] of durations) {
        const sum = byPath.get(path) ?? new DurationCells();
        sum.add(cells);
        byPath.set(path, sum);
      }
    }
    for (const [path, cells] of byPath) put([path], cells);
  },
  match_empty_total: perMarket(({ name, emptyBy }, put) => {
    for (const [filter, count] of emptyBy) put([name, filter], count);
  }),
  ranking_cache_entries: ofPairing(({ cache }) => cache.size),
  ranking_cache_hits_total: ofPairing(({ cache }) => cache.hits),
  ranking_cache_misses_total: ofPairing(({ cache }) => cache.misses),
  ranking_cache_evictions_total: ofPairing(({ cache }) => cache.evictions),
  ranking_cache_shared_total: ({ pairing }, put) => {
    for (const [result, count] of Object.entries(pairing()?.shared ?? {})) put([result], count);
  },
  policy_queue_depth: ofPairing(({ counts }) => counts.depth),
  pairing_worker_processed_total: ofPairing(({ counts }) => counts.processed),
  pairing_worker_errors_total: ofPairing(({ counts }) => counts.errors),
  cluster_joined: one(({ cluster }) => Number(cluster().state === "joined")),
  cluster_regions: ({ cluster }, put) => {
    const others = cluster().regions.filter(({ isSelf }) => !isSelf);
    for (const state of PEER_STATES) {
      put([state], others.filter((other) => other.state === state).length);
    }
  },
  cluster_region_age_seconds: perRegion(({ ageMs }) => ageMs / 1_000),
  cluster_names: perRegion(({ names }) => names),
  cluster_rows: perRegion(({ rows }) => rows),
  cluster_sent_bytes_total: one(({ cluster }) => cluster().sent.bytes),
  cluster_sent_messages_total: one(({ cluster }) => cluster().sent.messages),
  cluster_received_bytes_total: one(({ cluster }) => cluster().received.bytes),
  cluster_received_messages_total: one(({ cluster }) => cluster().received.messages),
  cluster_refused_total: ({ cluster }, put) => {
    for (const [reason, count] of Object.entries(cluster().refused)) put([reason], count);
  },
  cluster_help_asked_total: ofHelp(({ asked }) => asked),
  cluster_help_given_total: ofHelp(({ given }) => given),
  cluster_help_refused_total: ofHelp(({ refused }) => refused),
  cluster_help_in_flight: one(({ cluster }) => cluster().help?.inFlight ?? 0),
  cluster_distance_seconds: ofHelp(({ distancesMs }) => distancesMs, 1 / 1_000),
  log_lines_suppressed_total: one(({ suppressedLogLines }) => suppressedLogLines()),
  alerts_active: ({ alerts }, put) => {
    const active = alerts();
    for (const severity of ["warning", "critical"] as const) {
      put([severity], active.filter((alert) => alert.severity === severity).length);
    }
  },
};

/** Samplers by full metric name. */
export const SAMPLERS: Readonly<Record<string, Sample>> = Object.fromEntries(
  Object.entries(byName).map(([name, sample]) => [`paceline_${name}`, sample]),
);
