/**
 * What the pairing service understands and answers: the types that REST, command line, persistence and
 * processes share. Stakes are exact: bigint inside, decimal strings where JSON cannot hold them.
 */
import type { DurationCells } from "../lib/duration-cells.ts";
import type { PairingErrorCode } from "./errors.ts";

/** One provider of a market; `address` is its key. */
export interface ProviderRecord {
  readonly address: string;
  readonly stake: bigint;
  readonly location: string;
  /** In the spelling that the market first met. */
  readonly features: readonly string[];
}

/** What a consumer wants. `""`, `[]` and 0 require nothing. */
export interface ConsumerPolicy {
  readonly requiredLocation: string;
  readonly requiredFeatures: readonly string[];
  readonly minStake: bigint;
  /** What only scores; what is left out here is scored by what is required. */
  readonly prefer?: {
    readonly location?: string;
    readonly features?: readonly string[];
  };
  /** Location and features are preferred, not required. */
  readonly relaxed?: boolean;
}

/** How picks are made: the best, by weighted chance, in turn. */
export type PairMode = "top" | "weighted" | "roundRobin";

/** One question: a policy and how to answer it. */
export interface PairRequest {
  readonly policy: ConsumerPolicy;
  /** Picks; the market's `top` when left out. */
  readonly top?: number;
  readonly mode?: PairMode;
  /** The profile that scores; the market's own when left out. */
  readonly profile?: string;
  /** Weights that differ from the profile's. */
  readonly weights?: Readonly<Record<string, number>>;
  /** Decides `weighted` and `roundRobin`. */
  readonly seed?: number | string;
  /** Adds survivors by filter and what scorers failed on; passes the cache by. */
  readonly explain?: boolean;
}

/** One pick. */
export interface PairedProvider {
  readonly address: string;
  /** 0..1. */
  readonly score: number;
  readonly stake: bigint;
  readonly location: string;
  /** By scorer, `null` for one that failed. */
  readonly components?: Readonly<Record<string, number | null>>;
  /** In weighted mode: what it drew, and the key it won with. */
  readonly u?: number;
  readonly key?: number;
}

/** What one filter does to a policy. */
export interface FilterShare {
  readonly filter: string;
  /** Left after it and all before it. */
  readonly left: number;
  /** Refused by it, whatever the others do. */
  readonly alone: number;
  /** Refused by it only: who would come by giving it up. */
  readonly sole: number;
  readonly transient: boolean;
}

/** What came of one policy. */
export interface PairingResult {
  readonly market: string;
  /** Null when there was none. */
  readonly policy: ConsumerPolicy | null;
  /** Providers that pass every filter. */
  readonly filteredCount: number;
  /** Providers that were ranked: all that pass. */
  readonly rankedCount: number;
  readonly topProviders: readonly PairedProvider[];
  readonly processingTimeUs: number;
  readonly cache: "hit" | "miss" | "off";
  /** The market's version that it holds for. */
  readonly version: number;
  /** The filter that alone keeps most providers away; only when nobody is left. */
  readonly blockedBy?: string;
  /** Only when explained. */
  readonly survivors?: readonly FilterShare[];
  readonly scorerErrors?: readonly ScorerFailure[];
  /** Why there is no answer; null when there is one, also when it is nobody. */
  readonly error: string | null;
}

/** A scorer that failed for one of the picks. */
export interface ScorerFailure {
  readonly scorer: string;
  readonly provider: string;
  readonly message: string;
}

/** What is wrong with an input, and where. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

/** Why something was not done. */
export interface Refusal {
  readonly code: PairingErrorCode;
  readonly message: string;
  /** For `PAIRING_BAD_INPUT`: everything that is wrong. */
  readonly faults?: readonly Fault[];
}

/** An answer, or a refusal with its reason. */
export type Reply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: Refusal };

/** What became of many providers. */
export interface LoadReport {
  readonly accepted: number;
  /** The first of those refused, by their place in what was given. */
  readonly rejected: readonly RejectedItem[];
  /** All that were refused. */
  readonly rejectedCount: number;
  readonly size: number;
  readonly version: number;
}

/** One of many that was refused. */
export interface RejectedItem {
  readonly index: number;
  readonly error: string;
}

/** A page of providers, in the order of their addresses when sorted, else as the market holds them. */
export interface ProviderPage {
  readonly providers: readonly ProviderRecord[];
  /** Providers in the market, or at the place that was asked for. */
  readonly total: number;
  /** Where the next page begins; absent on the last. */
  readonly next?: number;
}

/** Which providers to list. */
export interface ListOptions {
  readonly location?: string;
  /** 0 at first, then `next` of the page before. */
  readonly offset?: number;
  readonly limit?: number;
}

