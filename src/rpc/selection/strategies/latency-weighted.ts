/**
 * A weighted random order: faster providers come first more often, w = (best mean / mean)^3. Keys
 * -ln(U)/w make it an unbiased weighted permutation (Efraimidis and Spirakis 2006).
 */
import { seededRandom } from "../../../lib/random.ts";
import { byPriority, type Entry } from "../entry.ts";
import type { Candidate } from "../snapshot.ts";
import type { Strategy } from "./strategy.ts";

const sharpness = 3;
/** An unmeasured endpoint weighs next to nothing: it is shuffled behind the measured ones. */
const unmeasured = 0;

/** The `latency-weighted` strategy. */
export const latencyWeighted: Strategy = {
  name: "latency-weighted",
  usesEvidence: true,
  isSticky: false,
  order: (entries) => {
    const scores = scoresOf(entries);
    const scored = entries.map((entry, i) => ({ entry, score: scores[i] ?? unmeasured }));
    return { scored: scored.sort((a, b) => b.score - a.score || byPriority(a.entry, b.entry)) };
  },
  parts: (entries) => {
    const scores = scoresOf(entries);
    return entries.map(({ call }, i) => [
      { name: "latency", raw: call?.meanMs ?? null, value: scores[i] ?? unmeasured, weight: 1 },
    ]);
  },
  vary: (leading, demand) => {
    if (leading.length < 2) return leading;
    const random = seededRandom(seedOf(demand.seed));
    const keyed = leading.map((candidate) => ({ candidate, key: keyOf(candidate, random()) }));
    return keyed.sort((a, b) => a.key - b.key).map(({ candidate }) => candidate);
  },
};

const leastMs = 0.01;

/** The weight of each entry. */
const scoresOf = (entries: readonly Entry[]): readonly number[] => {
  const means = entries.flatMap(({ call }) => (call?.meanMs === undefined ? [] : [call.meanMs]));
  const best = Math.max(Math.min(...means), leastMs);
  return entries.map(({ call }) =>
    call?.meanMs === undefined ? unmeasured : (best / Math.max(call.meanMs, leastMs)) ** sharpness,
  );
};

/** Behind every measured key, yet in random order: no weighted key comes near it. */
const behindAll = 1e300;

const keyOf = ({ score }: Candidate, random: number): number =>
  score === unmeasured ? behindAll * (1 + random) : -Math.log(1 - random) / score;

/** Seeds may be fractions of one or integers. */
const seedOf = (seed = 0): number =>
  seed > 0 && seed < 1 ? Math.floor(seed * 2 ** 32) : Math.floor(seed);
