/** Which blocks to ask for so that a branch is connected to the canonical chain. */
import type { Block } from "./block.ts";
import { needBlock, needHeight, type Need, type Needs } from "./needs.ts";
import type { Path } from "./voices/opinions.ts";
import type { Ring } from "./ring.ts";

/** Heights asked for ahead of the parent, at first and at most: a long gap is filled in a few rounds. */
const LEAST_AHEAD = 8;
const MOST_AHEAD = 64;
/** Nobody knows the parent after so many questions: the block may have another one. */
const MANY_FAILURES = 2;

/** From `block` down to the canonical chain, as far as it is known. */
export const pathFrom = (ring: Ring, block: Block): Path => {
  const blocks: Block[] = [];
  let at: Block | undefined = block;
  while (at?.head !== undefined && !at.isCanonical) {
    blocks.push(at);
    at = ring.parentOf(at);
  }
  return { blocks, ancestor: at?.isCanonical === true ? at : undefined };
};

/** The parent that is missing below a path, and heights where the blocks below it are. */
export const missingBelow = (ring: Ring, { blocks }: Path, open: Needs): readonly Need[] => {
  const child = blocks.at(-1);
  const { tip, lowest } = ring;
  if (child?.head === undefined || tip === undefined || lowest?.head === undefined) return [];
  const parent = needBlock(child.head.parentHash);
  const needs = [parent];
  if (!child.isLookedUp && open.failuresOf(parent.key) >= MANY_FAILURES) {
    needs.push(needBlock(child.hash));
  }
  // History is young: it may have to go back further before the branches meet.
  if (child.number <= lowest.number) needs.push(needBlock(lowest.head.parentHash));
  for (const number of heightsBelow(child.number, tip.number, blocks.length)) {
    needs.push(needHeight(number));
  }
  return needs;
};

/** In a gap as far as the tip; in a reorganisation as far again as it is known to be deep. */
const heightsBelow = (child: number, tip: number, known: number): readonly number[] => {
  const isGap = child - 1 > tip;
  const ahead = isGap
    ? Math.min(MOST_AHEAD, Math.max(LEAST_AHEAD, known))
    : Math.min(MOST_AHEAD, tip - child);
  const lowest = isGap ? Math.max(tip + 1, child - 1 - ahead) : Math.max(0, child - 1 - ahead);
  return Array.from({ length: Math.max(0, child - 1 - lowest) }, (_, i) => child - 2 - i);
};
