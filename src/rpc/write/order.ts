/** Which provider gets the next copy of a transaction. */
import { fnv32 } from "../../lib/fnv32.ts";
import type { Candidate, EndpointView, Ranking } from "../selection/snapshot.ts";

/** The tag of providers that keep a transaction to themselves until it is mined. */
export const PRIVATE_TAG = "private";

/** The same ranking with only those whom `isWanted` takes. */
export const only = (ranking: Ranking, isWanted: (view: EndpointView) => boolean): Ranking => ({
  ...ranking,
  candidates: ranking.candidates.filter(({ view }) => isWanted(view)),
});

/** The first ranking, then whoever else is in the second. */
export const followedBy = (ranking: Ranking, others: Ranking): Ranking => ({
  ...ranking,
  candidates: [...ranking.candidates, ...others.candidates],
});

/**
 * The same ranking with one provider in front that is always the same for `key`, as long as it is
 * healthy: a sender's transactions meet the same pool (rendezvous hashing, Thaler and Ravishankar).
 */
export const stickTo = (ranking: Ranking, key: string): Ranking => {
  const weighed = ranking.candidates.map((candidate) => ({
    candidate,
    isHealthy: candidate.relaxed.length === 0,
    weight: weightOf(`${key}/${candidate.view.provider}`),
  }));
  weighed.sort((a, b) => Number(b.isHealthy) - Number(a.isHealthy) || b.weight - a.weight);
  return { ...ranking, candidates: weighed.map(({ candidate }) => candidate) };
};

/** The healthy candidates of vendors that have no copy yet. */
export const ofOtherVendors = (ranking: Ranking, vendors: ReadonlySet<string>): Ranking => ({
  ...ranking,
  candidates: ranking.candidates.filter(
    (candidate) => candidate.relaxed.length === 0 && !vendors.has(vendorOf(candidate)),
  ),
});

/** Who stands behind a candidate. */
export const vendorOf = ({ view }: Candidate): string => view.vendor ?? view.provider;

const weightOf = (text: string): number => {
  const hash = fnv32(text);
  // FNV leaves neighbours close together: one more turn spreads them.
  const spread = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (spread ^ (spread >>> 13)) >>> 0;
};
