/**
 * The configuration as the program sees it: parsed once at the door, complete, immutable.
 *
 * Durations are milliseconds (`Ms`), sizes are bytes (`Bytes`), ratios are 0..1, URLs and header
 * values are `Secret`. What an operator may write, with meaning, unit and default of every key, is
 * `config/keys/`; `docs/config.md` and `config/schema.json` are generated from it.
 */
import type { Secret } from "../src/lib/secret.ts";

/** Names of the selection strategies a chain may use. */
export const STRATEGIES = [
  "leaderboard",
  "fastest",
  "latency-weighted",
  "cheapest",
  "priority",
  "round-robin",
  "hybrid",
] as const;

/** How providers are ordered for a request. */
export type StrategyName = (typeof STRATEGIES)[number];

/** Other spellings of strategies, from the founding documents. */
export const STRATEGY_ALIASES = {
  latency: "fastest",
  "latency-optimised": "fastest",
  "latency-based": "latency-weighted",
  latency_based: "latency-weighted",
  latency_weighted: "latency-weighted",
  "price-optimised": "cheapest",
  round_robin: "round-robin",
} as const satisfies Readonly<Record<string, StrategyName>>;

/** A strategy as a file may spell it. */
export type StrategySpelling = StrategyName | keyof typeof STRATEGY_ALIASES;

/** Which calls read the same block when they ask for `latest`. */
export const CONSISTENCIES = ["off", "batch", "session"] as const;

/** `batch`: the calls of a batch; `session`: also what one client asks later. */
export type Consistency = (typeof CONSISTENCIES)[number];

/** The most that operators of other regions may do here. */
export const GRANTS = ["none", "viewer", "operator", "admin"] as const;

/** One of them: nothing, or a role. */
export type Grant = (typeof GRANTS)[number];

/** The whole configuration of one host process. */
export interface Config {
  /** Tags every event, metric and log line. */
  readonly region: string;
  readonly listen: ListenConfig;
  readonly admin: AdminConfig;
  readonly log: LogConfig;
  readonly storage: StorageConfig;
  readonly drain: DrainConfig;
  readonly limits: LimitsConfig;
  readonly explain: ExplainConfig;
  readonly slowLog: SlowLogConfig;
  readonly redis: RedisConfig;
  readonly cluster: ClusterConfig;
  readonly clients: ClientsConfig;
  readonly cors: CorsConfig;
  /** By name. */
  readonly profiles: Readonly<Record<string, ProfileConfig>>;
  readonly cache: CacheConfig;
  readonly pairing: PairingConfig;
  /** In the order of the file. */
  readonly chains: readonly ChainConfig[];
}

/** The pairing service; off where there can be no market. */
export interface PairingConfig {
  /** In the order of the file. */
  readonly markets: readonly MarketConfig[];
  /** Markets that are made by whoever puts providers into them. */
  readonly onDemand: { readonly most: number; readonly settings: Omit<MarketConfig, "name"> };
  /** One pairing in so many is kept for the audit trail, besides those asked for with explain. */
  readonly audit: { readonly oneIn: number };
  /** 0: one per core, at most 10. */
  readonly workers: number;
  readonly queue: {
    readonly capacity: number;
    /** What waits when the host stops is still worked on for so long. */
    readonly drainTimeoutMs: number;
  };
  readonly results: { readonly capacity: number };
  /** Rankings that are kept, of all markets together. */
  readonly cache: {
    readonly enabled: boolean;
    readonly capacity: number;
    readonly ttlMs: number;
    /** Other hosts are asked for rankings, and told of them, over Redis. */
    readonly isShared: boolean;
    /** Rankings that take less are made here. */
    readonly sharedFromMs: number;
  };
  /** When a worker with errors is told of. */
  readonly errors: {
    readonly threshold: number;
    readonly windowMs: number;
    readonly restart: boolean;
  };
  readonly batch: {
    readonly maxPolicies: number;
    /** 0: one less than cores. */
    readonly threads: number;
    /** Batches of so many policies are shared with the threads. */
    readonly threadsFrom: number;
  };
  readonly lists: ListsConfig;
}

/** Lists of providers for consumers; off without chains. */
export interface ListsConfig {
  /** Each chain with the market that its lists are drawn from. */
  readonly chains: readonly { readonly chain: string; readonly market: string }[];
  readonly epochMs: number;
  /** Epochs by the blocks of a chain, instead of by time. */
  readonly blocks: { readonly chain: string; readonly every: number } | undefined;
  readonly mode: "top" | "weighted";
  readonly consumer: "key" | "header";
  readonly onExhausted: "error" | "market";
  readonly unlisted: "market" | "error";
  readonly minLive: number;
  readonly maxConsumers: number;
}

