/** A scorer from outside the kernel. It may read everything, so no bound of it is known but 1. */
import type { CanonicalDemand } from "../canonical.ts";
import type { ProviderIndex } from "../index/provider-index.ts";
import type { Scorer } from "./scorer.ts";

/** A scorer made of a function. */
export const customScorer = (
  name: string,
  description: string,
  score: (row: number, index: ProviderIndex, demand: CanonicalDemand) => number,
): Scorer => ({
  name,
  description,
  bind: (index, demand) => ({ kind: "demand", score: (row) => score(row, index, demand) }),
});
