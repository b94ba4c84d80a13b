/** From a checked document to the configuration that the program uses: defaults, units, secrets. */
import { parseDuration } from "../../src/lib/duration.ts";
import { Secret } from "../../src/lib/secret.ts";
import { parseSize } from "../../src/lib/size.ts";
import type { Completion } from "./complete.ts";
import { CHAIN_DEFAULTS, DEFAULTS, PROVIDER_DEFAULTS, QUORUM_RULE_DEFAULTS } from "../default.ts";
import { formatPath } from "../diagnostic.ts";
import { resolveClients, resolveProfiles, resolveRate } from "./resolve-clients.ts";
import { resolvePairing } from "./resolve-pairing.ts";
import type { ConfigDocument } from "../keys/document.ts";
import { STRATEGY_ALIASES } from "../schema.ts";
import type {
  BreakerConfig,
  CachePolicyConfig,
  ChainCacheConfig,
  ChainConfig,
  Config,
  CostConfig,
  PredictionConfig,
  ProviderConfig,
  RedisHost,
  SkippedProvider,
  StorageConfig,
  StrategyName,
  StrategySpelling,
} from "../schema.ts";

type ChainDocument = ConfigDocument["chains"][string];
type ProviderDocument = ChainDocument["providers"][number];
type CacheDocument = Pick<NonNullable<ConfigDocument["cache"]>, "enabled" | "policies">;
type BreakerDocument = NonNullable<ChainDocument["breaker"]>;

/** The configuration of a document that passed every check. */
export function resolveConfig(document: ConfigDocument, completion: Completion): Config {
  const admin = fill(DEFAULTS.admin, document.admin);
  const limits = fill(DEFAULTS.limits, document.limits);
  const drain = fill(DEFAULTS.drain, document.drain);
  const explain = fill(DEFAULTS.explain, document.explain);
  const slowLog = fill(DEFAULTS.slow_log, document.slow_log);
  const storage = fill(DEFAULTS.storage, document.storage);
  const redis = fill(DEFAULTS.redis, document.redis);
  const cluster = fill(DEFAULTS.cluster, document.cluster);
  return {
    region: document.region ?? DEFAULTS.region,
    listen: fill(DEFAULTS.listen, document.listen),
    admin: { socket: admin.socket, allowReplaceState: admin.allow_replace_state },
    log: fill(DEFAULTS.log, document.log),
    storage: {
      ...placesOf(storage.url),
      snapshotIntervalMs: ms(storage.snapshot_interval),
      snapshotMaxAgeMs: ms(storage.snapshot_max_age),
      snapshotMaxFiles: storage.snapshot_max_files,
      retentionMs: ms(storage.retention),
    },
    drain: {
      preDelayMs: ms(drain.pre_delay),
      closeSpreadMs: ms(drain.close_spread),
      timeoutMs: ms(drain.timeout),
    },
    limits: {
      maxBodyBytes: bytes(limits.max_body),
      maxBatchItems: limits.max_batch_items,
      maxBatchResponseBytes: bytes(limits.max_batch_response),
      batchConcurrency: limits.batch_concurrency,
      maxUpstreamBodyBytes: bytes(limits.max_upstream_body),
      wsMaxMessageBytes: bytes(limits.ws_max_message),
      memoryHigh: limits.memory_high,
      filtersPerClient: limits.filters_per_client,
      filterIdleMs: ms(limits.filter_idle),
      wsMaxInFlight: limits.ws_max_in_flight,
      wsMaxSubscriptions: limits.ws_max_subscriptions,
      wsMaxBufferedBytes: bytes(limits.ws_max_buffered),
      wsMaxBehindMs: ms(limits.ws_max_behind),
      wsMaxClients: limits.ws_max_clients,
      wsPingIntervalMs: ms(limits.ws_ping_interval),
    },
    redis: {
      url: secretOf(document.redis?.url),
      sentinels: redis.sentinels.map(redisHost),
      sentinelPassword: secretOf(document.redis?.sentinel_password),
      clusterNodes: redis.cluster_nodes.map(redisHost),
      tlsCa: document.redis?.tls_ca,
      tlsCert: document.redis?.tls_cert,
      tlsKey: secretOf(document.redis?.tls_key),
      keyPrefix: redis.key_prefix,
      timeoutMs: ms(redis.timeout),
    },
    cluster: {
      secret: secretOf(document.cluster?.secret),
      leaseMs: ms(cluster.lease),
      grants: cluster.grants,
      url: document.cluster?.url?.replace(/\/+$/, ""),
      helpMaxInFlight: cluster.help_max_in_flight,
      distancesMs: Object.fromEntries(
        Object.entries(cluster.distances).map(([region, far]) => [region, ms(far)]),
      ),
    },
    explain: { requests: explain.requests, maxMemoryBytes: bytes(explain.max_memory) },
    slowLog: { thresholdMs: ms(slowLog.threshold), entries: slowLog.entries },
    clients: resolveClients(document.clients),
    cors: {
      origins: document.cors?.origins ?? DEFAULTS.cors.origins,
      maxAgeMs: ms(document.cors?.max_age ?? DEFAULTS.cors.max_age),
    },
    profiles: resolveProfiles(document.profiles),
    cache: { maxSizeBytes: bytes(document.cache?.max_size ?? DEFAULTS.cache.max_size) },
    pairing: resolvePairing(document.pairing, ms),
    chains: Object.entries(document.chains).map(([name, chain]) =>
      resolveChain(name, chain, document, completion),
    ),
  };
}

