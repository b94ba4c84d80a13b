/** What the operator's pages and commands read of a chain's evidence; its books fit by structure. */

/** Streams on which providers race. */
export const STREAMS = ["newHeads", "logs", "newPendingTransactions"] as const;

/** How a race ended for one provider. */
export const RESULTS = ["win", "loss", "missed", "neutral", "absent"] as const;

type Stream = (typeof STREAMS)[number];
type Result = (typeof RESULTS)[number];

/** What races on one stream have shown of one provider. */
export interface RaceFigures {
  readonly provider: string;
  readonly event: Stream;
  readonly raceScore: number;
  readonly paceScore: number | undefined;
  readonly weight: number;
  readonly wins: number;
  readonly losses: number;
  readonly misses: number;
  readonly races: number;
  readonly winRate: number;
  readonly missRate: number;
  readonly avgMarginMs: number;
  readonly absences: number;
  readonly availability: number | undefined;
  readonly misbehaviour: number;
}

/** What calls of one method over one transport have shown of one provider. */
export interface CallFigures {
  readonly provider: string;
  readonly transport: "http" | "ws";
  readonly method: string;
  readonly n: number;
  readonly reliabilityLb: number;
  readonly failureRatio: number;
  readonly timeoutRatio: number;
  readonly capacity: number;
  readonly samples: number;
  readonly meanMs: number | undefined;
  readonly p50Ms: number | undefined;
  readonly q95Ms: number | undefined;
  readonly q99Ms: number | undefined;
}

/** One provider's result of one race. */
export interface RaceRowView {
  readonly seq: number;
  /** Monotonic ms. */
  readonly atMs: number;
  readonly provider: string;
  readonly event: Stream;
  readonly result: Result;
  readonly marginMs: number;
}

/** Which rows: the oldest `limit` after a number, or the newest. */
export interface RowsWanted {
  readonly after?: number | undefined;
  readonly limit: number;
  /** Monotonic ms. */
  readonly sinceMs?: number | undefined;
  readonly provider?: string | undefined;
  readonly event?: Stream | undefined;
  readonly result?: Result | undefined;
}

/** The leaderboard at one moment. */
export interface HistoryPoint {
  /** Ms since 1970. */
  readonly wallMs: number;
  readonly standings: readonly {
    readonly provider: string;
    readonly raceScore: number;
    readonly paceScore: number | null;
    readonly wins: number;
    readonly races: number;
    readonly winRate: number;
    readonly missRate: number;
    readonly avgMarginMs: number;
    readonly reliabilityLb: number | null;
    readonly p50Ms: number | null;
  }[];
}

/** The evidence of one chain. */
export interface ChainEvidence {
  raceMatrix(nowMs: number): readonly RaceFigures[];
  callMatrix(nowMs: number): readonly CallFigures[];
  raceRowsAfter(wanted: RowsWanted): readonly RaceRowView[];
  /** Numbers of the oldest row that is kept, and of the newest. */
  readonly raceNumbers: { readonly first: number; readonly last: number };
  readonly history: {
    range(fromMs: number, toMs: number, limit: number): readonly HistoryPoint[];
  };
}

/** Finds the evidence of a running chain by its name. */
export type EvidencePort = (chain: string) => ChainEvidence | undefined;
