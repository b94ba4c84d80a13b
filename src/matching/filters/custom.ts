/**
 * Filters from outside, bound so that nothing they do stops a match or its explanation: a test that
 * throws refuses, numbers that cannot be told are marked, and both are said.
 */
import { thrownText } from "../../lib/thrown-text.ts";
import type { CanonicalDemand } from "../canonical.ts";
import type { ProviderIndex } from "../index/provider-index.ts";
import type { BoundFilter, CustomFilter, Found } from "./filter.ts";

/** Binds one to a demand and a market. */
export const bindCustom = (
  { name, isTransient, test, found }: CustomFilter,
  demand: CanonicalDemand,
  index: ProviderIndex,
): BoundFilter => ({
  name,
  isTransient,
  clauses: [],
  test: (row) => {
    try {
      // A filter from outside may return anything.
      const answer: unknown = test(row, index, demand);
      return answer === true;
    } catch {
      return false;
    }
  },
  need: `to pass ${name}`,
  have: (row) => {
    try {
      test(row, index, demand);
      return "refused";
    } catch (error) {
      return failed(error);
    }
  },
  ...(found === undefined ? {} : { found: (row) => believed(found, row) }),
});

/** What a filter found, or that it could not tell. */
const believed = (found: NonNullable<CustomFilter["found"]>, row: number): Found | undefined => {
  try {
    const told: unknown = found(row);
    if (told === undefined) return undefined;
    const { value, limit } = told as Found;
    const isValue = value === undefined || typeof value === "number" || typeof value === "string";
    if (isValue && (limit === undefined || typeof limit === "number")) return { value, limit };
    return { value: failed("told what is no number"), limit: undefined };
  } catch (error) {
    return { value: failed(error), limit: undefined };
  }
};

const failed = (error: unknown): string => `failed: ${thrownText(error)}`;
