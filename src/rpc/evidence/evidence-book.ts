/**
 * Everything one chain has learned of its providers: races, calls, scores, raw rows.
 *
 * A plain object with time as an argument. Writers are synchronous and take well under a
 * microsecond, readers never wait; it outlives the processes of its chain. Bounded: 86,400 rows a
 * table, 1,024 cells with sketches, just below 10 MB when all of it is full.
 */
import { DecayClock } from "../../lib/decay-clock.ts";
import type { ErrorClass } from "../errors/classes.ts";
import type { ChainName, ProviderId, Transport } from "../ids.ts";
import type { SettledRace } from "../race/settled-race.ts";
import type { CallEvidence, CallSummary, RaceSummary } from "../selection/snapshot.ts";
import { resultOf } from "./call-cell.ts";
import { CallCells } from "./call-cells.ts";
import { CallsAt } from "./calls-at.ts";
import {
  noSnapshot,
  parseAll,
  type EvidenceSnapshot,
  type RestoreFault,
} from "./evidence-snapshot.ts";
import { Misbehaviour } from "./misbehaviour.ts";
import { RaceStandings, type RaceMatrixEntry } from "./race-standings.ts";
import {
  RawRows,
  type CallRow,
  type RaceRow,
  type RaceRowsAfter,
  type RowMark,
  type RowRange,
  type RowVisitor,
} from "./raw-rows.ts";
import { standingsOf, StandingsHistory } from "./standings-history.ts";

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
  /** The score by the chosen formula; 0 while the provider never raced. */
  readonly score: number;
  /** Events that only this provider ever saw. */
  readonly misbehaviour: number;
}

/** One line of the performance matrix. */
export interface CallMatrixEntry extends CallSummary {
  readonly provider: ProviderId;
  readonly transport: Transport;
  readonly method: string;
  /** Decayed number of refusals for capacity. */
  readonly capacity: number;
}

const dayMs = 86_400_000;
/** The evidence of one chain; all times are monotonic ms of one clock. */
export class EvidenceBook {
  readonly chain: ChainName;
  /** How the leaderboard stood at the snapshots of the last day. */
  readonly history = new StandingsHistory();
  #halfLifeMs: number;
  readonly #retentionMs: number;
  readonly #clock: DecayClock;
  readonly #calls: CallCells;
  readonly #races: RaceStandings;
  readonly #misbehaviour: Misbehaviour;
  readonly #rows: RawRows;

  constructor(options: EvidenceOptions) {
    this.chain = options.chain;
    this.#halfLifeMs = options.halfLifeMs ?? 600_000;
    this.#retentionMs = options.retentionMs ?? dayMs;
    this.#clock = new DecayClock(this.#halfLifeMs);
    this.#calls = new CallCells(this.#clock);
    this.#races = new RaceStandings(this.#clock);
    this.#misbehaviour = new Misbehaviour(this.#clock);
    this.#rows = new RawRows(options.maxRows ?? 86_400, (code) => this.#calls.methodName(code));
  }

  /** Counts one finished attempt. */
  recordCall(
    provider: ProviderId,
    transport: Transport,
    method: string,
    errorClass: ErrorClass,
    durationMs: number,
    nowMs: number,
  ): void {
    this.#rescaleIfDue(nowMs);
    const result = resultOf[errorClass];
    const code = this.#calls.record(provider, transport, method, result, durationMs, nowMs);
    this.#rows.addCall(nowMs, provider, transport, code, result, durationMs);
  }

  /** A cancelled attempt already slower than its own q99: a latency sample without an outcome. */
  recordCensored(
    provider: ProviderId,
    transport: Transport,
    method: string,
    elapsedMs: number,
    nowMs: number,
  ): void {
    this.#calls.recordCensored(provider, transport, method, elapsedMs, nowMs);
  }

  /** Counts an answer that was caught to be wrong. */
  recordMisbehaviour(provider: ProviderId, nowMs: number): void {
    this.#rescaleIfDue(nowMs);
    this.#misbehaviour.record(provider, nowMs);
  }

