/** One chain and what holds for all of its providers. */
import type { ChainCacheConfig } from "./cache.ts";
import type { ProviderConfig } from "./provider.ts";
import type {
  Consistency,
  HedgeConfig,
  LeaderboardConfig,
  PredictionConfig,
  SelectionConfig,
  StickyConfig,
  StrategyName,
} from "./routing.ts";

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

/** The ways of sending transactions. */
export const WRITE_MODES = ["broadcast", "sticky", "private", "off"] as const;

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
