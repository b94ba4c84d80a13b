/** Puts one provider first, without taking the others out: they follow when it fails. */
import type { ProviderId } from "../ids.ts";
import type { Ranking } from "./snapshot.ts";

/** The ranking with the candidates of `provider` at its front. */
export const preferring = (ranking: Ranking, provider: ProviderId): Ranking => {
  const { candidates } = ranking;
  if (candidates[0]?.view.provider === provider) return ranking;
  const first = candidates.filter(({ view }) => view.provider === provider);
  const rest = candidates.filter(({ view }) => view.provider !== provider);
  return { ...ranking, candidates: [...first, ...rest] };
};
