/**
 * Providers on trial with real reads: now and then one is asked first, else it stands behind all
 * others and is used when nobody else is left.
 */
import type { Candidate, EndpointView, Ranking } from "./snapshot.ts";

/** Place of a canary whose turn has not come: behind every setback, before spare transports. */
export const CANARY_PLACE = 500;

/** The ranking with the canary in front whose turn it is; `random` is drawn once per canary. */
export const withCanary = (
  ranking: Ranking,
  canaries: readonly EndpointView[],
  random: () => number,
): Ranking => {
  for (const { provider, canary = 0 } of canaries) {
    if (random() >= canary) continue;
    const { candidates } = ranking;
    const found = candidates.find(({ view }) => view.provider === provider);
    // Nobody's read is risked on a provider that is known to be unwell.
    if (found === undefined || found.relaxed.length > 0) continue;
    const promoted: Candidate = { ...found, canary: "promoted" };
    const others = candidates.filter((candidate) => candidate !== found);
    return { ...ranking, candidates: [promoted, ...others] };
  }
  return ranking;
};
