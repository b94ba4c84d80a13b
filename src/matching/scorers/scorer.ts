/**
 * A scorer says how well a provider serves a demand, 0..1. One that throws or returns NaN gives 0 and
 * keeps its weight: failing must not help. It is marked in the explanation and stops nothing.
 */
import { thrownText } from "../../lib/thrown-text.ts";
import type { CanonicalDemand } from "../canonical.ts";
import type { ProviderIndex } from "../index/provider-index.ts";
import type { Reading } from "../index/term.ts";

/** What a scorer reads: only facts and signals of the row, or the demand as well. */
export type ScorerKind = "static" | "signal" | "demand";

/** A scorer bound to a demand and a market. */
export interface BoundScorer {
  readonly kind: ScorerKind;
  /** The score of every survivor, when it is the same for all of them. */
  readonly constant?: number;
  /** The most it gives any row, 1 by default. */
  readonly most?: number;
  /** The column it reads, for `static` and `signal`. */
  readonly column?: string;
  /** The score of a stake, for a scorer that never gives a larger stake less. */
  readonly ofStake?: (stake: number) => number;
  /** How a column becomes the score, where that is all there is to it. */
  readonly reading?: Reading;
  readonly score: (row: number) => number;
}

/** A named way to score. */
export interface Scorer {
  readonly name: string;
  readonly description: string;
  readonly bind: (index: ProviderIndex, demand: CanonicalDemand) => BoundScorer;
}

/** Binds a scorer. One that cannot be bound fails for every row; nonsense that it claims is not believed. */
export function bindSafely(
  scorer: Scorer,
  index: ProviderIndex,
  demand: CanonicalDemand,
): BoundScorer {
  try {
    return believed(scorer.bind(index, demand));
  } catch (error) {
    // Of kind "demand": no order and no board may be made of it.
    const score = (): never => {
      throw error;
    };
    return { kind: "demand", constant: 0, score };
  }
}

function believed(bound: BoundScorer): BoundScorer {
  const { kind, constant, most, score } = bound;
  if (typeof score !== "function") throw new TypeError("bound to what is no function");
  if (constant !== undefined && !isNumber(constant))
    throw new TypeError("bound to what is no number");
  const isSound =
    isShare(constant) &&
    isShare(most) &&
    (kind === "static" || kind === "signal" || kind === "demand");
  if (isSound) return bound;
  return {
    ...bound,
    kind: kind === "static" || kind === "signal" ? kind : "demand",
    ...(constant === undefined ? {} : { constant: clamped(constant) }),
    most: isNumber(most) ? clamped(most) : 1,
  };
}

const isNumber = (value: unknown): value is number =>
  typeof value === "number" && !Number.isNaN(value);
const isShare = (value: number | undefined): boolean =>
  value === undefined || (value >= 0 && value <= 1);
const clamped = (value: number): number => Math.max(0, Math.min(1, value));

/** The score within 0..1, or NaN when the scorer failed. */
export const safeScore = (scorer: BoundScorer, row: number): number => {
  try {
    const score = scorer.score(row);
    if (typeof score !== "number") return Number.NaN;
    return score > 1 ? 1 : score < 0 ? 0 : score;
  } catch {
    return Number.NaN;
  }
};

/** Why a scorer failed for a row. */
export const failureOf = (scorer: BoundScorer, row: number): string => {
  try {
    return `returned ${scorer.score(row)}`;
  } catch (error) {
    return thrownText(error);
  }
};

/** A number that tells one scorer object from another, however they are named. */
export const serialOf = (scorer: Scorer): number => {
  const known = serials.get(scorer);
  if (known !== undefined) return known;
  serials.set(scorer, ++lastSerial);
  return lastSerial;
};

const serials = new WeakMap<Scorer, number>();
let lastSerial = 0;
