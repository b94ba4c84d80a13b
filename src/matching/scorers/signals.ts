/** Scores by one column. What is unknown has a quarter, unless said otherwise: never the best, never shut out. */
import { AS_IS, FALLING, REST, readingOf } from "../index/term.ts";
import type { Scorer } from "./scorer.ts";

/** The score of a value that is not known. */
const UNKNOWN = 0.25;

/** How a value becomes a score: as it is, one less it, or `1 / (1 + value / half)`. */
export type Curve =
  | { readonly shape: "asIs" }
  | { readonly shape: "rest" }
  | { readonly shape: "falling"; readonly half: number };

/** A scorer of a column. */
export const columnScorer = (
  name: string,
  description: string,
  columnName: string,
  curve: Curve,
  unknown = UNKNOWN,
): Scorer => ({
  name,
  description,
  bind: (index) => {
    const column = index.columns.get(columnName);
    if (column === undefined) return { kind: "static", constant: unknown, score: () => unknown };
    const half = curve.shape === "falling" ? curve.half : 1;
    const reading = { code: CODES[curve.shape], column, half, unknown };
    const kind = column.isFact ? "static" : "signal";
    const score = (row: number): number => readingOf(reading, column.values[row] as number);
    return { kind, column: columnName, reading, score };
  },
});

const CODES = { asIs: AS_IS, rest: REST, falling: FALLING } as const;

/** Latency at which the score is a half, ms. */
const HALF_LATENCY_MS = 100;
const HALF_PRIORITY = 100;

/** `latency`: from the column `latencyMs`, a half at 100 ms. */
export const latencyScorer = columnScorer("latency", "A half at 100 ms, falling", "latencyMs", {
  shape: "falling",
  half: HALF_LATENCY_MS,
});

/** `reliability`: the column itself, a share of successes. */
export const reliabilityScorer = columnScorer("reliability", "Share of successes", "reliability", {
  shape: "asIs",
});

/** `race`: how a provider does in races against the others, already 0..1. */
export const raceScorer = columnScorer("race", "Score of the races", "race", { shape: "asIs" });

/** `freshness`: from the column `lagBlocks`, a half when one behind. */
export const freshnessScorer = columnScorer(
  "freshness",
  "1 at the head, a half one block behind",
  "lagBlocks",
  { shape: "falling", half: 1 },
);

/** `load`: what is left of a provider, from its load 0..1. */
export const loadScorer = columnScorer("load", "1 less the load", "load", { shape: "rest" });

/** `priority`: from the column `priority`; a smaller number is better. */
export const priorityScorer = columnScorer("priority", "Smaller numbers first", "priority", {
  shape: "falling",
  half: HALF_PRIORITY,
});

/** `price`: a half at the median price of the market, which its owner knows; above 0. */
export const priceScorer = (medianPrice: number): Scorer =>
  columnScorer("price", "A half at the median price, falling", "price", {
    shape: "falling",
    half: medianPrice,
  });