  /** A provider's wrong answers: those that still weigh, and all since the start. */
  misbehaviourOf(
    provider: ProviderId,
    nowMs: number,
  ): { readonly recent: number; readonly total: number } {
    return {
      recent: this.#misbehaviour.of(provider, nowMs),
      total: this.#misbehaviour.total(provider),
    };
  }

  /** Counts races that have just been settled. */
  recordRaces(settled: readonly SettledRace[], nowMs: number): void {
    this.#rescaleIfDue(nowMs);
    for (const race of settled) {
      const atMs = nowMs - race.ageMs;
      this.#races.record(race, nowMs, (provider, result, marginMs) => {
        this.#rows.addRace(atMs, provider, race.event, result, marginMs);
      });
    }
  }

  /**
   * Call evidence of one provider as of `nowMs`, in the shape a routing snapshot holds. What was read
   * once stays as it was: a ranking can be explained later with the numbers it was made from.
   */
  callsOf(provider: ProviderId, nowMs: number): CallEvidence {
    return new CallsAt((transport, method) => this.call(provider, transport, method, nowMs));
  }

  /** Call evidence of one provider, transport and method (`undefined`: all methods). */
  call(
    provider: ProviderId,
    transport: Transport,
    method: string | undefined,
    nowMs: number,
  ): CallSummary | undefined {
    return this.#calls.find(provider, transport, method)?.summary(this.#clock, nowMs);
  }

  /** What races have shown of a provider. */
  raceSummary(provider: ProviderId, nowMs: number): RaceSummary {
    return this.#races.summary(provider, nowMs);
  }

  /** All providers that ever raced, best first, ties by id. */
  leaderboard(nowMs: number, formula: "pace" | "livechain" = "pace"): readonly LeaderboardEntry[] {
    return this.#races
      .providers()
      .map((provider) => {
        const summary = this.#races.summary(provider, nowMs);
        const score = formula === "pace" ? (summary.paceScore ?? 0) : summary.raceScore;
        return { provider, score, ...summary };
      })
      .sort((a, b) => b.score - a.score || (a.provider < b.provider ? -1 : 1));
  }

  /** Race evidence of all providers, stream by stream. */
  raceMatrix(nowMs: number): readonly RaceMatrixEntry[] {
    return this.#races.matrix(nowMs);
  }

  /** Call evidence of all providers, transports and methods. */
  callMatrix(nowMs: number): readonly CallMatrixEntry[] {
    const entries: CallMatrixEntry[] = [];
    for (const { provider, transport, method, cell } of this.#calls.cells()) {
      if (method === undefined) continue;
      const { capacity } = cell.counts(this.#clock, nowMs);
      const summary = cell.summary(this.#clock, nowMs);
      entries.push({ provider, transport, method, capacity, ...summary });
    }
    return entries;
  }

  /** Raw race rows, oldest first. */
  raceRows(range: RowRange): readonly RaceRow[] {
    return this.#rows.races(range);
  }

  /** Raw race rows after a number, oldest first. */
  raceRowsAfter(which: RaceRowsAfter): readonly RaceRow[] {
    return this.#rows.racesAfter(which);
  }

  /** Numbers of the oldest race row that is kept, and of the newest. */
  get raceNumbers(): { readonly first: number; readonly last: number } {
    return this.#rows.raceNumbers;
  }

  /** Raw call rows, oldest first. */
  callRows(range: RowRange): readonly CallRow[] {
    return this.#rows.calls(range);
  }

  /** Numbers of the newest rows; a reader that follows them keeps these. */
  get rowMark(): RowMark {
    return this.#rows.mark;
  }

  /** Visits the raw rows after `mark`, oldest first, without making rows of them. */
  visitRows(mark: RowMark, visitor: RowVisitor): void {
    this.#rows.visit(mark, visitor);
  }

  /** Drops the rows out of retention; returns how many went. */
  prune(nowMs: number): { readonly raceRows: number; readonly callRows: number } {
    return this.#rows.prune(nowMs - this.#retentionMs);
  }

  /** Rows dropped for want of room since the last call; the owner reports them. */
  takeOverflow(): { readonly raceRows: number; readonly callRows: number } {
    return this.#rows.takeOverflow();
  }

  /** Forgets the scores of a provider that left the chain; its raw rows age out. */
  forget(provider: ProviderId): void {
    this.#calls.forget(provider);
    this.#races.forget(provider);
    this.#misbehaviour.forget(provider);
  }

  /** Forgets whoever is not among `providers`: the chain's providers now. */
  keepOnly(providers: readonly ProviderId[]): void {
    const kept = new Set(providers);
    const known = [
      ...this.#calls.providers(),
      ...this.#races.providers(),
      ...this.#misbehaviour.providers(),
    ];
    for (const provider of known) if (!kept.has(provider)) this.forget(provider);
  }

  /** Ages with another half-life from `nowMs` on. */
  setHalfLife(halfLifeMs: number, nowMs: number): void {
    if (halfLifeMs === this.#halfLifeMs) return;
    this.#halfLifeMs = halfLifeMs;
    this.#rescale(this.#clock.retime(halfLifeMs, nowMs));
  }

  /** Sizes now. */
  stats(): {
    readonly raceRows: number;
    readonly callRows: number;
    readonly cells: number;
    readonly sizeBytes: number;
  } {
    const { raceRows, callRows, sizeBytes } = this.#rows.stats();
    const cells = this.#calls.size;
    return { raceRows, callRows, cells, sizeBytes: sizeBytes + this.#calls.sizeBytes };
  }

  /**
   * Plain, versioned JSON data; `wallMs` is the wall clock at `nowMs`. `which`: all rows, or those
   * that no snapshot has; once it is on disk, tell `saved`.
   */
  toSnapshot(nowMs: number, wallMs: number, which: "all" | "unsaved" = "all"): EvidenceSnapshot {
    return {
      format: "paceline-evidence",
      version: 2,
      chain: this.chain,
      wallMs,
      methods: [...this.#calls.methods.names],
      ...this.#rows.toSnapshot(nowMs, which),
      lastRows: this.#rows.mark,
      standings: standingsOf(this, nowMs),
      misbehaviour: this.#misbehaviour.all(nowMs),
      callCells: this.#calls.toSnapshot(nowMs),
      raceCells: this.#races.toSnapshot(nowMs),
    };
  }

  /** A snapshot is on disk: the next one need not hold its rows. */
  saved({ lastRows }: Pick<EvidenceSnapshot, "lastRows">): void {
    this.#rows.save(lastRows);
  }

  /**
   * Adds what earlier snapshots (oldest first) knew, aged by the wall time since: scores of the
   * newest that can be read, rows and places of all. Rows are put before those already here, so call
   * it before traffic or soon after the start.
   */
  restore(
    documents: readonly unknown[],
    nowMs: number,
    wallMs: number,
  ): { readonly ok: true; readonly refused: readonly RestoreFault[] } | RestoreFault {
    const { snapshots, refused } = parseAll(documents, this.chain);
    const newest = snapshots.at(-1);
    if (newest === undefined) return refused.at(-1) ?? noSnapshot;
    const ageMs = Math.max(0, wallMs - newest.wallMs);
    const factor = this.#clock.weightAt(nowMs) * 2 ** (-ageMs / this.#halfLifeMs);
    this.#calls.restore(newest.callCells, factor, ageMs, nowMs);
    this.#races.restore(newest.raceCells, factor);
    this.#misbehaviour.restore(newest.misbehaviour, factor);
    const rows = snapshots.map(({ wallMs: savedMs, methods, ...saved }) => ({
      ...saved,
      methods: methods.map((name) => this.#calls.methods.of(name)),
      savedAtMs: nowMs - Math.max(0, wallMs - savedMs),
    }));
    this.#rows.restore(rows, nowMs - this.#retentionMs, newest.lastRows);
    for (const snapshot of snapshots) this.history.add(snapshot);
    return { ok: true, refused };
  }

  #rescaleIfDue(nowMs: number): void {
    const factor = this.#clock.rescale(nowMs);
    if (factor !== 0) this.#rescale(factor);
  }

  #rescale(factor: number): void {
    for (const { cell } of this.#calls.cells()) cell.rescale(factor);
    this.#races.rescale(factor);
    this.#misbehaviour.rescale(factor);
  }
}
