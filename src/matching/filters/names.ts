/** Filters by who a provider is: ids, owners, exclusions. */
import type { ProviderIndex } from "../index/provider-index.ts";
import type { FilterRule } from "./filter.ts";

/** `ids`: one of a list. */
export const idFilter: FilterRule = ({ ids }, index) =>
  ids === undefined
    ? undefined
    : {
        name: "ids",
        isTransient: false,
        clauses: [],
        listed: ids.flatMap((id) => index.rowOf(id) ?? []),
        need: `one of ${ids.length} ids`,
        have: (row) => index.ids[row] as string,
      };

/** `owners`: owned by one of a list. */
export const ownerFilter: FilterRule = ({ owners }, index) =>
  owners === undefined
    ? undefined
    : {
        name: "owners",
        isTransient: false,
        clauses: [],
        listed: owners.flatMap((owner) => [...index.owners.rowsOf(owner)]),
        need: `one of ${owners.length} owners`,
        have: (row) => index.owners.of(row) ?? "nobody",
      };

/** `exclude`: none of a list. */
export const excludeFilter: FilterRule = ({ exclude }, index) =>
  exclude.length === 0
    ? undefined
    : {
        name: "exclude",
        isTransient: false,
        clauses: [],
        test: outside(exclude, index),
        need: `none of ${exclude.length} excluded`,
        have: (row) => index.ids[row] as string,
      };

/** A few exclusions are the usual thing, and an array of a few is faster than a set. */
const outside = (ids: readonly string[], index: ProviderIndex): ((row: number) => boolean) => {
  const rows = ids.flatMap((id) => index.rowOf(id) ?? []);
  if (rows.length <= FEW) return (row) => !rows.includes(row);
  const set = new Set(rows);
  return (row) => !set.has(row);
};

const FEW = 8;
