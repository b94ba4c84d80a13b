/**
 * What a ranking is made from and what it looks like: one immutable snapshot per chain, rebuilt off
 * the request path, and the demand of one call.
 *
 * Rows inside the snapshot are live cells (src/rpc/chain-view.ts): order comes from the snapshot,
 * admission is read from the row at the moment of the pick.
 */
import type { CostConfig, LeaderboardWeights, StrategyName } from "../../../config/schema.ts";
import type { EndpointRow } from "../chain-view.ts";
import type { ChainName, ProviderId, Transport } from "../ids.ts";
import type { ProviderMarket } from "./market/market.ts";
import type { PairedList } from "./paired.ts";
import type { ProviderPrior } from "./prior.ts";
import type { ProviderForecast } from "../prediction/forecast-book.ts";

/** What is known of one provider x transport x method; absent values were never measured. */
export interface CallSummary {
  /** Decayed number of judged calls (ok + failure + timeout). */
  readonly n: number;
  /** Wilson lower bound of the success ratio, 0..1. */
  readonly reliabilityLb: number;
  /** (failure + timeout) / n, 0 when n is 0. */
  readonly failureRatio: number;
  readonly timeoutRatio: number;
  /** Number of latency samples in the window behind the quantiles. */
  readonly samples: number;
  readonly meanMs: number | undefined;
  readonly p50Ms: number | undefined;
  readonly q95Ms: number | undefined;
  readonly q99Ms: number | undefined;
  /** q99 of those that were answered: attempts that timed out do not raise it. */
  readonly answeredQ99Ms: number | undefined;
}

/** Reads the call evidence of one provider; `method` undefined means all methods together. */
export interface CallEvidence {
  get(transport: Transport, method: string | undefined): CallSummary | undefined;
}

/** What races have shown of one provider. */
export interface RaceSummary {
  /** Livechain's formula over the undecayed counts. */
  readonly raceScore: number;
  /** Decayed Wilson lower bound of the race credit, 0..1; undefined while it never raced. */
  readonly paceScore: number | undefined;
  readonly wins: number;
  readonly races: number;
  readonly winRate: number;
  readonly missRate: number;
  /** Average margin over races lost by arriving later, ms; 0 without such races. */
  readonly avgMarginMs: number;
}

/** One provider as the ranking sees it. */
export interface EndpointView {
  readonly provider: ProviderId;
  readonly vendor: string | undefined;
  readonly region: string | undefined;
  readonly tags: readonly string[];
  readonly transports: { readonly http?: EndpointRow; readonly ws?: EndpointRow };
  readonly priority: number;
  readonly role: "primary" | "backup";
  readonly weight: number;
  readonly type: "public" | "paid" | "dedicated";
  readonly cost: CostConfig;
  readonly archival: boolean;
  /** May get copies of reads so that it becomes known (`probe`). */
  readonly mayProbe: boolean;
  /** Longest `eth_getLogs` range it serves, blocks. */
  readonly maxBlockRange: number | undefined;
  /** Lowest block whose state it serves; undefined when nothing is known. */
  readonly stateFrom?: number | undefined;
  /** Lowest block whose logs and receipts it serves; undefined when nothing is known. */
  readonly historyFrom?: number | undefined;
  /** Methods that this provider is configured or known not to serve. */
  readonly unsupported: { has(method: string): boolean };
  /** Last reported head, -1 when it never reported one. */
  readonly head: number;
  /** Blocks behind the tip (optimistic), undefined while the head is unknown. */
  readonly lag: number | undefined;
  readonly calls: CallEvidence;
  readonly race: RaceSummary;
  /** What other regions say of it; absent where nobody asks them. */
  readonly prior?: ProviderPrior | undefined;
  /** Wrong answers it was caught with, decayed; none when absent. */
  readonly misbehaviour?: number;
  /** What is foreseen of it; absent while nobody looks. */
  readonly forecast?: ProviderForecast | undefined;
  /** Gets copies of this share of reads and serves nobody. */
  readonly shadow?: number | undefined;
  /** Is asked first for this share of reads, and last for all others. */
  readonly canary?: number | undefined;
}

/** Rules of ranking that the chain's configuration sets. */
export interface SelectionRules {
  readonly strategy: StrategyName;
  readonly maxLagBlocks: number;
  /** State older than this many blocks needs an archival provider. */
  readonly archivalThreshold: number;
  /** Backups stand behind the primaries while at least this many primaries are healthy. */
  readonly minHealthy: number;
  readonly formula: "pace" | "livechain";
  readonly weights: LeaderboardWeights;
  /** A challenger must beat the sticky primary by this ratio (0.30 = 30 %). */
  readonly stickyHysteresis: number;
  readonly stickyMinIntervalMs: number;
  /** Share of cost in the hybrid score, 0..1. */
  readonly costBias: number;
}