/** One market of providers. */
export interface MarketConfig {
  readonly name: string;
  /** Profile that scores when a request does not say. */
  readonly profile: string;
  /** Providers of a result when a request does not say. */
  readonly top: number;
  readonly maxProviders: number;
}

/** Where clients connect. */
export interface ListenConfig {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
}

/** The operator's socket. */
export interface AdminConfig {
  /** Path of the Unix socket; its directory also holds the role tokens and the audit log. */
  readonly socket: string;
  /** Admins may replace the state of processes. */
  readonly allowReplaceState: boolean;
}

/** What is logged and how. */
export interface LogConfig {
  /** A level, or levels by subsystem: `info,rpc.breaker=debug`. */
  readonly level: string;
  /** `auto`: pretty on a terminal, JSON otherwise. */
  readonly format: "auto" | "json" | "pretty";
}

/** What is kept across restarts. */
export interface StorageConfig {
  /** Directory of the benchmark snapshots. */
  readonly dir: string;
  readonly snapshotIntervalMs: number;
  readonly snapshotMaxAgeMs: number;
  /** Of one chain. */
  readonly snapshotMaxFiles: number;
  readonly database: DatabaseConfig;
  /** Age from which rankings of the audit trail, and what providers were, are forgotten. */
  readonly retentionMs: number;
}

/** Where providers, policies and rankings are kept. */
export type DatabaseConfig =
  | { readonly engine: "sqlite"; readonly file: string }
  | { readonly engine: "postgres"; readonly url: Secret };

/** What happens between SIGTERM and the exit. */
export interface DrainConfig {
  /** Not ready but still serving, so that load balancers look away first. */
  readonly preDelayMs: number;
  /** WebSocket clients are closed with 1012 spread over this time. */
  readonly closeSpreadMs: number;
  /** Everything after the pre-delay; what is left then is dropped with exit 3. */
  readonly timeoutMs: number;
}

/** Bounds on what one client may ask for. */
export interface LimitsConfig {
  readonly maxBodyBytes: number;
  readonly maxBatchItems: number;
  readonly maxBatchResponseBytes: number;
  /** Items of one batch that run at the same time. */
  readonly batchConcurrency: number;
  readonly maxUpstreamBodyBytes: number;
  readonly wsMaxMessageBytes: number;
  /** Stateful filters (`eth_newFilter`) of one client. */
  readonly filtersPerClient: number;
  /** A filter that nobody asks for so long is gone. */
  readonly filterIdleMs: number;
  readonly wsMaxInFlight: number;
  readonly wsMaxSubscriptions: number;
  /** Unsent bytes beyond which a client is closed as a slow consumer. */
  readonly wsMaxBufferedBytes: number;
  /** How long an event may wait for a WebSocket client. */
  readonly wsMaxBehindMs: number;
  readonly wsMaxClients: number;
  /** How often a WebSocket client is pinged. */
  readonly wsPingIntervalMs: number;
}

/** A host and its port. */
export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

/** The store that hosts share; without a `url` there is none. */
export interface RedisConfig {
  readonly url: Secret | undefined;
  /** With any of them the URL's host is the name of the master that they watch. */
  readonly sentinels: readonly RedisHost[];
  readonly sentinelPassword: Secret | undefined;
  /** With any of them it is a Redis Cluster; they stand beside the URL's own host. */
  readonly clusterNodes: readonly RedisHost[];
  /** PEM: whom to trust instead of the system's authorities, and this client's certificate. */
  readonly tlsCa: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: Secret | undefined;
  /** Stands before every key. */
  readonly keyPrefix: string;
  /** A command without a reply for this long counts as unanswered. */
  readonly timeoutMs: number;
}

/** What regions share over Redis; without a `secret` nothing. */
export interface ClusterConfig {
  readonly secret: Secret | undefined;
  /** A region that is silent for so long is gone. */
  readonly leaseMs: number;
  /** The most that operators of other regions may do here. */
  readonly grants: Grant;
  /** Where other regions reach this one; its listening address when undefined. */
  readonly url: string | undefined;
  /** Helped calls at once: that one chain passes on to one region, and that this region takes. */
  readonly helpMaxInFlight: number;
  /** Round trip to other regions by name; measured where it is not given. */
  readonly distancesMs: Readonly<Record<string, number>>;
}

/** The last requests that can still be explained. */
export interface ExplainConfig {
  /** Requests that are kept; 0 keeps none. */
  readonly requests: number;
  /** What they may weigh together, snapshots included. */
  readonly maxMemoryBytes: number;
}

