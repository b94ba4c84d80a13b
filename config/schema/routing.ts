/** How a chain chooses among its providers. */

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

/** What a leaderboard starts from. */
export const PRIORS = ["own", "regions"] as const;

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
