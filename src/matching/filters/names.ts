/** Filters by who a provider is: ids, owners, exclusions. */
import type { ProviderIndex } from "../index/provider-index.ts";
import type { FilterRule } from "./filter.ts";

/** `ids`: one of a list. */
export const idFilter: FilterRule = ({ ids }, index) => {
  if (ids === undefined) return undefined;
  const listed = rowsOf(ids, index);
  return {
    name: "ids",
    isTransient: false,
    clauses: [],
    listed,
    test: among(listed),
    need: `one of ${ids.length} ids`,
    have: (row) => index.ids[row] as string,
  };
};

/** `owners`: owned by one of a list. */
export const ownerFilter: FilterRule = ({ owners }, index) => {
  if (owners === undefined) return undefined;
  const wanted = new Set<string | undefined>(owners);
  const owned = owners.map((owner) => index.owners.rowsOf(owner));
  const count = owned.reduce((sum, { size }) => sum + size, 0);
  return {
    name: "owners",
    isTransient: false,
    clauses: [],
    ...(count > MOST_LISTED ? {} : { listed: owned.flatMap((rows) => [...rows]) }),
    test: (row) => wanted.has(index.owners.of(row)),
    need: `one of ${owners.length} owners`,
    have: (row) => index.owners.of(row) ?? "nobody",
  };
};

/** To score so many one by one takes longer than to ask those of an order for their owners. */
const MOST_LISTED = 131_072;

/** `exclude`: none of a list. */
export const excludeFilter: FilterRule = ({ exclude }, index) => {
  if (exclude.length === 0) return undefined;
  const isExcluded = among(rowsOf(exclude, index));
  return {
    name: "exclude",
    isTransient: false,
    clauses: [],
    test: (row) => !isExcluded(row),
    need: `none of ${exclude.length} excluded`,
    have: (row) => index.ids[row] as string,
  };
};

/** A few names are the usual thing, and an array of a few is faster than a set. */
const among = (rows: readonly number[]): ((row: number) => boolean) => {
  if (rows.length <= FEW) return (row) => rows.includes(row);
  const set = new Set(rows);
  return (row) => set.has(row);
};

const FEW = 8;

const rowsOf = (ids: readonly string[], index: ProviderIndex): number[] =>
  ids.flatMap((id) => index.rowOf(id) ?? []);
