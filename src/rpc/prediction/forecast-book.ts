/**
 * What is foreseen of a chain's providers: read once a second from what is recorded anyway.
 *
 * The provider pool looks, off the request path; routing reads the result into its snapshot. Kept in
 * the chain's record, so that a restart of the pool forgets nothing. About 10 KB a provider.
 */
import type { PredictionConfig } from "../../../config/schema.ts";
import type { EndpointRow } from "../chain-view.ts";
import type { EvidenceBook } from "../evidence/evidence-book.ts";
import type { RowMark } from "../evidence/raw-rows.ts";
import type { ProviderId } from "../ids.ts";
import { nextAlarm, noAlarm, type Alarm } from "./alarm.ts";
import { foresee, noForecast, type Forecast } from "./foresee.ts";
import { ProviderTrends, type Limits } from "./provider-trends.ts";
import { reasonOf } from "./reason.ts";

/** What is foreseen of a provider, and whether it is set back for it. */
export interface ProviderForecast extends Forecast {
  readonly isDemoted: boolean;
}

/** What a look needs of the chain's record. */
export interface ForecastSource {
  readonly config: {
    readonly prediction: PredictionConfig;
    readonly selection: { readonly maxLagBlocks: number };
    readonly providers: readonly { readonly id: ProviderId }[];
  };
  readonly evidence: EvidenceBook;
  readonly snapshot:
    | {
        readonly blockTimeMs: number;
        readonly endpoints: readonly {
          readonly provider: ProviderId;
          readonly lag: number | undefined;
        }[];
      }
    | undefined;
  rows(provider: ProviderId): { readonly ws: EndpointRow };
  /** The live channel of a row; another object is another connection. */
  upstream(row: EndpointRow): object | undefined;
}

/** Something that has changed for a provider. */
export interface ForecastChange {
  readonly provider: ProviderId;
  /** `likely`: not set back yet, but others had better be ready. */
  readonly step: "likely" | "predicted" | "cleared";
  readonly probability: number;
  readonly reason: string;
}

/** Time between two looks, ms. */
const LOOK_MS = 1_000;
/** Others are made ready from this share of `demote_at` on. */
const LIKELY_SHARE = 0.6;
/** A race is settled a while after it was run; older rows are a restored snapshot's, ms. */
const OLDEST_ROW_MS = 60_000;

interface Watched {
  readonly trends: ProviderTrends;
  alarm: Alarm;
  forecast: ProviderForecast;
  isLikely: boolean;
  socket: object | undefined;
  wasSuspect: boolean;
}

const unseen: ProviderForecast = { ...noForecast, isDemoted: false };

/** The forecasts of one chain. */
export class ForecastBook {
  readonly #watched = new Map<ProviderId, Watched>();
  #evidence: EvidenceBook | undefined;
  #mark: RowMark = { calls: 0, races: 0 };
  #lookedMs = Number.NEGATIVE_INFINITY;

  /** What is foreseen of a provider; undefined while nothing is known of it, or nobody looks. */
  of(provider: ProviderId): ProviderForecast | undefined {
    return this.#watched.get(provider)?.forecast;
  }

  /** Forgets a provider that left the chain. */
  forget(provider: ProviderId): void {
    this.#watched.delete(provider);
  }

  /** Looks, at most once a second; tells what has changed. */
  look(source: ForecastSource, nowMs: number): readonly ForecastChange[] {
    const { prediction, providers } = source.config;
    if (!prediction.enabled) return this.#switchOff();
    if (nowMs - this.#lookedMs < LOOK_MS) return [];
    this.#lookedMs = nowMs;
    this.#read(source.evidence, nowMs);
    const limits = limitsOf(source);
    return providers.flatMap(({ id }) => this.#lookAt(source, id, limits, nowMs));
  }

  #lookAt(
    source: ForecastSource,
    provider: ProviderId,
    limits: Limits,
    nowMs: number,
  ): readonly ForecastChange[] {
    const watched = this.#watch(provider);
    const { trends, alarm, isLikely } = watched;
    const { snapshot, config } = source;
    const view = snapshot?.endpoints.find((endpoint) => endpoint.provider === provider);
    this.#lookAtSocket(source, provider, watched, nowMs);
    trends.look(nowMs, view?.lag, snapshot?.blockTimeMs ?? 0);
    const { prediction } = config;
    const forecast = foresee(trends.signals(nowMs, limits), prediction.horizonMs);
    const { probability, components } = forecast;
    watched.alarm = nextAlarm(alarm, probability, prediction, nowMs);
    watched.forecast = { ...forecast, isDemoted: watched.alarm.isRaised };
    watched.isLikely = probability >= prediction.demoteAt * LIKELY_SHARE;
    const strongest = components[0];
    const reason = strongest === undefined ? "nothing is measured any more" : reasonOf(strongest);
    const told = (step: ForecastChange["step"]) => [{ provider, step, probability, reason }];
    if (watched.alarm.isRaised !== alarm.isRaised) {
      return told(watched.alarm.isRaised ? "predicted" : "cleared");
    }
    return watched.isLikely && !isLikely && !alarm.isRaised ? told("likely") : [];
  }

  /** Another connection, or one that was found dead, is a lost one. */
  #lookAtSocket(
    source: ForecastSource,
    provider: ProviderId,
    watched: Watched,
    nowMs: number,
  ): void {
    const { ws } = source.rows(provider);
    const socket = source.upstream(ws);
    const isLost = watched.socket !== undefined && socket !== watched.socket;
    if (isLost || (ws.suspect && !watched.wasSuspect)) watched.trends.drop(nowMs);
    watched.socket = socket;
    watched.wasSuspect = ws.suspect;
  }

  #read(evidence: EvidenceBook, nowMs: number): void {
    const mark = evidence.rowMark;
    const isRenumbered = mark.calls < this.#mark.calls || mark.races < this.#mark.races;
    // The first look, and the first at another book, begin with what comes from now on.
    if (evidence !== this.#evidence || isRenumbered) this.#mark = mark;
    this.#evidence = evidence;
    const fromMs = nowMs - OLDEST_ROW_MS;
    evidence.visitRows(this.#mark, {
      call: (provider, kind, result, durationMs, atMs) => {
        if (atMs >= fromMs) this.#watched.get(provider)?.trends.call(kind, result, durationMs);
      },
      race: (provider, result, atMs) => {
        // Who was not connected has lost its socket, and that is counted already.
        if (result === "neutral" || result === "absent" || atMs < fromMs) return;
        this.#watched.get(provider)?.trends.race(result === "missed");
      },
    });
    this.#mark = mark;
  }

  #watch(provider: ProviderId): Watched {
    const known = this.#watched.get(provider);
    if (known !== undefined) return known;
    const made: Watched = {
      trends: new ProviderTrends(),
      alarm: noAlarm,
      forecast: unseen,
      isLikely: false,
      socket: undefined,
      wasSuspect: false,
    };
    this.#watched.set(provider, made);
    return made;
  }

  /** Forgets everything; whoever was set back is taken back. */
  #switchOff(): readonly ForecastChange[] {
    if (this.#watched.size === 0) return [];
    const back = [...this.#watched].filter(([, { alarm }]) => alarm.isRaised);
    this.#watched.clear();
    this.#evidence = undefined;
    return back.map(([provider]) => ({
      provider,
      step: "cleared",
      probability: 0,
      reason: "prediction was switched off",
    }));
  }
}

const limitsOf = ({ config: { prediction, selection } }: ForecastSource): Limits => ({
  ...prediction.limits,
  // One more than is allowed.
  lagBlocks: selection.maxLagBlocks + 1,
});
