/**
 * What the operator's pages, health checks and metrics read: live facts of chains, processes and host.
 *
 * These are shapes only. The process that serves HTTP maps the tables of the chains onto them; an
 * `EndpointRow` and a routing snapshot's summaries fit by structure, so nothing is copied deeply.
 */

/** The admission cell of one provider x transport. */
export interface EndpointStatus {
  readonly state: "closed" | "open" | "half_open";
  /** Monotonic ms; meaningful while open. */
  readonly openUntilMs: number;
  readonly forced: boolean;
  readonly cooldownUntilMs: number;
  readonly suspect: boolean;
  readonly isUsable: boolean;
  readonly unusableReason: string | undefined;
  readonly inFlight: number;
  readonly completed: number;
}

/** The WebSocket to a provider. */
export interface ConnectionStatus {
  /** State of the connection machine, e.g. `live` or `backing_off`. */
  readonly state: string;
  /** Monotonic ms of the last change. */
  readonly sinceMs?: number | undefined;
  readonly reconnects?: number | undefined;
  /** Upstream subscriptions that are open, and that should be. */
  readonly subscriptions?: number | undefined;
  readonly wanted?: number | undefined;
}

/** What races have shown of a provider. */
export interface RaceStatus {
  readonly raceScore: number;
  readonly paceScore: number | undefined;
  readonly wins: number;
  readonly races: number;
  readonly winRate: number;
  readonly missRate: number;
  readonly avgMarginMs: number;
}

/** What calls have shown of a provider, all methods together. */
export interface CallStatus {
  readonly n: number;
  readonly reliabilityLb: number;
  readonly failureRatio: number;
  readonly p50Ms: number | undefined;
  readonly q95Ms: number | undefined;
}

/** What is foreseen of a provider. */
export interface ForecastStatus {
  /** Probability that it breaches a limit within the horizon, 0..1. */
  readonly probability: number;
  /** It stands behind the others of its tier for that. */
  readonly isDemoted: boolean;
  /** The strongest sign in words; undefined when nothing was measured. */
  readonly reason: string | undefined;
}

/** One limit of what a provider can serve. */
export interface CapabilityStatus {
  /** `method`, `range`, `results`, `addresses`, `state` or `history`. */
  readonly kind: string;
  /** The method, or the glob of methods, that it holds for; undefined for all. */
  readonly method?: string | undefined;
  /** Blocks, results, addresses or the lowest block served; 0 for a method that is not served. */
  readonly limit: number;
  /** Monotonic ms at which a learned limit is forgotten; undefined for a configured one. */
  readonly untilMs?: number | undefined;
}

/** A token bucket: its rate, and the share of it that is left. */
export interface RateView {
  readonly perSec: number;
  readonly left: number;
}

/** Units used of a day's or month's quota. */
export interface QuotaView {
  readonly used: number;
  readonly units: number;
  readonly per: "day" | "month";
  /** Wall-clock ms. */
  readonly endsAtMs: number;
}

/** What is left of a provider's budget. */
export interface BudgetView {
  readonly rate: RateView | undefined;
  readonly quota: QuotaView | undefined;
}

/** The holder of one API key, or everybody without one. */
export interface CallerView {
  readonly id: string;
  readonly calls: number;
  readonly units: number;
  readonly inFlight: number;
  readonly refused: Readonly<Record<"rate" | "quota" | "concurrent" | "denied" | "held", number>>;
  readonly rate: RateView | undefined;
  readonly unitRate: RateView | undefined;
  readonly day: QuotaView | undefined;
  readonly month: QuotaView | undefined;
}