/** `host:port`; a host that holds colons stands in brackets. */
function redisHost(text: string): RedisHost {
  const at = text.lastIndexOf(":");
  return { host: text.slice(0, at).replaceAll(/[[\]]/g, ""), port: Number(text.slice(at + 1)) };
}

function resolveChain(
  name: string,
  chain: ChainDocument,
  { cache, cluster }: Pick<ConfigDocument, "cache" | "cluster">,
  completion: Completion,
): ChainConfig {
  const selection = fill(CHAIN_DEFAULTS.selection, chain.selection);
  const aggregation = fill(CHAIN_DEFAULTS.aggregation, chain.aggregation);
  const failover = fill(CHAIN_DEFAULTS.failover, chain.failover);
  const connection = fill(CHAIN_DEFAULTS.connection, chain.connection);
  const health = fill(CHAIN_DEFAULTS.health_check, chain.health_check);
  const leaderboard = fill(CHAIN_DEFAULTS.leaderboard, chain.leaderboard);
  const sticky = fill(CHAIN_DEFAULTS.sticky, chain.sticky);
  const logs = fill(CHAIN_DEFAULTS.logs, chain.logs);
  const breaker: BreakerDocument = fill(CHAIN_DEFAULTS.breaker, chain.breaker);
  const providers: ProviderConfig[] = [];
  const skipped: SkippedProvider[] = [];
  chain.providers.forEach((provider, at) => {
    const path = ["chains", name, "providers", at];
    const hides = (key: string): boolean => completion.hiddenHosts.has(formatPath([...path, key]));
    const reason = ["url", "ws_url"].flatMap(
      (key) => completion.leftOut.get(formatPath([...path, key])) ?? [],
    );
    if (provider.url === undefined && provider.ws_url === undefined) {
      skipped.push({ id: provider.id, reason: reason.join("; ") });
    } else providers.push(resolveProvider(provider, breaker, hides));
  });
  return {
    name,
    chainId: chain.chain_id,
    aliases: chain.aliases ?? [],
    blockTimeMs: chain.block_time === undefined ? undefined : ms(chain.block_time),
    strategy: strategyOf(chain.strategy ?? CHAIN_DEFAULTS.strategy),
    allowClientDirectives: chain.allow_client_directives ?? CHAIN_DEFAULTS.allow_client_directives,
    consistency: chain.consistency ?? CHAIN_DEFAULTS.consistency,
    finalityDepth: chain.finality_depth,
    selection: {
      maxLagBlocks: selection.max_lag_blocks,
      archivalThreshold: selection.archival_threshold,
      minHealthy: selection.min_healthy,
      costBias: selection.cost_bias,
    },
    aggregation: {
      maxCacheSize: aggregation.max_cache_size,
      deduplicationWindowMs: ms(aggregation.deduplication_window),
      maxProviders: aggregation.max_providers,
    },
    failover: {
      enabled: failover.enabled,
      maxBackfillBlocks: failover.max_backfill_blocks,
      backfillTimeoutMs: ms(failover.backfill_timeout),
    },
    help: chain.help ?? cluster?.help ?? DEFAULTS.cluster.help,
    write: fill(CHAIN_DEFAULTS.write, chain.write),
    breaker: resolveBreaker(breaker),
    connection: {
      heartbeatIntervalMs: ms(connection.heartbeat_interval),
      reconnectIntervalMs: ms(connection.reconnect_interval),
      maxReconnectAttempts: chain.connection?.max_reconnect_attempts,
    },
    healthCheck: {
      intervalMs: ms(health.interval),
      timeoutMs: ms(health.timeout),
      failureThreshold: health.failure_threshold,
      recoveryThreshold: health.recovery_threshold,
    },
    leaderboard: {
      formula: leaderboard.formula,
      prior: leaderboard.prior,
      halfLifeMs: ms(leaderboard.half_life),
      weights: fill(CHAIN_DEFAULTS.leaderboard.weights, chain.leaderboard?.weights),
    },
    sticky: { hysteresis: sticky.hysteresis, minIntervalMs: ms(sticky.min_interval) },
    hedge: fill(CHAIN_DEFAULTS.hedge, chain.hedge),
    prediction: resolvePrediction(chain.prediction),
    logs: {
      maxRange: logs.max_range,
      partRange: logs.part_range,
      parallel: logs.parallel,
    },
    methods: fill(CHAIN_DEFAULTS.methods, chain.methods),
    quorum: (chain.quorum ?? []).map((rule) => {
      const { ignore_fields: ignoreFields, ...rest } = fill(QUORUM_RULE_DEFAULTS, rule);
      return { ...rest, methods: rule.methods, ignoreFields };
    }),
    integrity: fill(CHAIN_DEFAULTS.integrity, chain.integrity),
    cache: resolveCache(chain.cache, cache),
    providers,
    skipped,
  };
}