/** The last requests that were slow, and the last that failed. */
export interface SlowLogConfig {
  /** A request that takes longer is slow. */
  readonly thresholdMs: number;
  /** Entries of each list; 0 keeps none. */
  readonly entries: number;
}

/** A token bucket. */
export interface RateConfig {
  /** Calls, or units, per second. */
  readonly rps: number;
  /** What a rested caller may take at once. */
  readonly burst: number;
}

/** Units that may be used in a day or a month (UTC). */
export interface QuotaConfig {
  readonly units: number;
  readonly per: "day" | "month";
}

/** Who may call, and how much. */
export interface ClientsConfig {
  readonly keys: readonly ClientKeyConfig[];
  readonly anonymous: AnonymousConfig;
  /** Calls from one address (IPv6: one /64), whatever key they carry. */
  readonly perIp: RateConfig | undefined;
  /** Addresses or CIDR ranges whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** Cost units by method or glob, on top of the built-in table. */
  readonly unitsByMethod: Readonly<Record<string, number>>;
}

/** Limits of one caller; undefined means none. */
export interface ClientLimitsConfig {
  readonly rate: RateConfig | undefined;
  readonly units: ClientUnitsConfig;
  /** Calls at the same time. */
  readonly concurrent: number | undefined;
  /** WebSockets at the same time. */
  readonly connections: number | undefined;
  /** Subscriptions at the same time, over all its WebSockets. */
  readonly subscriptions: number | undefined;
}

/** Limits in cost units of the methods. */
export interface ClientUnitsConfig {
  readonly perSecond: number | undefined;
  readonly perDay: number | undefined;
  readonly perMonth: number | undefined;
}

/** One API key. */
export interface ClientKeyConfig extends ClientLimitsConfig {
  /** What the key is called in metrics and answers; never the key itself. */
  readonly id: string;
  /** `sha256:` and 64 hex digits of the key. */
  readonly hash: string;
  /** Globs of chain names; empty: all. */
  readonly chains: readonly string[];
  /** Globs of pairing markets whose providers it may change; empty: none. */
  readonly markets: readonly string[];
  /** Globs of methods; without `allow` all that are served. */
  readonly methods: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  /** Globs of browser origins; empty: any. */
  readonly origins: readonly string[];
  /** Profile of calls whose path names none; the key may use no other. */
  readonly profile: string | undefined;
  /** Callers with this key may use directives. */
  readonly directives: boolean;
}

/** Callers without a key, all together. */
export interface AnonymousConfig extends ClientLimitsConfig {
  readonly allowed: boolean;
}

/** Which browser pages may read answers. */
export interface CorsConfig {
  /** Globs of origins, or `*`; empty: none. */
  readonly origins: readonly string[];
  /** How long a browser may remember the answer to its preflight. */
  readonly maxAgeMs: number;
}

/** A named way of being served, at `/rpc/profile/:profile/...`. */
export interface ProfileConfig {
  /** Ids or tags of providers; empty: all. */
  readonly providers: readonly string[];
  /** The chain's own when undefined. */
  readonly strategy: StrategyName | undefined;
  /** Asked of every read; none when undefined. */
  readonly quorum: { readonly agree: number; readonly of: number } | undefined;
  readonly rpsLimit: number;
  readonly burstLimit: number;
}
/** The answers that this node keeps. */
export interface CacheConfig {
  /** Most bytes of all chains together, in memory. */
  readonly maxSizeBytes: number;
}

/** What a chain lets be kept. */
export interface ChainCacheConfig {
  readonly enabled: boolean;
  /** The first that fits counts; the chain's own come before those of all chains. */
  readonly policies: readonly CachePolicyConfig[];
}

/** How long answers of some methods are kept. */
export interface CachePolicyConfig {
  /** Names, in which `*` stands for any run of characters. */
  readonly methods: readonly string[];
  readonly finality: CacheFinality;
  /** 0 keeps nothing; Infinity as long as there is room. */
  readonly ttlMs: number;
}

/** What an answer's worth depends on. */
export const CACHE_FINALITIES = ["static", "finalized", "unfinalized", "realtime"] as const;

/** One of them. */
export type CacheFinality = (typeof CACHE_FINALITIES)[number];

