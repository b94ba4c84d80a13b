/** A share of a score that a row has for any demand: what static orders and score boards are made of. */
import { type Scorer, serialOf } from "../scorers/scorer.ts";
import type { Term } from "./term.ts";

/** One weighted scorer that does not read the demand. */
export interface Part {
  readonly scorer: Scorer;
  /** Equal for equal scorers: with the weight it names the orders and boards that can be shared. */
  readonly key: string;
  /** The column it reads, if it reads one. */
  readonly column: string | undefined;
  readonly isSignal: boolean;
  /** The score of a stake, for a scorer that never gives a larger stake less. */
  readonly ofStake: ((stake: number) => number) | undefined;
  readonly term: Term;
}

/** What tells one scorer from another, whatever they are called. */
export const partKeyOf = (scorer: Scorer): string => `${scorer.name}#${serialOf(scorer)}`;

/** What the sums of some parts are made of. */
export const termsOf = (parts: readonly Part[]): Term[] => parts.map(({ term }) => term);

/** What tells one list of parts from another. */
export const keyOfParts = (parts: readonly Part[]): string =>
  parts.map(({ key, term }) => `${key}*${term.weight}`).join("+");
