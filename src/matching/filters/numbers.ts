/** Filters by what a provider has: stake, free capacity, bounds of any column. */
import type { Bounds } from "../demand.ts";
import type { ProviderIndex } from "../index/provider-index.ts";
import type { BoundFilter, FilterRule } from "./filter.ts";

/** `stake`: at least so much, exactly. */
export const stakeFilter: FilterRule = ({ minStake }, index) =>
  minStake === 0n
    ? undefined
    : {
        name: "stake",
        isTransient: false,
        clauses: [],
        test: index.stakes.atLeast(minStake),
        need: `at least ${minStake}`,
        have: (row) => String(index.stakes.at(row)),
      };

/** `capacity:NAME`: at least so much of a resource is free; it may become free. */
export const resourceFilters: FilterRule = ({ resources }, index) =>
  resources.map(([column, min]) =>
    bounded(`capacity:${column}`, column, { min, max: Infinity }, index, true),
  );

/** `signal:NAME`: within bounds. What a signal refuses it may let pass later, what a fact refuses not. */
export const signalFilters: FilterRule = ({ signals }, index) =>
  signals.map(([column, bounds]) => {
    const isTransient = index.columns.get(column)?.isFact === false;
    return bounded(`signal:${column}`, column, bounds, index, isTransient);
  });

const bounded = (
  name: string,
  columnName: string,
  { min, max }: Required<Bounds>,
  index: ProviderIndex,
  isTransient: boolean,
): BoundFilter => {
  const column = index.columns.get(columnName);
  const need = [
    ...(min > -Infinity ? [`at least ${min}`] : []),
    ...(max < Infinity ? [`at most ${max}`] : []),
  ].join(", ");
  if (column === undefined) {
    const clauses = [{ slots: [], isNegated: false }];
    return { name, isTransient, clauses, need, have: () => "no such column" };
  }
  return {
    name,
    isTransient,
    clauses: [],
    // An unknown value is NaN, and no comparison with it holds.
    test: (row) => {
      const value = column.values[row] as number;
      return value >= min && value <= max;
    },
    need,
    have: (row) => String(column.values[row]),
  };
};
