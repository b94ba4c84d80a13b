/**
 * The last day row by row: who won, lost or missed each race, and how each call ended.
 *
 * The tables are bounded and never stop their writers; rows are numbered, so that a poller reads on
 * where it stopped and a snapshot holds only what the one before it does not.
 */
import type { ProviderId, Transport } from "../ids.ts";
import type { RaceEvent } from "../race/settled-race.ts";
import { callResults, type CallResult } from "./call-cell.ts";
import { Codes } from "./codes.ts";
import type { SnapshotRows } from "./evidence-snapshot.ts";
import { raceEvents, raceResults, type RaceResult } from "./race-standings.ts";
import { RowTable, type RowCodes } from "./row-table.ts";

/** One raw race row (racing_metrics). */
export interface RaceRow {
  readonly seq: number;
  /** When the event came first, from whomever. */
  readonly atMs: number;
  readonly provider: ProviderId;
  readonly event: RaceEvent;
  readonly result: RaceResult;
  /** 0 unless the race was lost by arriving late. */
  readonly marginMs: number;
}

/** One raw call row (rpc_metrics). */
export interface CallRow {
  readonly seq: number;
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

/** Which race rows a poller reads. */
export interface RaceRowsAfter {
  /** The oldest `limit` rows after this number; the newest `limit` when not given. */
  readonly after?: number | undefined;
  readonly limit: number;
  readonly sinceMs?: number | undefined;
  readonly provider?: ProviderId | undefined;
  readonly event?: RaceEvent | undefined;
  readonly result?: RaceResult | undefined;
}

/** Numbers of the newest rows of both tables. */
export interface RowMark {
  readonly races: number;
  readonly calls: number;
}

/** Takes rows one by one. */
export interface RowVisitor {
  /** `kind` is a number below 256 for the method and the transport. */
  call(
    provider: ProviderId,
    kind: number,
    result: CallResult,
    durationMs: number,
    atMs: number,
  ): void;
  race(provider: ProviderId, result: RaceResult, atMs: number): void;
}

/** The rows of one snapshot, with the names behind their codes. */
export interface SavedRows {
  /** Time of the book's clock at which the snapshot was taken. */
  readonly savedAtMs: number;
  readonly providers: readonly ProviderId[];
  readonly races: SnapshotRows;
  readonly calls: SnapshotRows;
  /** The book's code of each method code in the snapshot; -1 when it has none. */
  readonly methods: readonly number[];
}

const MAX_PROVIDERS = 65_535;
/** A call row's kind: method code, plus this for WebSocket. */
const WS_KIND = 128;
/** Code of the methods that share a cell. */
const OTHER_METHODS = 64;

/** Both tables of one chain. */
export class RawRows {
  readonly #races: RowTable;
  readonly #calls: RowTable;
  readonly #providers = new Codes(MAX_PROVIDERS);
  readonly #methodName: (code: number) => string;
  /** Rows up to here are on disk. */
  #saved: RowMark = { races: 0, calls: 0 };

  constructor(maxRows: number, methodName: (code: number) => string) {
    this.#races = new RowTable(maxRows);
    this.#calls = new RowTable(maxRows);
    this.#methodName = methodName;
  }

  /** Notes one provider's result of a race. */
  addRace(
    atMs: number,
    provider: ProviderId,
    event: RaceEvent,
    result: RaceResult,
    marginMs: number,
  ): void {
    const kind = raceEvents.indexOf(event);
    const code = raceResults.indexOf(result);
    this.#races.append(atMs, this.#code(provider), kind, code, marginMs);
  }

  /** Notes how a call ended. */
  addCall(
    atMs: number,
    provider: ProviderId,
    transport: Transport,
    method: number,
    result: CallResult,
    durationMs: number,
  ): void {
    const kind = transport === "ws" ? method + WS_KIND : method;
    const code = callResults.indexOf(result);
    this.#calls.append(atMs, this.#code(provider), kind, code, durationMs);
  }

  /** Race rows by time, oldest first. */
  races({ fromMs, toMs, limit = 1_000 }: RowRange): readonly RaceRow[] {
    return this.#races.newest(limit, within(fromMs, toMs)).map((row) => this.#raceRow(row));
  }

