/**
 * Every default, in the operator's own spelling: `config dump` prints these, the loader reads them
 * like the file, and the generated documents show them. One place, so that they cannot disagree.
 */

/** What holds without a configuration file, apart from the chains. */
export const DEFAULTS = {
  region: "local",
  listen: { host: "127.0.0.1", port: 8080 },
  admin: { socket: "./run/admin.sock", allow_replace_state: false },
  log: { level: "info", format: "auto" },
  storage: {
    url: "file:./data",
    snapshot_interval: "1h",
    snapshot_max_age: "7d",
    snapshot_max_files: 200,
    retention: "7d",
  },
  drain: { pre_delay: "5s", close_spread: "10s", timeout: "25s" },
  limits: {
    max_body: "5MiB",
    max_batch_items: 100,
    max_batch_response: "25MiB",
    batch_concurrency: 16,
    max_upstream_body: "64MiB",
    ws_max_message: "32MiB",
    memory_high: 0.8,
    filters_per_client: 50,
    filter_idle: "5m",
    ws_max_in_flight: 32,
    ws_max_subscriptions: 128,
    ws_max_buffered: "4MiB",
    ws_max_behind: "10s",
    ws_max_clients: 10_000,
    ws_ping_interval: "30s",
  },
  explain: { requests: 1000, max_memory: "16MiB" },
  slow_log: { threshold: "2s", entries: 200 },
  cluster: { lease: "10s", grants: "viewer", help: false, help_max_in_flight: 64, distances: {} },
  redis: { sentinels: [], cluster_nodes: [], key_prefix: "paceline:", timeout: "20ms" },
  clients: { keys: [], trusted_proxies: [], units: {} },
  cors: { origins: [], max_age: "10m" },
  cache: { enabled: true, max_size: "256MiB", policies: [] },
  pairing: {
    on_demand: 8,
    audit: { one_in: 100 },
    workers: 0,
    queue: { capacity: 1_000, drain_timeout: "5s" },
    results: { capacity: 1_000 },
    cache: { enabled: true, capacity: 100, ttl: "30s", shared: false, shared_from: "1ms" },
    errors: { threshold: 10, window: "60s", restart: false },
    batch: { max_policies: 1_000, threads: 0, threads_from: 500 },
    epoch: "5m",
    lists: {
      mode: "top",
      consumer: "key",
      on_exhausted: "error",
      unlisted: "market",
      min_live: 1,
      max_consumers: 10_000,
    },
  },
} as const;

/** What holds for an API key that says nothing else. */
export const KEY_DEFAULTS = {
  chains: [],
  markets: [],
  methods: { allow: [], deny: [] },
  origins: [],
  directives: true,
} as const;

/** What holds for a profile that says nothing else. */
export const PROFILE_DEFAULTS = { providers: [], rps_limit: 100, burst_limit: 500 } as const;

/** What holds for a pairing market that says nothing else. */
export const MARKET_DEFAULTS = { profile: "pairing", top: 5, max_providers: 1_048_576 } as const;

/** What holds for a chain that says nothing else. */
export const CHAIN_DEFAULTS = {
  aliases: [],
  strategy: "leaderboard",
  consistency: "batch",
  selection: { max_lag_blocks: 3, archival_threshold: 128, min_healthy: 1, cost_bias: 0.3 },
  aggregation: { max_cache_size: 10_000, deduplication_window: "2s", max_providers: 8 },
  failover: { enabled: true, max_backfill_blocks: 100, backfill_timeout: "30s" },
  write: { mode: "broadcast", providers: 2 },
  breaker: {
    failure_threshold: 5,
    recovery_timeout: "60s",
    success_threshold: 2,
    categories: true,
  },
  connection: { heartbeat_interval: "3s", reconnect_interval: "250ms" },
  health_check: { interval: "30s", timeout: "5s", failure_threshold: 3, recovery_threshold: 2 },
  leaderboard: {
    formula: "pace",
    half_life: "10m",
    prior: "own",
    weights: { race: 0.4, reliability: 0.3, latency: 0.2, freshness: 0.1 },
  },
  sticky: { hysteresis: 0.3, min_interval: "30s" },
  hedge: { enabled: true, budget: 0.05 },
  prediction: {
    enabled: true,
    horizon: "60s",
    demote_at: 0.6,
    restore_at: 0.3,
    hold: "30s",
    limits: {
      latency: "500ms",
      error_ratio: 0.25,
      rate_limited_ratio: 0.25,
      miss_ratio: 0.5,
      ws_drops: 3,
    },
  },
  logs: { max_range: 30_000, part_range: 5_000, parallel: 4 },
  allow_client_directives: true,
  methods: { allow: [], deny: [] },
  quorum: [],
  integrity: { headers: false, bloom: false, receipts: false },
} as const;

/** What holds for a quorum rule that names its methods only. */
export const QUORUM_RULE_DEFAULTS = {
  agree: 2,
  of: 3,
  // Members that nodes of different make add or leave out while they agree on everything else.
  ignore_fields: ["author", "blockTimestamp", "sealFields", "totalDifficulty", "yParity"],
  prefer: "non_empty",
} as const;

/** What holds for a provider that says nothing else; `subscribe_new_heads` follows `ws_url`, `vendor` the id. */
export const PROVIDER_DEFAULTS = {
  api_key_required: false,
  required: false,
  priority: 100,
  role: "primary",
  weight: 1,
  type: "public",
  tags: [],
  archival: false,
  cost: { price_per_million_units: 0, units: 1 },
  http: { pool: 64 },
  headers: {},
  capabilities: { unsupported: [] },
  error_rules: [],
  probe: true,
  cordoned: false,
} as const;
