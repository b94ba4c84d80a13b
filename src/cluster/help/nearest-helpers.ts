/** Which regions would help a chain of this one now. */
import type { Membership } from "../membership.ts";
import type { PeerState } from "../protocol.ts";
import { byDistance, type Distances } from "./distances.ts";

/** A region that would help. */
export interface Helper {
  readonly region: string;
  readonly url: string;
  /** How far it is shows by questions to it; false where the operator has said it. */
  readonly isMeasured: boolean;
}

/** Those that say so of `chain`, nearest first; nobody while the others do not know this region. */
export const nearestHelpers = (
  { state: ownState, peers }: Pick<Membership, "state" | "peers">,
  distances: Distances,
  chain: string,
): readonly Helper[] => {
  // Before others know of us they refuse us.
  if (ownState !== "joined") return [];
  const able = (wanted: PeerState): readonly Helper[] =>
    [...peers.values()].flatMap(({ region, state, card }) => {
      if (state !== wanted || card?.helps?.includes(chain) !== true) return [];
      if (!URL.canParse(card.url)) return [];
      return [{ region, url: card.url, isMeasured: distances.isMeasured(region) }];
    });
  const nearestFirst = (wanted: PeerState): readonly Helper[] =>
    byDistance(able(wanted), (region) => distances.of(region));
  // One that was not heard for a moment may still be there, and is better than nobody.
  return [...nearestFirst("joined"), ...nearestFirst("suspected")];
};