  /** Call rows by time, oldest first. */
  calls({ fromMs, toMs, limit = 1_000 }: RowRange): readonly CallRow[] {
    return this.#calls.newest(limit, within(fromMs, toMs)).map((row) => this.#callRow(row));
  }

  /** Race rows by number, oldest first. */
  racesAfter({ after, limit, sinceMs, ...only }: RaceRowsAfter): readonly RaceRow[] {
    const provider = only.provider === undefined ? -1 : this.#providers.known(only.provider);
    if (only.provider !== undefined && provider < 0) return [];
    const kind = only.event === undefined ? -1 : raceEvents.indexOf(only.event);
    const result = only.result === undefined ? -1 : raceResults.indexOf(only.result);
    const isWanted = (row: RowCodes): boolean =>
      (provider < 0 || row.provider === provider) &&
      (kind < 0 || row.kind === kind) &&
      (result < 0 || row.result === result) &&
      (sinceMs === undefined || row.atMs >= sinceMs);
    const rows =
      after === undefined
        ? this.#races.newest(limit, isWanted)
        : this.#races.after(after, limit, isWanted);
    return rows.map((row) => this.#raceRow(row));
  }

  /** Visits the rows after `mark`, oldest first, without making rows of them. */
  visit(mark: RowMark, visitor: RowVisitor): void {
    this.#calls.visit(mark.calls, ({ atMs, provider, kind, result, value }, at) => {
      const name = this.#providers.name(provider[at] as number);
      if (name === undefined) return;
      const word = callResults[result[at] as number] ?? "neutral";
      visitor.call(name, kind[at] as number, word, value[at] as number, atMs[at] as number);
    });
    this.#races.visit(mark.races, ({ atMs, provider, result }, at) => {
      const name = this.#providers.name(provider[at] as number);
      if (name === undefined) return;
      visitor.race(name, raceResults[result[at] as number] ?? "neutral", atMs[at] as number);
    });
  }

  /** Numbers of the oldest race row that is kept, and of the newest. */
  get raceNumbers(): { readonly first: number; readonly last: number } {
    return { first: this.#races.firstSeq, last: this.#races.lastSeq };
  }

  /** Drops the rows before `beforeMs`; returns how many went. */
  prune(beforeMs: number): { readonly raceRows: number; readonly callRows: number } {
    return { raceRows: this.#races.prune(beforeMs), callRows: this.#calls.prune(beforeMs) };
  }

  /** Rows dropped for want of room since the last call. */
  takeOverflow(): { readonly raceRows: number; readonly callRows: number } {
    return { raceRows: this.#races.takeOverflow(), callRows: this.#calls.takeOverflow() };
  }

  /** Rows and their bytes now. */
  stats(): { readonly raceRows: number; readonly callRows: number; readonly sizeBytes: number } {
    const sizeBytes = this.#races.sizeBytes + this.#calls.sizeBytes;
    return { raceRows: this.#races.size, callRows: this.#calls.size, sizeBytes };
  }

  /** The newest numbers: what `save` is told once a snapshot is on disk. */
  get mark(): RowMark {
    return { races: this.#races.lastSeq, calls: this.#calls.lastSeq };
  }

  /** Everything up to `mark` is on disk. */
  save(mark: RowMark): void {
    this.#saved = mark;
  }

  /** The rows for a snapshot at `nowMs`: all, or those that no snapshot has. */
  toSnapshot(
    nowMs: number,
    which: "all" | "unsaved",
  ): {
    readonly providers: readonly ProviderId[];
    readonly races: SnapshotRows;
    readonly calls: SnapshotRows;
  } {
    const after = which === "all" ? { races: 0, calls: 0 } : this.#saved;
    return {
      providers: [...this.#providers.names],
      races: rowsOf(this.#races, after.races, nowMs),
      calls: rowsOf(this.#calls, after.calls, nowMs),
    };
  }

  /**
   * Puts what snapshots hold (oldest first) before the rows that are here, without those before
   * `oldestMs`. `mark` is what the newest snapshot counted up to: numbers go on from there, and what
   * was here before counts as not saved.
   */
  restore(saved: readonly SavedRows[], oldestMs: number, mark: RowMark): void {
    const dictionaries = saved.map(({ providers }) => providers.map((name) => this.#code(name)));
    const read = (kind: "races" | "calls"): Omit<RowCodes, "seq">[] =>
      saved.flatMap((one, i) => {
        const kindOf = kind === "races" ? (code: number) => code : callKind(one.methods);
        return codesOf(one[kind], one.savedAtMs, oldestMs, dictionaries[i] ?? [], kindOf);
      });
    this.#saved = {
      races: prepend(this.#races, read("races"), mark.races),
      calls: prepend(this.#calls, read("calls"), mark.calls),
    };
    // What did not fit any more was saved and told of long ago.
    this.takeOverflow();
  }

  #raceRow(row: RowCodes): RaceRow {
    return {
      seq: row.seq,
      atMs: row.atMs,
      provider: this.#providers.name(row.provider) ?? "",
      event: raceEvents[row.kind] ?? "newHeads",
      result: raceResults[row.result] ?? "neutral",
      marginMs: row.value,
    };
  }

  #callRow(row: RowCodes): CallRow {
    return {
      seq: row.seq,
      atMs: row.atMs,
      provider: this.#providers.name(row.provider) ?? "",
      transport: row.kind >= WS_KIND ? "ws" : "http",
      method: this.#methodName(row.kind % WS_KIND),
      result: callResults[row.result] ?? "neutral",
      durationMs: row.value,
    };
  }

  /** Beyond 65,535 providers ever seen the raw rows lose the name, never the count. */
  #code(provider: ProviderId): number {
    const code = this.#providers.of(provider);
    return code < 0 ? MAX_PROVIDERS : code;
  }
}

const within =
  (fromMs: number, toMs: number) =>
  ({ atMs }: RowCodes): boolean =>
    atMs >= fromMs && atMs < toMs;

/** Columns as integers, so that text stays small and quick to write: ms ages, microseconds. */
const rowsOf = (table: RowTable, after: number, nowMs: number): SnapshotRows => ({
  agesMs: table.columns(after, ({ atMs }, i) =>
    Math.max(0, Math.round(nowMs - (atMs[i] ?? nowMs))),
  ),
  providers: table.columns(after, ({ provider }, i) => provider[i] ?? 0),
  kinds: table.columns(after, ({ kind }, i) => kind[i] ?? 0),
  results: table.columns(after, ({ result }, i) => result[i] ?? 0),
  valuesUs: table.columns(after, ({ value }, i) => Math.round((value[i] ?? 0) * 1_000)),
});

/** Where a saved call row's kind stands in this book. */
const callKind =
  (methods: readonly number[]) =>
  (kind: number): number => {
    const code = methods[kind % WS_KIND] ?? -1;
    return (code < 0 ? OTHER_METHODS : code) + (kind >= WS_KIND ? WS_KIND : 0);
  };

const codesOf = (
  saved: SnapshotRows,
  savedAtMs: number,
  oldestMs: number,
  providers: readonly number[],
  kindOf: (kind: number) => number,
): Omit<RowCodes, "seq">[] =>
  saved.agesMs.flatMap((ageMs, i) => {
    const atMs = savedAtMs - ageMs;
    if (atMs < oldestMs) return [];
    return {
      atMs,
      provider: providers[saved.providers[i] ?? -1] ?? MAX_PROVIDERS,
      kind: kindOf(saved.kinds[i] ?? 0),
      result: saved.results[i] ?? 0,
      value: (saved.valuesUs[i] ?? 0) / 1_000,
    };
  });

/** Puts rows before those that are here, numbered to end at `lastSeq`; returns where they do end. */
const prepend = (
  table: RowTable,
  old: readonly Omit<RowCodes, "seq">[],
  lastSeq: number,
): number => {
  const present = table.after(0, table.size, () => true);
  const first = Math.max(1, lastSeq - old.length + 1);
  table.replace([...old, ...present], first);
  return first + old.length - 1;
};
