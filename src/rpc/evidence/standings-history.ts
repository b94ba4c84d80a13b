/**
 * How the leaderboard stood at each snapshot of the last day, so that a trend can be seen without
 * reading a file.
 */
import type { ProviderId, Transport } from "../ids.ts";
import type { CallSummary, RaceSummary } from "../selection/snapshot.ts";

/** One provider's place at one moment, by races and by calls. */
export interface Standing {
  readonly provider: ProviderId;
  readonly raceScore: number;
  /** Null while it never raced. */
  readonly paceScore: number | null;
  readonly wins: number;
  readonly races: number;
  readonly winRate: number;
  readonly missRate: number;
  readonly avgMarginMs: number;
  /** Null while it never answered a call; of the transport with more calls. */
  readonly reliabilityLb: number | null;
  readonly p50Ms: number | null;
}

/** The leaderboard of one moment, best first. */
export interface StandingsPoint {
  /** Wall clock, ms since 1970. */
  readonly wallMs: number;
  readonly standings: readonly Standing[];
}

/** Age after which a point is dropped, ms. */
const RETENTION_MS = 86_400_000;
/** Points kept: an hour apart there are 24; a shorter snapshot interval keeps the newest. */
const MAX_POINTS = 300;
/** Places of one point: the best of a chain with more providers. */
const MAX_STANDINGS = 100;

/** What a standing is made from; the chain's evidence fits. */
interface Evidence {
  leaderboard(nowMs: number): readonly (RaceSummary & { readonly provider: ProviderId })[];
  call(
    provider: ProviderId,
    transport: Transport,
    method: undefined,
    nowMs: number,
  ): CallSummary | undefined;
}

/** The leaderboard now. */
export const standingsOf = (evidence: Evidence, nowMs: number): readonly Standing[] =>
  evidence
    .leaderboard(nowMs)
    .slice(0, MAX_STANDINGS)
    .map((place) => {
      const { provider, raceScore, paceScore = null, wins, races } = place;
      const { winRate, missRate, avgMarginMs } = place;
      const http = evidence.call(provider, "http", undefined, nowMs);
      const ws = evidence.call(provider, "ws", undefined, nowMs);
      const calls = (ws?.n ?? 0) > (http?.n ?? 0) ? ws : http;
      return {
        provider,
        raceScore,
        paceScore,
        wins,
        races,
        winRate,
        missRate,
        avgMarginMs,
        reliabilityLb: calls?.reliabilityLb ?? null,
        p50Ms: calls?.p50Ms ?? null,
      };
    });

/** The points of one chain, oldest first. */
export class StandingsHistory {
  #points: StandingsPoint[] = [];

  /** Adds a point; those out of age and beyond the limit go. */
  add({ wallMs: atMs, standings }: StandingsPoint): void {
    const oldestMs = atMs - RETENTION_MS;
    const kept = this.#points.filter(({ wallMs }) => wallMs > oldestMs && wallMs !== atMs);
    kept.push({ wallMs: atMs, standings });
    kept.sort((a, b) => a.wallMs - b.wallMs);
    this.#points = kept.slice(-MAX_POINTS);
  }

  /** The newest `limit` points with `fromMs <= wall <= toMs`, oldest first. */
  range(fromMs: number, toMs: number, limit: number): readonly StandingsPoint[] {
    return this.#points
      .filter(({ wallMs }) => wallMs >= fromMs && wallMs <= toMs)
      .slice(-Math.max(1, limit));
  }
}
