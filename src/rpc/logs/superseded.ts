/**
 * Whether the answer of a part still belongs to the chain: parts are asked for one after the other,
 * and a reorganisation in between would leave logs of two branches in one answer.
 */
import type { BlockMark } from "./log-reader.ts";

/** What is known of the chain now. */
export interface BranchView {
  /** How often the tip has fallen. */
  readonly falls: number;
  /** The hash of the block at a height, as far as it is known. */
  hashAt(block: number): string | undefined;
}

/** What was known of the chain when a part was asked for. */
export interface BranchStamp {
  readonly falls: number;
  readonly hash: string | undefined;
}

/** The stamp of a part that ends at `toBlock`. */
export const stampOf = (view: BranchView, toBlock: number): BranchStamp => ({
  falls: view.falls,
  hash: view.hashAt(toBlock),
});

/**
 * True when the chain has taken another way since: the tip fell, the part's last block has another
 * hash, or one of its logs belongs to a block that is not the chain's.
 */
export const isSuperseded = (
  toBlock: number,
  marks: readonly BlockMark[],
  stamp: BranchStamp,
  view: BranchView,
): boolean => {
  if (view.falls !== stamp.falls) return true;
  const hash = view.hashAt(toBlock);
  if (hash !== undefined && stamp.hash !== undefined && hash !== stamp.hash) return true;
  return marks.some((mark) => {
    const known = view.hashAt(mark.block);
    return known !== undefined && known.slice(2).toLowerCase() !== mark.hash.toLowerCase();
  });
};
