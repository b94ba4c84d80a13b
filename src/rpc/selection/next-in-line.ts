/** Who would serve if one provider did not: asked when that one is likely to fail soon. */
import type { EndpointRow } from "../chain-view.ts";
import type { ProviderId } from "../ids.ts";
import { rank } from "./rank.ts";
import type { RoutingSnapshot } from "./snapshot.ts";
import { createSelectionMemory } from "./sticky.ts";

/** The method that stands for all: every provider serves it. */
const METHOD = "eth_blockNumber";

/** The first sound endpoint of the chain's own order without `failing`; uses up no turn of a rotation. */
export const nextInLine = (
  snapshot: RoutingSnapshot,
  failing: ProviderId,
): EndpointRow | undefined => {
  const aside = { ...snapshot, cache: new Map(), memory: createSelectionMemory() };
  const { candidates } = rank(aside, { method: METHOD, exclude: [failing] });
  return candidates.find(({ row }) => row.isUsable && row.state === "closed")?.row;
};
