/** Reads are answered while somebody can answer them. */
import type { SimRequest } from "../load/reader.ts";
import type { Invariant } from "./invariant.ts";

/** The share of reads that must have a result. */
export const LEAST_SHARE = 0.999;
/** In a run of a few hundred reads a single failure is more than the rest; over all runs it is not. */
const ALWAYS_ALLOWED = 1;
const TOLD = 3;

/** Reads that were promised a result, and those of them that got none. */
export const promisedOf = (
  requests: readonly SimRequest[],
): { readonly promised: number; readonly failed: readonly SimRequest[] } => {
  const promised = requests.filter(({ isPromised, answers }) => isPromised && answers > 0);
  return { promised: promised.length, failed: promised.filter(({ isOk }) => !isOk) };
};

/** The share of reads with a result, of those that were promised one. */
export const availability: Invariant = {
  name: "availability",
  claim: "99.9 % of reads have a result while one good provider is within reach",
  judge: ({ requests }) => {
    const { promised, failed } = promisedOf(requests);
    if (failed.length <= Math.max(ALWAYS_ALLOWED, promised * (1 - LEAST_SHARE))) return [];
    const some = failed
      .slice(0, TOLD)
      .map(({ n, askedAtMs, detail }) => `request ${n} asked at ${askedAtMs}: ${detail}`);
    return [`${failed.length} of ${promised} reads failed: ${some.join("; ")}`];
  },
};
