/**
 * Which block stands behind `safe` and `finalized`: the height that providers name for the tag, else
 * a depth below the tip (json-rpc reference 8).
 */
import type { ChainView } from "../proxy/ports.ts";

/** Blocks below the tip that count as final on a chain whose finality takes two epochs. */
const EPOCHS_DEPTH = 64;
/** The same for a chain that nobody knows anything of. */
const UNKNOWN_DEPTH = 1_024;

/** Chains with two-epoch finality: Ethereum, Gnosis, their test nets, and the nodes developers run. */
const EPOCH_CHAINS: ReadonlySet<number> = new Set([
  1, 100, 1_337, 10_200, 17_000, 31_337, 560_048, 11_155_111,
]);

/** The depth that holds for a chain unless the operator gave one. */
export const defaultFinalityDepth = (chainId: number): number =>
  EPOCH_CHAINS.has(chainId) ? EPOCHS_DEPTH : UNKNOWN_DEPTH;

/** The highest block that no reorg can replace any more; -1 while the head is unknown. */
export const finalizedNumber = (chain: ChainView): number =>
  below(chain, chain.head?.finalized, chain.head?.number);

/** The block that `safe` stands for; -1 while the head is unknown. */
export const safeNumber = (chain: ChainView): number =>
  Math.max(below(chain, chain.head?.safe, chain.head?.number), finalizedNumber(chain));

const below = (chain: ChainView, told: number | undefined, tip: number | undefined): number => {
  if (tip === undefined) return -1;
  const depth = chain.finalityDepth ?? defaultFinalityDepth(chain.chainId);
  return Math.min(told ?? Math.max(0, tip - depth), tip);
};
