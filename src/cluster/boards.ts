/** Leaderboards as regions share them: one row per chain, subject and provider, four rounded figures. */
import type { SharedRow } from "./protocol.ts";

/** Score, weight, ratio, ms: see `SharedRow`. */
export type Figures = readonly [score: number, weight: number, ratio: number, ms: number];

/** Where a row stands. */
export interface RowPlace {
  readonly chain: string;
  readonly subject: string;
  readonly provider: string;
}

/** What races on one stream have shown, as an evidence book has it. */
export interface RaceFigures {
  readonly provider: string;
  readonly event: string;
  readonly paceScore: number | undefined;
  readonly weight: number;
  readonly winRate: number;
  readonly avgMarginMs: number;
}

/** What calls of one method have shown. */
export interface CallFigures {
  readonly provider: string;
  readonly method: string;
  readonly n: number;
  readonly reliabilityLb: number;
  readonly p50Ms: number | undefined;
}

const SEPARATOR = "\t";

/** The key of a row. */
export const rowKey = ({ chain, subject, provider }: RowPlace): string =>
  [chain, subject, provider].join(SEPARATOR);

/** What a key says; undefined for one that no region of this version makes. */
export const placeOf = (key: string): RowPlace | undefined => {
  const [chain, subject, provider, rest] = key.split(SEPARATOR);
  const isWhole = chain !== undefined && subject !== undefined && provider !== undefined;
  return isWhole && rest === undefined ? { chain, subject, provider } : undefined;
};

/** Checks the figures of another region. */
export const readFigures = (value: unknown): Figures | undefined => {
  if (!Array.isArray(value) || value.length !== 4) return undefined;
  const [score, weight, ratio, ms] = value as readonly unknown[];
  const isRead = isShare(score) && isAmount(weight) && isShare(ratio) && isAmount(ms);
  return isRead ? [score, weight, ratio, ms] : undefined;
};

/** The rows of one chain's races. */
export const raceRows = (
  chain: string,
  races: readonly RaceFigures[],
): readonly (readonly [RowPlace, Figures])[] =>
  races
    .filter(({ paceScore }) => paceScore !== undefined)
    .map(({ provider, event, paceScore = 0, weight, winRate, avgMarginMs }) => [
      { chain, subject: event, provider },
      [round(paceScore, 3), round(weight, 0), round(winRate, 3), round(avgMarginMs, 1)],
    ]);

/** The rows of one chain's calls, by family of methods; means are weighted by calls. */
export const callRows = (
  chain: string,
  calls: readonly CallFigures[],
  familyOf: (method: string) => string,
): readonly (readonly [RowPlace, Figures])[] => {
  const sums = new Map<string, { place: RowPlace; n: number; reliable: number; ms: number }>();
  for (const { provider, method, n, reliabilityLb, p50Ms = 0 } of calls) {
    const place = { chain, subject: `calls:${familyOf(method)}`, provider };
    const key = rowKey(place);
    const sum = sums.get(key) ?? { place, n: 0, reliable: 0, ms: 0 };
    sum.n += n;
    sum.reliable += n * reliabilityLb;
    sum.ms += n * p50Ms;
    sums.set(key, sum);
  }
  return [...sums.values()]
    .filter(({ n }) => n > 0)
    .map(({ place, n, reliable, ms }) => {
      const ratio = round(reliable / n, 3);
      return [place, [ratio, round(n, 0), ratio, round(ms / n, 1)]];
    });
};

/** A row as it is shown. */
export const sharedRow = (
  { subject, provider }: RowPlace,
  [score, weight, ratio, ms]: Figures,
): SharedRow => ({ provider, subject, score, weight, ratio, ms });

const round = (value: number, digits: number): number =>
  Number.isFinite(value) ? Number(value.toFixed(digits)) : 0;

const isAmount = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value) && value >= 0;

const isShare = (value: unknown): value is number => isAmount(value) && value <= 1;
