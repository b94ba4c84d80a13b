/**
 * Everything one chain has learned of its providers: races, calls, scores, raw rows.
 *
 * A plain object with time as an argument. Writers are synchronous and take well under a
 * microsecond, readers never wait; it outlives the processes of its chain. Bounded: 86,400 rows a
 * table, 1,024 cells and sketches, about 9 MB when all of it is full.
 */
import { DecayClock } from "../../lib/decay-clock.ts";
import { latencyWindowMs } from "../../lib/latency-sketch.ts";
import type { ErrorClass } from "../errors/classes.ts";
import type { ChainName, ProviderId, Transport } from "../ids.ts";
import type { RaceEvent, SettledRace } from "../race/settled-race.ts";
import type { CallEvidence, CallSummary, RaceSummary } from "../selection/snapshot.ts";
import { callResults, resultOf, type CallResult } from "./call-cell.ts";
import { CallCells } from "./call-cells.ts";
import { Codes } from "./codes.ts";
import {
  parseEvidence,
  type EvidenceSnapshot,
  type RestoreFault,
  type SnapshotRows,
} from "./evidence-snapshot.ts";
import { Misbehaviour } from "./misbehaviour.ts";
import { RaceStandings, raceEvents, raceResults, type RaceResult } from "./race-standings.ts";
import { RowTable } from "./row-table.ts";

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

/** One raw race row (racing_metrics). */
export interface RaceRow {
  readonly atMs: number;
  readonly provider: ProviderId;
  readonly event: RaceEvent;
  readonly result: RaceResult;
  /** 0 unless the race was lost by arriving late. */
  readonly marginMs: number;
}

/** One raw call row (rpc_metrics). */
export interface CallRow {
  readonly atMs: number;
  readonly provider: ProviderId;
  readonly transport: Transport;
  readonly method: string;
  readonly result: CallResult;
  readonly durationMs: number;
}

/** Which rows are read: `fromMs <= at < toMs`, the newest `limit` (default 1,000) of them. */
export interface RowRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly limit?: number;
}

const dayMs = 86_400_000;
const maxProviderCodes = 65_535;
/** A call row's kind: method code, plus this for WebSocket. */
const wsKind = 128;

/** A summary that a snapshot has read; also that there was none. */
interface Read {
  readonly summary: CallSummary | undefined;
}
/** Methods whose summaries one snapshot holds per transport; clients may invent any number. */
const maxRead = 128;

/** The evidence of one chain; all times are monotonic ms of one clock. */
export class EvidenceBook {
  readonly chain: ChainName;
  readonly #halfLifeMs: number;
  readonly #retentionMs: number;
  readonly #clock: DecayClock;
  readonly #calls: CallCells;
  readonly #races: RaceStandings;
  readonly #misbehaviour: Misbehaviour;
  readonly #raceRows: RowTable;
  readonly #callRows: RowTable;
  readonly #providers = new Codes(maxProviderCodes);