/** One provider of a chain. */
export interface ProviderView {
  readonly id: string;
  readonly vendor?: string | undefined;
  readonly region?: string | undefined;
  readonly role: "primary" | "backup";
  readonly type: string;
  readonly priority: number;
  readonly http?: EndpointStatus | undefined;
  readonly ws?: EndpointStatus | undefined;
  readonly connection?: ConnectionStatus | undefined;
  /** Last reported head, -1 when it never reported one. */
  readonly head: number;
  /** Blocks behind the tip, undefined while unknown. */
  readonly lag: number | undefined;
  /** Place in the chain's default ranking, from 1; undefined when it is not in it. */
  readonly rank?: number | undefined;
  /** Score in that ranking, 0..1. */
  readonly score?: number | undefined;
  /** Wrong answers that still count against it. */
  readonly misbehaviour?: number | undefined;
  /** Undefined while nobody looks ahead. */
  readonly forecast?: ForecastStatus | undefined;
  /** It serves nobody but is compared, or serves a small share. */
  readonly trial?: "shadow" | "canary" | undefined;
  readonly race?: RaceStatus | undefined;
  readonly calls?: CallStatus | undefined;
  /** What it cannot serve, as configured and as learned from its answers. */
  readonly capabilities?: readonly CapabilityStatus[] | undefined;
  /** Undefined when it has no limits. */
  readonly budget?: BudgetView | undefined;
  /** Restarts of its processes since the start. */
  readonly restarts: number;
}

/** Counters of the chain's message aggregator since its start. */
export interface AggregationCounters {
  readonly byKind: Readonly<
    Record<string, { readonly messages: number; readonly duplicates: number }>
  >;
  readonly racesSettled: number;
  readonly missed: number;
  readonly processingMs: number;
}

/** One bounded cache. */
export interface CacheCounters {
  readonly kind: string;
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
  readonly entries: number;
  readonly limit: number;
}

/** Answers that are kept and shared. */
export interface AnswerCounters {
  readonly hits: number;
  readonly misses: number;
  readonly stores: number;
  /** Calls that shared another one's attempt. */
  readonly coalesced: number;
  readonly entries: number;
  readonly bytes: number;
  /** Answers that left, by why: full, expired, group (their block was replaced), replaced, deleted. */
  readonly removed: Readonly<Record<string, number>>;
}

/** Client subscriptions of one stream. */
export interface StreamCounters {
  readonly kind: string;
  readonly active: number;
  readonly delivered: number;
  readonly dropped: number;
}

/** An error that no rule knows. */
export interface UnmatchedStatus {
  readonly code: number | undefined;
  /** The redacted message, its numbers and hex replaced. */
  readonly text: string;
  readonly count: number;
  /** Who sent it last, and to which method. */
  readonly provider: string;
  readonly method: string;
}

/** One running chain. */
export interface ChainView {
  readonly name: string;
  readonly chainId: number;
  readonly aliases: readonly string[];
  readonly strategy: string;
  /** Served tip, -1 while unknown. */
  readonly tip: number;
  readonly tipHash?: string | undefined;
  /** Monotonic ms at which the tip last moved. */
  readonly tipAtMs?: number | undefined;
  readonly blockTimeMs: number;
  readonly maxLagBlocks: number;
  readonly providers: readonly ProviderView[];
  /** Providers of the file that cannot be used, and why. */
  readonly skipped?: readonly { readonly id: string; readonly reason: string }[] | undefined;
  /** Errors of upstreams that no rule knows, the most frequent first. */
  readonly unmatched?: readonly UnmatchedStatus[] | undefined;
  /** Restarts of the chain's own processes since the start. */
  readonly restarts: number;
  readonly aggregation?: AggregationCounters | undefined;
  readonly caches?: readonly CacheCounters[] | undefined;
  readonly streams?: readonly StreamCounters[] | undefined;
  readonly answers?: AnswerCounters | undefined;
}

/** The processes of our tree, as the inspector sees them. */
export interface ProcessesView {
  readonly supervisors: number;
  readonly workers: number;
  readonly restarts: number;
  readonly mailboxMessages: number;
  readonly mailboxMaxMessages: number;
  /** Largest used share of a supervisor's restart budget, 0..1, and whose. */
  readonly worstBudget?: { readonly supervisor: string; readonly ratio: number } | undefined;
}

/** The host process. */
export interface HostView {
  readonly uptimeMs: number;
  readonly cpuUserMs: number;
  readonly cpuSystemMs: number;
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly heapLimitBytes: number;
  readonly externalBytes: number;
  readonly loopLagP50Ms: number;
  readonly loopLagP99Ms: number;
  readonly loopLagMaxMs: number;
  /** Share of time the event loop was busy, 0..1. */
  readonly loopUtilization: number;
  readonly gc: readonly {
    readonly kind: string;
    readonly count: number;
    readonly durationMs: number;
  }[];
  /** -1 until they were counted. */
  readonly openFds: number;
}
