/**
 * One weighted scorer as the inner loops read it: all of one shape, columns read in place, so that a
 * term costs a few nanoseconds.
 */
import { Column } from "./columns.ts";
import { OWN_MEMORY } from "./memory.ts";

/** How a term gets its score. */
export const CONSTANT = 0;
/** A column as it is, one less it, or `1 / (1 + value / half)`. */
export const AS_IS = 1;
export const REST = 2;
export const FALLING = 3;
/** By calling the scorer. */
export const CALL = 4;

/** A column and how its values become scores. */
export interface Reading {
  readonly code: typeof AS_IS | typeof REST | typeof FALLING;
  readonly column: Column;
  readonly half: number;
  /** The score of an unknown value. */
  readonly unknown: number;
}

/** A weighted scorer. */
export class Term {
  readonly weight: number;
  readonly code: number;
  /** The constant score, when there is one. */
  readonly constant: number;
  readonly column: Column;
  readonly half: number;
  readonly unknown: number;
  readonly call: (row: number) => number;

  constructor(
    weight: number,
    call: (row: number) => number,
    constant: number | undefined,
    reading: Reading | undefined,
  ) {
    this.weight = weight;
    this.call = call;
    this.constant = constant ?? 0;
    this.code = constant === undefined ? (reading?.code ?? CALL) : CONSTANT;
    this.column = reading?.column ?? NO_COLUMN;
    this.half = reading?.half ?? 1;
    this.unknown = reading?.unknown ?? 0;
  }
}

/** The same scorer with another weight. */
export const weighing = (term: Term, weight: number): Term => {
  const { code, column, half, unknown, call, constant } = term;
  const reading =
    code === AS_IS || code === REST || code === FALLING
      ? { code, column, half, unknown }
      : undefined;
  return new Term(
    weight,
    call,
    code === CONSTANT ? constant : undefined,
    reading as Reading | undefined,
  );
};

/** The weighted sum of a row, in the order of the terms. A score that is no number counts 0. */
export function sumOfTerms(terms: readonly Term[], row: number): number {
  let sum = 0;
  for (let i = 0; i < terms.length; i++) {
    const term = terms[i] as Term;
    const score = scoreOf(term, row);
    if (score >= 1) sum += term.weight;
    else if (score > 0) sum += term.weight * score;
  }
  return sum;
}

/**
 * The same, or something below `need` as soon as the sum cannot come to it: `after` has the most that the
 * terms after each may add.
 */
export function sumReaching(
  terms: readonly Term[],
  after: readonly number[],
  row: number,
  need: number,
): number {
  let sum = 0;
  for (let i = 0; i < terms.length; i++) {
    const term = terms[i] as Term;
    const score = scoreOf(term, row);
    if (score >= 1) sum += term.weight;
    else if (score > 0) sum += term.weight * score;
    if (sum + (after[i] as number) < need) return Number.NEGATIVE_INFINITY;
  }
  return sum;
}

/** The score of a value of a column. */
export function readingOf(
  {
    code,
    half,
    unknown,
  }: { readonly code: number; readonly half: number; readonly unknown: number },
  value: number,
): number {
  if (Number.isNaN(value)) return unknown;
  if (code === AS_IS) return value;
  return code === REST ? 1 - value : 1 / (1 + value / half);
}

function scoreOf(term: Term, row: number): number {
  if (term.code === CONSTANT) return term.constant;
  if (term.code === CALL) return attempt(term, row);
  return readingOf(term, term.column.values[row] as number);
}

function attempt(term: Term, row: number): number {
  try {
    const score = term.call(row);
    return typeof score === "number" ? score : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

const NO_COLUMN = new Column("", false, OWN_MEMORY, 0);