/** One blockchain and who serves it. */
export interface ChainConfig {
  readonly name: string;
  readonly chainId: number;
  readonly aliases: readonly string[];
  /** Learned from the heads when undefined. */
  readonly blockTimeMs: number | undefined;
  readonly strategy: StrategyName;
  readonly consistency: Consistency;
  /** Blocks below the tip that count as final where no provider tells; by chain id when undefined. */
  readonly finalityDepth: number | undefined;
  readonly selection: SelectionConfig;
  readonly aggregation: AggregationConfig;
  readonly failover: FailoverConfig;
  /** Reads that no provider may serve are passed on to another region; theirs are taken. */
  readonly help: boolean;
  readonly write: WriteConfig;
  readonly breaker: BreakerConfig;
  readonly connection: ConnectionConfig;
  readonly healthCheck: HealthCheckConfig;
  readonly leaderboard: LeaderboardConfig;
  readonly sticky: StickyConfig;
  readonly hedge: HedgeConfig;
  readonly prediction: PredictionConfig;
  readonly logs: LogsConfig;
  readonly methods: MethodsConfig;
  readonly quorum: readonly QuorumRuleConfig[];
  readonly integrity: IntegrityConfig;
  /** Clients may steer their calls by header and query. */
  readonly allowClientDirectives: boolean;
  readonly cache: ChainCacheConfig;
  /** Available providers in the order of the file; those left out are in `skipped`. */
  readonly providers: readonly ProviderConfig[];
  readonly skipped: readonly SkippedProvider[];
}

/** How ranges of `eth_getLogs` are served. */
export interface LogsConfig {
  /** Most blocks of one call. */
  readonly maxRange: number;
  /** Blocks asked at once of a provider whose limit is unknown. */
  readonly partRange: number;
  /** Parts of one call that are asked for at the same time. */
  readonly parallel: number;
}

/** A provider of the file that cannot be used now, and why. */
export interface SkippedProvider {
  readonly id: string;
  readonly reason: string;
}

/** Which providers count as current. */
export interface SelectionConfig {
  readonly maxLagBlocks: number;
  /** Age in blocks beyond which state needs an archival provider. */
  readonly archivalThreshold: number;
  /** Backups serve only when fewer than this many primaries survive the filters. */
  readonly minHealthy: number;
  /** Share of the price in the `hybrid` score, 0..1. */
  readonly costBias: number;
}

/** The event race. */
export interface AggregationConfig {
  /** Seen keys kept per chain. */
  readonly maxCacheSize: number;
  /** A race settles after this time. */
  readonly deduplicationWindowMs: number;
  /** Providers that race per chain. */
  readonly maxProviders: number;
}

/** What happens to subscriptions when a provider goes away. */
export interface FailoverConfig {
  /** Off: one attempt per request and no gap filling. */
  readonly enabled: boolean;
  readonly maxBackfillBlocks: number;
  readonly backfillTimeoutMs: number;
}

/** How signed transactions are sent. */
export interface WriteConfig {
  /**
   * `broadcast`: to several providers at once; `sticky`: to one that is the same for a sender, to the
   * next only when it was surely not taken; `private`: only to providers tagged `private`; `off`.
   */
  readonly mode: (typeof WRITE_MODES)[number];
  /** Providers that get a copy at once. */
  readonly providers: number;
}

/** What a leaderboard starts from. */
export const PRIORS = ["own", "regions"] as const;

/** The ways of sending transactions. */
export const WRITE_MODES = ["broadcast", "sticky", "private", "off"] as const;

/** When an endpoint is left alone, and for how long. */
export interface BreakerConfig {
  readonly failureThreshold: number;
  readonly recoveryTimeoutMs: number;
  readonly successThreshold: number;
  /** Off: only the three figures above, no thresholds per failure category. */
  readonly categories: boolean;
}

/** The WebSocket to a provider. */
export interface ConnectionConfig {
  readonly heartbeatIntervalMs: number;
  /** First delay of the full-jitter backoff. */
  readonly reconnectIntervalMs: number;
  /** Undefined: forever. */
  readonly maxReconnectAttempts: number | undefined;
}

/** The background probe of every endpoint. */
export interface HealthCheckConfig {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly failureThreshold: number;
  readonly recoveryThreshold: number;
}

/** How evidence becomes a score. */
export interface LeaderboardConfig {
  readonly formula: "pace" | "livechain";
  /** Where providers without evidence of this region start. */
  readonly prior: (typeof PRIORS)[number];
  readonly halfLifeMs: number;
  readonly weights: LeaderboardWeights;
}

/** Shares of the composite score; they need not sum to 1. */
export interface LeaderboardWeights {
  readonly race: number;
  readonly reliability: number;
  readonly latency: number;
  readonly freshness: number;
}

/** When the first place changes hands. */
export interface StickyConfig {
  /** A challenger must be this much better, 0.3 = 30 %. */
  readonly hysteresis: number;
  readonly minIntervalMs: number;
}