  constructor(options: EvidenceOptions) {
    this.chain = options.chain;
    this.#halfLifeMs = options.halfLifeMs ?? 600_000;
    this.#retentionMs = options.retentionMs ?? dayMs;
    this.#clock = new DecayClock(this.#halfLifeMs);
    this.#calls = new CallCells(this.#clock);
    this.#races = new RaceStandings(this.#clock);
    this.#misbehaviour = new Misbehaviour(this.#clock);
    this.#raceRows = new RowTable(options.maxRows ?? 86_400);
    this.#callRows = new RowTable(options.maxRows ?? 86_400);
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
    const methodCode = this.#calls.record(provider, transport, method, result, durationMs, nowMs);
    const kind = transport === "ws" ? methodCode + wsKind : methodCode;
    this.#appendCall(nowMs, provider, kind, result, durationMs);
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
      const event = raceEvents.indexOf(race.event);
      const atMs = nowMs - race.ageMs;
      this.#races.record(race, nowMs, (provider, result, marginMs) => {
        const code = raceResults.indexOf(result);
        this.#raceRows.append(atMs, this.#code(provider), event, code, marginMs);
      });
    }
  }

  /**
   * Call evidence of one provider as of `nowMs`, in the shape a routing snapshot holds. What was read
   * once stays as it was: a ranking can be explained later with the numbers it was made from.
   */
  callsOf(provider: ProviderId, nowMs: number): CallEvidence {
    const read = { http: new Map<string, Read>(), ws: new Map<string, Read>() };
    return {
      get: (transport, method) => {
        const ofTransport = read[transport];
        const known = ofTransport.get(method ?? "");
        if (known !== undefined) return known.summary;
        const summary = this.call(provider, transport, method, nowMs);
        if (ofTransport.size < maxRead) ofTransport.set(method ?? "", { summary });
        return summary;
      },
    };
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
  raceRows({ fromMs, toMs, limit = 1_000 }: RowRange): readonly RaceRow[] {
    return this.#raceRows.range(fromMs, toMs, limit).map((row) => ({
      atMs: row.atMs,
      provider: this.#providers.name(row.provider) ?? "",
      event: raceEvents[row.kind] ?? "newHeads",
      result: raceResults[row.result] ?? "neutral",
      marginMs: row.value,
    }));
  }

  /** Raw call rows, oldest first. */
  callRows({ fromMs, toMs, limit = 1_000 }: RowRange): readonly CallRow[] {
    return this.#callRows.range(fromMs, toMs, limit).map((row) => ({
      atMs: row.atMs,
      provider: this.#providers.name(row.provider) ?? "",
      transport: row.kind >= wsKind ? "ws" : "http",
      method: this.#calls.methodName(row.kind % wsKind),
      result: callResults[row.result] ?? "neutral",
      durationMs: row.value,
    }));
  }

  /** Drops the rows out of retention; returns how many went. */
  prune(nowMs: number): { readonly raceRows: number; readonly callRows: number } {
    const beforeMs = nowMs - this.#retentionMs;
    return { raceRows: this.#raceRows.prune(beforeMs), callRows: this.#callRows.prune(beforeMs) };
  }

  /** Rows dropped for want of room since the last call; the owner reports them. */
  takeOverflow(): { readonly raceRows: number; readonly callRows: number } {
    return {
      raceRows: this.#raceRows.takeOverflow(),
      callRows: this.#callRows.takeOverflow(),
    };
  }

  /** Forgets the scores of a provider that left the chain; its raw rows age out. */
  forget(provider: ProviderId): void {
    this.#calls.forget(provider);
    this.#races.forget(provider);
    this.#misbehaviour.forget(provider);
  }

  /** Sizes now. */
  stats(): {
    readonly raceRows: number;
    readonly callRows: number;
    readonly cells: number;
    readonly sizeBytes: number;
  } {
    return {
      raceRows: this.#raceRows.size,
      callRows: this.#callRows.size,
      cells: this.#calls.size,
      sizeBytes: this.#raceRows.sizeBytes + this.#callRows.sizeBytes + this.#calls.sizeBytes,
    };
  }

  /** Plain, versioned JSON data; `wallMs` is the wall clock at `nowMs`. */
  toSnapshot(nowMs: number, wallMs: number): EvidenceSnapshot {
    const clock = this.#clock;
    return {
      format: "paceline-evidence",
      version: 1,
      chain: this.chain,
      wallMs,
      providers: [...this.#providers.names],
      methods: [...this.#calls.methods.names],
      races: rowsOf(this.#raceRows, nowMs),
      calls: rowsOf(this.#callRows, nowMs),
      callCells: [...this.#calls.cells()].map(({ provider, transport, method, cell }) => ({
        provider,
        transport,
        method: method ?? null,
        ...cell.counts(clock, nowMs),
        timeoutLimitMs: cell.timeoutLimitMs,
        sketch: cell.sketch?.toPairs(nowMs) ?? [],
      })),
      raceCells: this.#races.providers().flatMap((provider) =>
        raceEvents.map((event) => {
          const cell = this.#races.cell(provider, event);
          const scale = clock.scaleAt(nowMs);
          return {
            provider,
            event,
            ...cell,
            credit: cell.credit * scale,
            weight: cell.weight * scale,
          };
        }),
      ),
    };
  }

  /**
   * Adds what an earlier snapshot knew, aged by the wall time since. Rows are put before those
   * already here, so call it before traffic or soon after the start.
   */
  restore(data: unknown, nowMs: number, wallMs: number): { readonly ok: true } | RestoreFault {
    const parsed = parseEvidence(data, this.chain);
    if (!parsed.ok) return parsed;
    const { snapshot } = parsed;
    const ageMs = Math.max(0, wallMs - snapshot.wallMs);
    const savedAtMs = nowMs - ageMs;
    this.#restoreScores(snapshot, ageMs, nowMs);
    const methods = snapshot.methods.map((name) => this.#calls.methods.of(name));
    const providers = snapshot.providers.map((name) => this.#code(name));
    const sameKind = (kind: number): number => kind;
    const callKind = (kind: number): number => {
      const code = methods[kind % wsKind] ?? -1;
      return (code < 0 ? wsKind / 2 : code) + (kind >= wsKind ? wsKind : 0);
    };
    const oldestMs = nowMs - this.#retentionMs;
    prepend(this.#raceRows, snapshot.races, savedAtMs, oldestMs, providers, sameKind);
    prepend(this.#callRows, snapshot.calls, savedAtMs, oldestMs, providers, callKind);
    return { ok: true };
  }

  #restoreScores(snapshot: EvidenceSnapshot, ageMs: number, nowMs: number): void {
    const factor = this.#clock.weightAt(nowMs) * 2 ** (-ageMs / this.#halfLifeMs);
    for (const saved of snapshot.callCells) {
      const cell = this.#calls.cell(saved.provider, saved.transport, saved.method ?? undefined);
      cell.restore(saved, factor, saved.timeoutLimitMs);
      // Latencies are of the last minutes only.
      if (ageMs < latencyWindowMs) cell.sketch?.addPairs(saved.sketch, nowMs);
    }
    for (const saved of snapshot.raceCells) {
      const cell = this.#races.cell(saved.provider, saved.event);
      cell.credit += saved.credit * factor;
      cell.weight += saved.weight * factor;
      cell.wins += saved.wins;
      cell.losses += saved.losses;
      cell.misses += saved.misses;
      cell.marginSumMs += saved.marginSumMs;
      cell.misbehaviour += saved.misbehaviour;
    }
  }

  #appendCall(
    atMs: number,
    provider: ProviderId,
    kind: number,
    result: CallResult,
    durationMs: number,
  ): void {
    const code = callResults.indexOf(result);
    this.#callRows.append(atMs, this.#code(provider), kind, code, durationMs);
  }

  /** Beyond 65,535 providers ever seen the raw rows lose the name, never the count. */
  #code(provider: ProviderId): number {
    const code = this.#providers.of(provider);
    return code < 0 ? maxProviderCodes : code;
  }

  #rescaleIfDue(nowMs: number): void {
    const factor = this.#clock.rescale(nowMs);
    if (factor === 0) return;
    for (const { cell } of this.#calls.cells()) cell.rescale(factor);
    this.#races.rescale(factor);
    this.#misbehaviour.rescale(factor);
  }
}

/** Columns as integers, so that text stays small and quick to write: ms ages, microseconds. */
const rowsOf = (table: RowTable, nowMs: number): SnapshotRows => ({
  agesMs: table.columns(({ atMs }, i) => Math.max(0, Math.round(nowMs - (atMs[i] ?? nowMs)))),
  providers: table.columns(({ provider }, i) => provider[i] ?? 0),
  kinds: table.columns(({ kind }, i) => kind[i] ?? 0),
  results: table.columns(({ result }, i) => result[i] ?? 0),
  valuesUs: table.columns(({ value }, i) => Math.round((value[i] ?? 0) * 1_000)),
});

const prepend = (
  table: RowTable,
  saved: SnapshotRows,
  savedAtMs: number,
  oldestMs: number,
  providers: readonly number[],
  kindOf: (kind: number) => number,
): void => {
  const present = table.range(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, table.size);
  table.clear();
  for (const [i, ageMs] of saved.agesMs.entries()) {
    const atMs = savedAtMs - ageMs;
    if (atMs < oldestMs) continue;
    const provider = providers[saved.providers[i] ?? -1] ?? maxProviderCodes;
    const valueMs = (saved.valuesUs[i] ?? 0) / 1_000;
    table.append(atMs, provider, kindOf(saved.kinds[i] ?? 0), saved.results[i] ?? 0, valueMs);
  }
  for (const row of present) {
    table.append(row.atMs, row.provider, row.kind, row.result, row.value);
  }
};