/** The chain's word counts, then that of all chains. */
function resolveCache(
  own: CacheDocument | undefined,
  all: CacheDocument | undefined,
): ChainCacheConfig {
  const policies = [...(own?.policies ?? []), ...(all?.policies ?? DEFAULTS.cache.policies)];
  return {
    enabled: own?.enabled ?? all?.enabled ?? DEFAULTS.cache.enabled,
    policies: policies.map(
      ({ methods, finality, ttl }): CachePolicyConfig => ({ methods, finality, ttlMs: ms(ttl) }),
    ),
  };
}

function resolveProvider(
  provider: ProviderDocument,
  breaker: BreakerDocument,
  hides: (key: string) => boolean,
): ProviderConfig {
  const defaults = PROVIDER_DEFAULTS;
  const headers: Record<string, Secret> = {};
  for (const [name, value] of Object.entries(provider.headers ?? {})) {
    headers[name.toLowerCase()] = new Secret(value, "hide");
  }
  const url = endpoint(provider.url, hides("url"), headers);
  const wsUrl = endpoint(provider.ws_url, hides("ws_url"), headers);
  return {
    id: provider.id,
    url,
    wsUrl,
    priority: provider.priority ?? defaults.priority,
    role: provider.role ?? defaults.role,
    weight: provider.weight ?? defaults.weight,
    type: provider.type ?? defaults.type,
    vendor: provider.vendor ?? provider.id,
    tags: provider.tags ?? defaults.tags,
    region: provider.region,
    archival: provider.archival ?? defaults.archival,
    subscribeNewHeads: wsUrl !== undefined && (provider.subscribe_new_heads ?? true),
    cost: resolveCost(provider.cost),
    rate: resolveRate(provider.rate),
    quota: provider.quota,
    http: { pool: provider.http?.pool ?? defaults.http.pool },
    headers,
    capabilities: {
      unsupported: provider.capabilities?.unsupported ?? defaults.capabilities.unsupported,
      maxBlockRange: provider.capabilities?.max_block_range,
      archiveDepth: provider.capabilities?.archive_depth,
    },
    errorRules: (provider.error_rules ?? []).map((rule) => ({
      code: rule.code,
      messageContains: rule.message_contains,
      class: rule.class,
    })),
    breaker: resolveBreaker({ ...breaker, ...provider.breaker }),
    shadow: provider.shadow,
    canary: provider.canary,
    probe: provider.probe ?? defaults.probe,
    cordoned: provider.cordoned ?? defaults.cordoned,
  };
}