/** A second provider for slow requests. */
export interface HedgeConfig {
  readonly enabled: boolean;
  /** Hedges per request at most, 0..1. */
  readonly budget: number;
}

/** Providers that are about to breach a limit stand behind the others of their tier. */
export interface PredictionConfig {
  readonly enabled: boolean;
  readonly horizonMs: number;
  /** Probability from which on a provider is set back, and below which it comes back. */
  readonly demoteAt: number;
  readonly restoreAt: number;
  /** Least time that it stays back. */
  readonly holdMs: number;
  readonly limits: PredictionLimits;
}

/** What a provider must not reach. */
export interface PredictionLimits {
  /** 95th percentile of a typical call; four times the usual one, if that is more. */
  readonly latencyMs: number;
  readonly errorRatio: number;
  readonly rateLimitedRatio: number;
  readonly missRatio: number;
  /** Lost WebSockets within a minute. */
  readonly wsDrops: number;
}

/** Methods beyond the standard reads. */
export interface MethodsConfig {
  /** Names or globs that are relayed although denied by default. */
  readonly allow: readonly string[];
  /** Names or globs that are not served; they win over `allow`. */
  readonly deny: readonly string[];
}

/** Reads that several providers must agree on. */
export interface QuorumRuleConfig {
  /** Names or `prefix_*`. */
  readonly methods: readonly string[];
  readonly agree: number;
  readonly of: number;
  /** Member names, or dotted paths from the result, that do not count. */
  readonly ignoreFields: readonly string[];
  /** Whether empty answers stand back behind others. */
  readonly prefer: "non_empty" | "none";
}

/** Checks that compute what an answer should be. */
export interface IntegrityConfig {
  readonly headers: boolean;
  readonly bloom: boolean;
  readonly receipts: boolean;
}

/** One endpoint pair of one vendor on one chain. */
export interface ProviderConfig {
  readonly id: string;
  readonly url: Secret | undefined;
  readonly wsUrl: Secret | undefined;
  /** Lower is preferred. */
  readonly priority: number;
  readonly role: "primary" | "backup";
  readonly weight: number;
  readonly type: "public" | "paid" | "dedicated";
  /** Who sells the service; the id when not given. */
  readonly vendor: string;
  readonly tags: readonly string[];
  readonly region: string | undefined;
  readonly archival: boolean;
  readonly subscribeNewHeads: boolean;
  readonly cost: CostConfig;
  /** Calls that may be sent to it; undefined: any number. */
  readonly rate: RateConfig | undefined;
  /** Units of `cost` that may be used up; undefined: any number. */
  readonly quota: QuotaConfig | undefined;
  readonly http: { readonly pool: number };
  /** Sent with every HTTP request and WebSocket handshake. */
  readonly headers: Readonly<Record<string, Secret>>;
  readonly capabilities: CapabilitiesConfig;
  readonly errorRules: readonly ErrorRuleConfig[];
  /** The chain's breaker with this provider's own figures on top. */
  readonly breaker: BreakerConfig;
  /** Gets copies of this share of reads and serves nobody. */
  readonly shadow: { readonly sample: number } | undefined;
  /** Is asked first for this share of reads, and last for all others. */
  readonly canary: { readonly share: number } | undefined;
  /** Off: no background traffic is spent on this provider. */
  readonly probe: boolean;
  /** Kept connected and shown, never chosen. */
  readonly cordoned: boolean;
}

/** What a call costs. */
export interface CostConfig {
  readonly pricePerMillionUnits: number;
  readonly defaultUnits: number;
  readonly unitsByMethod: Readonly<Record<string, number>>;
}

/** Limits of a provider that are known beforehand. */
export interface CapabilitiesConfig {
  /** Method names, or globs such as `debug_*`. */
  readonly unsupported: readonly string[];
  readonly maxBlockRange: number | undefined;
  /** Blocks below the tip whose state it serves. */
  readonly archiveDepth: number | undefined;
}

/** A vendor's own meaning of an error; all given conditions must hold. */
export interface ErrorRuleConfig {
  readonly code: number | undefined;
  /** Compared without case. */
  readonly messageContains: string | undefined;
  readonly class: ErrorRuleClass;
}

/** Error classes that a rule may assign. */
export const ERROR_RULE_CLASSES = [
  "server",
  "malformed",
  "timeout",
  "auth",
  "rate_limit",
  "capability",
  "block_unavailable",
  "node_syncing",
  "revert",
  "invalid_params",
  "tx_rejected",
  "tx_known",
  "user",
] as const;

/** The class an error rule assigns. */
export type ErrorRuleClass = (typeof ERROR_RULE_CLASSES)[number];