/** What one filter asks for and one provider has. */
export interface WhyNotRefusal {
  readonly filter: string;
  readonly need: string;
  readonly have: string;
  readonly transient: boolean;
}

/** Why one provider is, or is not, among the picks. */
export interface WhyNotReport {
  readonly provider: string;
  readonly inMarket: boolean;
  readonly refusals: readonly WhyNotRefusal[];
  readonly isPicked: boolean;
  readonly score?: number;
  readonly components?: Readonly<Record<string, number | null>>;
  readonly rank?: number;
  readonly gapToLast?: number;
}

/** A provider whose place differs between two results; it has none in one of them if that is absent. */
export interface PairShift {
  readonly address: string;
  /** From 1 on. */
  readonly before?: number;
  readonly after?: number;
  /** The first filter that refuses it where it has no place; absent when others are better there. */
  readonly refusedBy?: string;
}

/** A request beside another one, on one version of a market. */
export interface WhatIfReport {
  readonly before: PairingResult;
  readonly after: PairingResult;
  /** Places after the change first, then those who have lost theirs. */
  readonly shifts: readonly PairShift[];
}

/** What became of policies that were put into the queue. */
export interface EnqueueReport {
  readonly accepted: number;
  readonly rejected: readonly RejectedItem[];
}

/** How long to wait for room, and who may end the wait. */
export interface WaitOptions {
  /** 0 (default) never waits. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** How a batch runs. */
export interface BatchOptions {
  readonly signal?: AbortSignal;
}

/** Results in the order of the requests; after an abort, those that were done, and `undefined`. */
export interface BatchReport {
  readonly results: readonly (PairingResult | undefined)[];
  /** Where they were made: the number of worker threads, 0 for this one. */
  readonly threads: number;
}

/** Survivors after each filter, in the order of the chain (requirement P2f). */
export type FilterStats = Readonly<Record<string, number>>;

/** How the scores of a policy's survivors spread (requirement P18f). */
export interface ScoringStats {
  readonly count: number;
  readonly avg: number;
  readonly min: number;
  readonly max: number;
  readonly range: number;
  readonly scoring_strategy: string;
  readonly available_scorers: readonly string[];
}

/** What a composite is made of. */
export interface ScoringView {
  readonly name: string;
  readonly description: string;
  readonly version: number;
  readonly scorers: Readonly<Record<string, number>>;
}

/** What the ranking cache holds and did, in the spelling of requirement P15d. */
export interface CacheStats {
  readonly size: number;
  readonly capacity: number;
  readonly hits: number;
  readonly misses: number;
  readonly hit_rate: number;
  readonly evictions: number;
  readonly min_frequency: number;
  readonly frequency_distribution: Readonly<Record<number, number>>;
}

/** What a market did, in the spelling of requirement P18d; times in µs. */
export interface MarketStats {
  readonly total_processed: number;
  readonly total_filtered: number;
  readonly total_ranked: number;
  readonly total_cache_hits: number;
  readonly total_cache_misses: number;
  readonly average_process_time: number;
  readonly top_n: number;
  readonly caching_enabled: boolean;
  readonly stats_enabled: boolean;
  readonly cache_stats: CacheStats;
  readonly provider_count: number;
  readonly location_distribution: Readonly<Record<string, number>>;
  readonly version: number;
}

/** The queue, in the spelling of requirement P13d. */
export interface QueueStats {
  readonly size: number;
  readonly capacity: number;
  readonly enqueued: number;
  readonly dequeued: number;
  readonly pending: number;
  readonly closed: boolean;
  /** Refused because it was full. */
  readonly refused: number;
}

/** One worker (requirement P18a); its figures begin anew when it is restarted. */
export interface WorkerStats {
  readonly id: number;
  readonly processed: number;
  readonly errors: number;
  readonly running: boolean;
}

/** The whole service (requirement P18c); `uptime` in ms. */
export interface PairingStats {
  readonly running: boolean;
  readonly uptime: number;
  readonly total_processed: number;
  readonly total_errors: number;
  readonly max_workers: number;
  readonly worker_stats: readonly WorkerStats[];
  readonly results_buffer_size: number;
  readonly results_dropped: number;
  readonly queue_stats: QueueStats;
  readonly markets: Readonly<Record<string, MarketStats>>;
}

/** A market as it is drawn. */
export interface MarketCounts {
  readonly name: string;
  readonly rows: number;
  readonly version: number;
  /** Times of results by how they were found. */
  readonly durations: ReadonlyMap<string, DurationCells>;
  /** Results of nobody, by filter. */
  readonly emptyBy: ReadonlyMap<string, number>;
  /** Providers that filters refused, by filter, in results that were explained or empty. */
  readonly refusedBy: ReadonlyMap<string, number>;
  /** What scorers gave the picks, by scorer. */
  readonly scoredBy: ReadonlyMap<
    string,
    { readonly picks: number; readonly points: number; readonly failures: number }
  >;
}

/** The service as it is drawn: read from records, without asking a process. */
export interface PairingView {
  readonly markets: readonly MarketCounts[];
  readonly cache: {
    readonly size: number;
    readonly hits: number;
    readonly misses: number;
    readonly evictions: number;
  };
  /** What became of rankings that were asked of other hosts, by result; undefined where none are. */
  readonly shared: Readonly<Record<string, number>> | undefined;
  readonly counts: {
    readonly depth: number;
    readonly processed: number;
    readonly errors: number;
  };
}

/** What changed in a market; whoever keeps it on disk listens. */
export type MarketChange =
  | { readonly type: "put"; readonly market: string; readonly providers: readonly ProviderRecord[] }
  | { readonly type: "removed"; readonly market: string; readonly address: string }
  /** Everything that was there before is gone, this is there; undefined when it is too much to be told. */
  | {
      readonly type: "replaced";
      readonly market: string;
      readonly providers: readonly ProviderRecord[] | undefined;
    }
  /** How a profile of the market weighs from now on. */
  | {
      readonly type: "weights";
      readonly market: string;
      readonly profile: string;
      readonly weights: Readonly<Record<string, number>>;
    };

/** Providers up to which it is told what replaced a market; of more the market itself is read. */
export const MOST_TOLD = 5_000;

/**
 * What the outside may ask of the running service. Reads are synchronous, on the market as it is at
 * that moment; whatever changes something goes through a process.
 */
export interface PairingPort {
  readonly markets: () => readonly string[];
  /** Makes a market that is not there, where that may be; answers when it can be written. */
  readonly open: (market: string) => Promise<Reply<"there">>;
  /** The version of a market, 0 where there is none. */
  readonly version: (market: string) => number;
  /** Many providers at once; `replace` begins with an empty market, and shows it when it is whole. */
  readonly load: (
    market: string,
    providers: readonly unknown[],
    mode: "replace" | "add",
  ) => Promise<Reply<LoadReport>>;
  /** One provider; an empty address is given one, a known address is replaced. */
  readonly add: (market: string, provider: unknown) => Promise<Reply<ProviderRecord>>;
  readonly remove: (market: string, address: string) => Promise<Reply<ProviderRecord>>;
  readonly list: (market: string, options?: ListOptions) => Reply<ProviderPage>;
  readonly get: (market: string, address: string) => Reply<ProviderRecord>;
  readonly locations: (market: string) => Reply<Readonly<Record<string, number>>>;
  /** What is wrong with a request, if anything is; it is not answered. */
  readonly check: (market: string, request: PairRequest) => Reply<"right">;
  /** Without the queue. */
  readonly pair: (market: string, request: PairRequest) => Reply<PairingResult>;
  /** The same; a ranking that takes long to make is asked of other hosts first. */
  readonly pairShared: (
    market: string,
    request: PairRequest,
  ) => Reply<PairingResult> | Promise<Reply<PairingResult>>;
  readonly why: (market: string, request: PairRequest, address: string) => Reply<WhyNotReport>;
  /** How the picks would differ if the request were the second one. */
  readonly whatIf: (
    market: string,
    request: PairRequest,
    changed: PairRequest,
  ) => Reply<WhatIfReport>;
  readonly filterStats: (market: string, policy: ConsumerPolicy) => Reply<FilterStats>;
  readonly scoringStats: (market: string, policy: ConsumerPolicy) => Reply<ScoringStats>;
  readonly scoring: (market: string) => Reply<readonly ScoringView[]>;
  readonly setWeights: (
    market: string,
    profile: string,
    weights: Readonly<Record<string, number>>,
  ) => Promise<Reply<ScoringView>>;
  readonly batch: (
    market: string,
    requests: readonly PairRequest[],
    options?: BatchOptions,
  ) => Promise<Reply<BatchReport>>;
  readonly enqueue: (
    market: string,
    requests: readonly PairRequest[],
    options?: WaitOptions,
  ) => Promise<Reply<EnqueueReport>>;
  /** Those that wait, oldest first; they leave the buffer. */
  readonly results: () => Promise<Reply<readonly PairingResult[]>>;
  readonly resultsCount: () => Promise<Reply<number>>;
  readonly stats: () => Promise<Reply<PairingStats>>;
  readonly resetStats: () => Promise<Reply<"reset">>;
}
