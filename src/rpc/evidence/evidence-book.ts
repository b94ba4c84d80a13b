/** Evidence of one chain; signatures first, the rules follow. */
import type { ErrorClass } from "../errors/classes.ts";
import type { ChainName, ProviderId, Transport } from "../ids.ts";
import type { RaceEvent, SettledRace } from "../race/settled-race.ts";
import type { CallEvidence, CallSummary, RaceSummary } from "../selection/snapshot.ts";

/** Limits and rules of one chain's evidence. */
export interface EvidenceOptions {
  readonly chain: ChainName;
  /** Half-life of the decayed scores, ms; default 600,000. */
  readonly halfLifeMs?: number;
  /** Rows kept per table; default 86,400. */
  readonly maxRows?: number;
  /** Age after which rows are pruned, ms; default 24 h. */
  readonly retentionMs?: number;
}

/** One line of a chain's leaderboard, best first. */
export interface LeaderboardEntry extends RaceSummary {
  readonly provider: ProviderId;
  /** The score by the chosen formula. */
  readonly score: number;
  readonly misbehaviour: number;
}

/** One line of the performance matrix. */
export interface CallMatrixEntry extends CallSummary {
  readonly provider: ProviderId;
  readonly transport: Transport;
  readonly method: string;
}

/** One raw race row (racing_metrics). */
export interface RaceRow {
  readonly atMs: number;
  readonly provider: ProviderId;
  readonly event: RaceEvent;
  readonly result: "win" | "loss" | "missed" | "neutral";
  readonly marginMs: number;
}

/** One raw call row (rpc_metrics). */
export interface CallRow {
  readonly atMs: number;
  readonly provider: ProviderId;
  readonly transport: Transport;
  readonly method: string;
  readonly result: "ok" | "failure" | "timeout" | "capacity" | "neutral";
  readonly durationMs: number;
}

/** What `EvidenceBook` offers; times are monotonic ms of the one injected clock. */
export interface EvidencePort {
  recordCall(
    provider: ProviderId,
    transport: Transport,
    method: string,
    errorClass: ErrorClass,
    durationMs: number,
    nowMs: number,
  ): void;
  /** A cancelled attempt that was already slower than its own q99: a latency sample, no outcome. */
  recordCensored(
    provider: ProviderId,
    transport: Transport,
    method: string,
    elapsedMs: number,
    nowMs: number,
  ): void;
  recordRaces(settled: readonly SettledRace[], nowMs: number): void;
  /** Call evidence of one provider, as a snapshot's view holds it. */
  callsOf(provider: ProviderId, nowMs: number): CallEvidence;
  raceSummary(provider: ProviderId, nowMs: number): RaceSummary;
  leaderboard(nowMs: number, formula?: "pace" | "livechain"): readonly LeaderboardEntry[];
  callMatrix(nowMs: number): readonly CallMatrixEntry[];
  raceRows(range: { fromMs: number; toMs: number; limit?: number }): readonly RaceRow[];
  callRows(range: { fromMs: number; toMs: number; limit?: number }): readonly CallRow[];
  prune(nowMs: number): { readonly raceRows: number; readonly callRows: number };
  /** Plain, versioned JSON data; `wallMs` is the wall clock at `nowMs`. */
  toSnapshot(nowMs: number, wallMs: number): unknown;
  restore(data: unknown, nowMs: number, wallMs: number): { ok: true } | { ok: false; code: string };
}