/** Everything a ranking of one chain needs, built at `builtAtMs`. */
export interface RoutingSnapshot {
  readonly chain: ChainName;
  readonly version: number;
  readonly builtAtMs: number;
  /** Served tip, -1 while unknown. */
  readonly tip: number;
  readonly blockTimeMs: number;
  readonly rules: SelectionRules;
  readonly endpoints: readonly EndpointView[];
  /** Those of them that are on trial with real reads; absent when there are none. */
  readonly canaries?: readonly EndpointView[] | undefined;
  /** Those of them that get copies only; absent when there are none. */
  readonly shadows?: readonly EndpointView[] | undefined;
  /** Rankings already computed from this snapshot; filled by `rank`. */
  readonly cache: RankingCache;
  /** The same for callers under a list, by the list's key; ranked anew each time without it. */
  readonly cacheOfLists?: Map<string, RankingCache> | undefined;
  /** Sticky primaries and rotations; one object that outlives the snapshots of a chain. */
  readonly memory: SelectionMemory;
}

/** Rankings by method, then by a code of strategy, transport and archive; bounded by `rank`. */
export type RankingCache = Map<string, (Ranking | undefined)[]>;

/** What selection remembers from one snapshot to the next. */
export interface SelectionMemory {
  readonly sticky: Map<string, StickyPrimary>;
  /** Smooth weighted round-robin credit, by strategy and endpoint. */
  readonly rotations: Map<StrategyName, Map<EndpointRow, number>>;
  /** The providers as a market of the matching kernel; made by the first ranking. */
  market?: ProviderMarket | undefined;
  /** Changes of primary that nobody has reported yet; bounded. */
  readonly switches: PrimarySwitch[];
}

/** A sticky primary gave way. */
export interface PrimarySwitch {
  readonly key: string;
  readonly from: ProviderId;
  readonly to: ProviderId;
  readonly atMs: number;
}

/** The primary that a sticky ranking holds on to. */
export interface StickyPrimary {
  readonly provider: ProviderId;
  readonly sinceMs: number;
}

/** Which transports may serve a call. */
export type Protocol = Transport | "any";

/** A named subset of providers with a strategy of its own; the configuration's `profiles`. */
export interface Profile {
  readonly name: string;
  /** Ids or tags; empty: all. */
  readonly providers: readonly string[];
  /** The chain's own when undefined. */
  readonly strategy: StrategyName | undefined;
  /** Providers that must agree on a read, and those that are asked. */
  readonly quorum?: { readonly agree: number; readonly of: number } | undefined;
}

/** What one call asks of selection. */
export interface SelectionDemand {
  /** The chain's own strategy when absent. */
  readonly strategy?: StrategyName | undefined;
  readonly method: string;
  /** Default "any". */
  readonly transport?: Protocol | undefined;
  /** State older than the archival threshold is asked for. */
  readonly needsArchive?: boolean | undefined;
  /** The lowest block asked for, when some provider is known not to serve it. */
  readonly oldest?: OldestBlock | undefined;
  /** Blocks of the range of logs that is asked for; 0 when it has none. */
  readonly blockRange?: number | undefined;
  /** Only providers of this profile. */
  readonly profile?: Profile | undefined;
  /** Only providers of this list. */
  readonly paired?: PairedList | undefined;
  /** Nobody of the list could serve, and the caller is let out of it. */
  readonly hasLeftList?: boolean | undefined;
  /** Only this provider (id), or only providers with this tag. */
  readonly provider?: string | undefined;
  readonly exclude?: readonly ProviderId[] | undefined;
  /** Highest price per million calls that is acceptable. */
  readonly maxCost?: number | undefined;
  /** Seed of the request's randomness; used by latency-weighted only. */
  readonly seed?: number | undefined;
}

/** The oldest thing that a call asks for. */
export interface OldestBlock {
  readonly block: number;
  /** State as of the block, and not the block itself. */
  readonly isState: boolean;
}

/** How much a candidate may be trusted; lower tiers are tried first. */
export type Tier = "qualified" | "unknown" | "degraded" | "limited" | "recovering";

/** Why a provider is not in a ranking, or stands behind all healthy ones. */
export type ExclusionRule =
  | "transport"
  | "cordoned"
  | "excluded"
  | "not_requested"
  | "profile"
  | "pairing"
  | "method_unsupported"
  | "archive"
  | "block_range"
  | "max_cost"
  | "breaker_open"
  | "cooldown"
  | "suspect"
  | "rate"
  | "quota"
  | "lag"
  | "head_unknown"
  | "failure_ratio"
  | "misbehaviour"
  | "shadow";

/** One refusal with the numbers that caused it. */
export interface Exclusion {
  readonly provider: ProviderId;
  readonly transport: Transport | undefined;
  readonly rule: ExclusionRule;
  readonly value: number | string | undefined;
  readonly limit: number | undefined;
}

/** One provider x transport in a ranking; its rank is its position. */
export interface Candidate {
  readonly row: EndpointRow;
  readonly view: EndpointView;
  readonly score: number;
  readonly tier: Tier;
  /** Candidates of one place differ by score only; a lower place is tried first. */
  readonly place: number;
  /** Health rules that this candidate breaks; it is used only when no healthy one is left. */
  readonly relaxed: readonly ExclusionRule[];
  /** A provider on trial: its turn has come, or it waits behind all others. */
  readonly canary?: "promoted" | "demoted";
}

/** The order in which a demand's candidates are tried, and who was left out. */
export interface Ranking {
  readonly strategy: StrategyName;
  readonly candidates: readonly Candidate[];
  readonly excluded: readonly Exclusion[];
  /** Set when the strategy could not be followed, e.g. fastest without a qualified provider. */
  readonly fallback: string | undefined;
}
