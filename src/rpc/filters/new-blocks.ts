/** What a block filter tells: the hashes of blocks that have become part of the chain. */
import { hexQuantity } from "../json-rpc/quantity.ts";
import { linkedPrefix, readBlock, type SeenBlock } from "./mark.ts";
import type { Poll, Question } from "./poll.ts";
import type { Trail } from "./trail.ts";

/** Most blocks of one answer; the rest follows with the next one. */
export const MAX_BLOCKS = 256;
/** Questions at once. */
const AT_ONCE = 16;
/** A provider's head above the served tip by more than this is not believed. */
const MAX_AHEAD = 64;

/** What is told, and where the filter stands then. */
export interface BlockChanges {
  readonly answer: readonly string[];
  readonly trail: Trail;
}

/** The newest block; never below `served`, the tip that the gateway vouches for (-1: unknown). */
export function* newestBlock(served: number): Poll<SeenBlock | undefined> {
  const [answer] = yield [blockBy("latest")];
  const latest = readBlock(answer);
  const isPlausible =
    latest !== undefined && latest.number >= served && latest.number <= served + MAX_AHEAD;
  if (isPlausible || served < 0) return latest;
  const [vouched] = yield [blockBy(hexQuantity(served))];
  return readBlock(vouched) ?? latest;
}

/** True when `head` tells nothing: it is known, or a provider lags behind what was told. */
export const isOld = (trail: Trail, head: SeenBlock, served: number): boolean => {
  if (trail.has(head.hash)) return true;
  // A lower block is news only when the whole chain went back.
  return head.number < trail.tip.number && !(served >= 0 && served < trail.tip.number);
};

/** The blocks up to `head` that `trail` does not know; a replaced one is told again by its successor. */
export function* newBlocks(trail: Trail, head: SeenBlock, served: number): Poll<BlockChanges> {
  const nothing = { answer: [], trail };
  if (isOld(trail, head, served)) return nothing;
  const blocks = [...(yield* blocksUpTo(trail, head))];
  // A reorganisation: back to a block that is known, or to where the filter began.
  for (;;) {
    const first = blocks[0];
    if (first === undefined) return nothing;
    if (trail.has(first.parentHash) || first.number <= trail.base.number + 1) break;
    const [answer] = yield [{ method: "eth_getBlockByHash", params: [first.parentHash, false] }];
    const parent = readBlock(answer);
    // Nobody has it now: the next poll begins anew.
    if (parent?.hash !== first.parentHash) return nothing;
    blocks.unshift(parent);
  }
  const anchor = (blocks[0]?.number ?? 0) - 1;
  return { answer: blocks.map(({ hash }) => hash), trail: trail.after(anchor, blocks) };
}

/** The blocks above the trail that are linked to each other. */
function* blocksUpTo(trail: Trail, head: SeenBlock): Poll<readonly SeenBlock[]> {
  const { number } = trail.tip;
  if (head.number <= number) return [head];
  const last = Math.min(head.number, number + MAX_BLOCKS);
  const found: SeenBlock[] = [];
  for (let from = number + 1; from <= last; from += AT_ONCE) {
    const heights = rangeOf(from, Math.min(last, head.number - 1, from + AT_ONCE - 1));
    if (heights.length === 0) break;
    const answers = yield heights.map((height) => blockBy(hexQuantity(height)));
    for (const answer of answers) {
      const block = readBlock(answer);
      if (block === undefined) return linkedPrefix(found);
      found.push(block);
    }
  }
  return linkedPrefix(last === head.number ? [...found, head] : found);
}

/** Asks for a block by height or tag. */
export const blockBy = (tag: string): Question => ({
  method: "eth_getBlockByNumber",
  params: [tag, false],
});

const rangeOf = (from: number, to: number): readonly number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