/**
 * HTTP clients drop `user:password@` of a URL without a word; it becomes the header that it stands
 * for, unless the operator gave one.
 */
function endpoint(
  text: string | undefined,
  isHostHidden: boolean,
  headers: Record<string, Secret>,
): Secret | undefined {
  if (text === undefined) return undefined;
  const url = new URL(text);
  let address = text;
  let kin: readonly string[] = [];
  if (url.username !== "" || url.password !== "") {
    const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers["authorization"] ??= new Secret(
      `Basic ${Buffer.from(user).toString("base64")}`,
      "hide",
    );
    kin = [url.username, url.password, ...user.split(":")];
    url.username = "";
    url.password = "";
    address = url.href;
  }
  return new Secret(address, isHostHidden ? "hide" : "show", kin);
}

function secretOf(text: string | undefined): Secret | undefined {
  return text === undefined ? undefined : new Secret(text);
}

function resolvePrediction(prediction: ChainDocument["prediction"]): PredictionConfig {
  const whole = fill(CHAIN_DEFAULTS.prediction, prediction);
  const limits = fill(CHAIN_DEFAULTS.prediction.limits, prediction?.limits);
  return {
    enabled: whole.enabled,
    horizonMs: ms(whole.horizon),
    demoteAt: whole.demote_at,
    restoreAt: whole.restore_at,
    holdMs: ms(whole.hold),
    limits: {
      latencyMs: ms(limits.latency),
      errorRatio: limits.error_ratio,
      rateLimitedRatio: limits.rate_limited_ratio,
      missRatio: limits.miss_ratio,
      wsDrops: limits.ws_drops,
    },
  };
}

function resolveBreaker(breaker: BreakerDocument): BreakerConfig {
  const whole = fill(CHAIN_DEFAULTS.breaker, breaker);
  return {
    failureThreshold: whole.failure_threshold,
    recoveryTimeoutMs: ms(whole.recovery_timeout),
    successThreshold: whole.success_threshold,
    categories: whole.categories,
  };
}

function resolveCost(cost: ProviderDocument["cost"]): CostConfig {
  const units = cost?.units ?? PROVIDER_DEFAULTS.cost.units;
  const byMethod = typeof units === "number" ? { default: units } : units;
  const { default: rest, ...unitsByMethod } = byMethod;
  return {
    pricePerMillionUnits:
      cost?.price_per_million_units ?? PROVIDER_DEFAULTS.cost.price_per_million_units,
    defaultUnits: rest ?? PROVIDER_DEFAULTS.cost.units,
    unitsByMethod,
  };
}

type Filled<T, D> = { readonly [K in keyof T & keyof D]-?: Exclude<T[K], undefined> };

function fill<T extends object, D extends object>(defaults: D, given: T | undefined): Filled<T, D> {
  return { ...defaults, ...given } as unknown as Filled<T, D>;
}

/** Snapshots and database: `file:DIR` for both, `sqlite:FILE` and what lies beside it, or a server. */
function placesOf(url: string): Pick<StorageConfig, "dir" | "database"> {
  const [kind = "", ...rest] = url.split(":");
  if (kind.startsWith("postgres")) {
    return { dir: "./data", database: { engine: "postgres", url: new Secret(url) } };
  }
  const path = rest.join(":").replace(/^\/\/(?=\/)/, "");
  if (kind === "file") {
    return { dir: path, database: { engine: "sqlite", file: `${path}/paceline.db` } };
  }
  const cut = path.lastIndexOf("/");
  const dir = cut < 0 ? "." : path.slice(0, cut) || "/";
  return { dir, database: { engine: "sqlite", file: path } };
}

/** The schema has accepted these texts; a failure here is a bug of the schema. */
function ms(text: string | number): number {
  const durationMs = parseDuration(text);
  if (durationMs === undefined) throw new Error("a duration passed the schema but does not parse");
  return durationMs;
}

function bytes(text: string): number {
  const sizeBytes = parseSize(text);
  if (sizeBytes === undefined) throw new Error("a size passed the schema but does not parse");
  return sizeBytes;
}

/** The strategy's own name behind any spelling of it. */
function strategyOf(spelling: StrategySpelling): StrategyName {
  return spelling in STRATEGY_ALIASES
    ? STRATEGY_ALIASES[spelling as keyof typeof STRATEGY_ALIASES]
    : (spelling as StrategyName);
}
