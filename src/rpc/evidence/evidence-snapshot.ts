/** The JSON form of a chain's evidence and its checks: what comes from a file is not trusted. */
import type { ChainName, ProviderId, Transport } from "../ids.ts";
import type { RaceEvent } from "../race/settled-race.ts";
import type { Caught } from "./misbehaviour.ts";
import type { Standing } from "./standings-history.ts";

/** Raw rows by column, oldest first; all columns are equally long. */
export interface SnapshotRows {
  /** Age of the row at the snapshot's `wallMs`. */
  readonly agesMs: readonly number[];
  /** Positions in the snapshot's `providers`. */
  readonly providers: readonly number[];
  /** Race: 0 newHeads, 1 logs, 2 pending. Call: position in `methods`, 64 others, + 128 for ws. */
  readonly kinds: readonly number[];
  /** Race: 0 win, 1 loss, 2 missed, 3 neutral, 4 absent. Call: 0 ok, 1 failure, 2 timeout, 3 capacity, 4 neutral. */
  readonly results: readonly number[];
  /** Margin or duration, microseconds. */
  readonly valuesUs: readonly number[];
}

/** Decayed counts and recent latencies of one provider x transport x method. */
export interface SnapshotCallCell {
  readonly provider: ProviderId;
  readonly transport: Transport;
  /** Null: all methods together. */
  readonly method: string | null;
  readonly ok: number;
  readonly failure: number;
  readonly timeout: number;
  readonly capacity: number;
  readonly timeoutLimitMs: number;
  readonly sketch: readonly (readonly [number, number])[];
}

/** Standing of one provider on one stream. */
export interface SnapshotRaceCell {
  readonly provider: ProviderId;
  readonly event: RaceEvent;
  readonly credit: number;
  readonly weight: number;
  readonly wins: number;
  readonly losses: number;
  readonly misses: number;
  readonly marginSumMs: number;
  readonly misbehaviour: number;
  readonly absences: number;
  /** Decayed number of them. */
  readonly away: number;
}

/**
 * One chain's evidence as plain data. Scores are of the moment; rows are those since the snapshot
 * before, so that an hour is on disk once and not in each of the next day's files.
 */
export interface EvidenceSnapshot {
  readonly format: "paceline-evidence";
  readonly version: 2;
  readonly chain: ChainName;
  /** Wall clock at which it was taken, ms since 1970. */
  readonly wallMs: number;
  readonly providers: readonly ProviderId[];
  readonly methods: readonly string[];
  readonly races: SnapshotRows;
  readonly calls: SnapshotRows;
  /** Numbers of the newest rows. */
  readonly lastRows: { readonly races: number; readonly calls: number };
  /** The leaderboard of the moment, best first. */
  readonly standings: readonly Standing[];
  readonly misbehaviour: readonly Caught[];
  readonly callCells: readonly SnapshotCallCell[];
  readonly raceCells: readonly SnapshotRaceCell[];
}

/** Why a snapshot was refused. */
export interface RestoreFault {
  readonly ok: false;
  readonly code: "EVIDENCE_FORMAT" | "EVIDENCE_VERSION" | "EVIDENCE_CHAIN";
  readonly message: string;
}

/** There was no document at all. */
export const noSnapshot: RestoreFault = {
  ok: false,
  code: "EVIDENCE_FORMAT",
  message: "no evidence snapshot",
};

/** Checks snapshots in full before anything of them is used. */
export const parseAll = (
  documents: readonly unknown[],
  chain: ChainName,
): {
  readonly snapshots: readonly EvidenceSnapshot[];
  readonly refused: readonly RestoreFault[];
} => {
  const snapshots: EvidenceSnapshot[] = [];
  const refused: RestoreFault[] = [];
  for (const document of documents) {
    const parsed = parse(document, chain);
    if (parsed.ok) snapshots.push(parsed.snapshot);
    else refused.push(parsed);
  }
  return { snapshots, refused };
};

const parse = (
  data: unknown,
  chain: ChainName,
): { readonly ok: true; readonly snapshot: EvidenceSnapshot } | RestoreFault => {
  if (!isRecord(data) || data["format"] !== "paceline-evidence") {
    return fault("EVIDENCE_FORMAT", "not an evidence snapshot");
  }
  if (data["version"] !== 2) {
    return fault("EVIDENCE_VERSION", `evidence version ${String(data["version"])}, expected 2`);
  }
  if (data["chain"] !== chain) {
    return fault("EVIDENCE_CHAIN", `evidence of ${String(data["chain"])}, expected ${chain}`);
  }
  const broken = firstBroken(data);
  if (broken !== undefined) return fault("EVIDENCE_FORMAT", `evidence snapshot: bad ${broken}`);
  return { ok: true, snapshot: data as unknown as EvidenceSnapshot };
};

const fault = (code: RestoreFault["code"], message: string): RestoreFault => ({
  ok: false,
  code,
  message,
});

type Check = (value: unknown) => boolean;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isCount: Check = (value) => typeof value === "number" && Number.isFinite(value) && value >= 0;
const isCountOrNull: Check = (value) => value === null || isCount(value);
const isString: Check = (value) => typeof value === "string";
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const isOneOf =
  (...allowed: readonly unknown[]): Check =>
  (value) =>
    allowed.includes(value);
const hasFields =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isRecord(value) && Object.entries(fields).every(([name, check]) => check(value[name]));

const columnNames = ["agesMs", "providers", "kinds", "results", "valuesUs"] as const;

const isRows: Check = (value) => {
  if (!isRecord(value)) return false;
  const columns = columnNames.map((name) => value[name]);
  if (!columns.every(isListOf(isCount))) return false;
  return new Set(columns.map((column) => (column as unknown[]).length)).size === 1;
};

const isPair: Check = (value) => isListOf(isCount)(value) && (value as unknown[]).length === 2;

const fields: Readonly<Record<string, Check>> = {
  wallMs: isCount,
  providers: isListOf(isString),
  methods: isListOf(isString),
  races: isRows,
  calls: isRows,
  callCells: isListOf(
    hasFields({
      provider: isString,
      transport: isOneOf("http", "ws"),
      method: (value) => value === null || isString(value),
      ok: isCount,
      failure: isCount,
      timeout: isCount,
      capacity: isCount,
      timeoutLimitMs: isCount,
      sketch: isListOf(isPair),
    }),
  ),
  raceCells: isListOf(
    hasFields({
      provider: isString,
      event: isOneOf("newHeads", "logs", "newPendingTransactions"),
      credit: isCount,
      weight: isCount,
      wins: isCount,
      losses: isCount,
      misses: isCount,
      marginSumMs: isCount,
      misbehaviour: isCount,
      absences: isCount,
      away: isCount,
    }),
  ),
  misbehaviour: isListOf(hasFields({ provider: isString, weight: isCount, count: isCount })),
  lastRows: hasFields({ races: isCount, calls: isCount }),
  standings: isListOf(
    hasFields({
      provider: isString,
      raceScore: isCount,
      paceScore: isCountOrNull,
      wins: isCount,
      races: isCount,
      winRate: isCount,
      missRate: isCount,
      avgMarginMs: isCount,
      reliabilityLb: isCountOrNull,
      p50Ms: isCountOrNull,
    }),
  ),
};

const firstBroken = (data: Record<string, unknown>): string | undefined =>
  Object.entries(fields).find(([name, check]) => !check(data[name]))?.[0];
