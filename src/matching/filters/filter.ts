/**
 * A filter says who cannot serve a demand. It compiles to clauses over bitsets, a test of a row, or
 * both; both must let a row pass. A refusal is permanent, or transient: it may end by itself.
 */
import type { CanonicalDemand } from "../canonical.ts";
import type { ProviderIndex } from "../index/provider-index.ts";

/** Rows that have one of the labels, or with `isNegated` none of them. */
export interface Clause {
  /** Bitsets that are or-ed; without any the clause holds for nobody. */
  readonly slots: readonly number[];
  readonly isNegated: boolean;
}

/** A filter compiled for one demand and one market. */
export interface BoundFilter {
  readonly name: string;
  readonly isTransient: boolean;
  readonly clauses: readonly Clause[];
  readonly test?: (row: number) => boolean;
  /** The only rows that pass the test, where they are few and known: nobody else is looked at. */
  readonly listed?: readonly number[];
  /** What is needed, and what a row has, for people. */
  readonly need: string;
  readonly have: (row: number) => string;
  /** The numbers behind a refusal of a row, where the filter tells them. */
  readonly found?: (row: number) => Found | undefined;
}

/** What a filter from outside found where it refuses, in its own units. */
export interface Found {
  readonly value: number | string | undefined;
  readonly limit: number | undefined;
}

/** How a demand becomes a filter; `undefined` when it asks nothing of the kind. */
export type FilterRule = (
  demand: CanonicalDemand,
  index: ProviderIndex,
) => BoundFilter | readonly BoundFilter[] | undefined;

/** A filter from outside the kernel, named in `require.custom`. */
export interface CustomFilter {
  readonly name: string;
  readonly isTransient: boolean;
  /** Whether a row may serve; a throw refuses it. */
  readonly test: (row: number, index: ProviderIndex, demand: CanonicalDemand) => boolean;
  /** The numbers behind the refusal of a row, for whoever asks why. */
  readonly found?: (row: number) => Found | undefined;
}

/** Whether a row passes a filter as a whole. */
export function passes(filter: BoundFilter, row: number, index: ProviderIndex): boolean {
  const { clauses, test } = filter;
  for (let i = 0; i < clauses.length; i++) {
    const { slots, isNegated } = clauses[i] as Clause;
    if (slots.some((slot) => index.bits.has(slot, row)) === isNegated) return false;
  }
  return test === undefined || test(row);
}
