/** Where those who speak stand to the history that is told, and where those go who stand elsewhere. */
import type { Block } from "../block.ts";
import { type Opinion, weightOf } from "./opinions.ts";
import { pathFrom } from "../pursuit.ts";
import type { Ring } from "../ring.ts";

/** Voices by where they stand. */
export interface Survey {
  /** Weight of those who are on this history. */
  readonly here: number;
  /** Above it, and what lies between is not known yet. */
  readonly above: readonly Opinion[];
  /** On a branch that is known to be as long as this history and does not meet it. */
  readonly apart: readonly Opinion[];
  /** Below all that is remembered: they lag, or they are elsewhere. */
  readonly below: readonly Opinion[];
}

/** The deepest reorganisation that is connected at all cost, in blocks. */
const MAX_REORG_BLOCKS = 64;

/** Asks each voice where it stands. */
export const survey = (ring: Ring, voices: readonly Opinion[]): Survey => {
  const views = { here: 0, above: [] as Opinion[], apart: [] as Opinion[], below: [] as Opinion[] };
  for (const voice of voices) {
    const block = ring.get(voice.hash);
    if (block?.isCanonical === true) views.here += weightOf(voice.source);
    else if (voice.number < ring.bottom) views.below.push(voice);
    else if (block !== undefined) {
      const { blocks, ancestor } = pathFrom(ring, block);
      if (ancestor !== undefined) views.here += weightOf(voice.source);
      else if ((blocks.at(-1)?.number ?? 0) <= ring.bottom) views.apart.push(voice);
      else views.above.push(voice);
    }
  }
  return views;
};

/** What these voices weigh together. */
export const weigh = (voices: readonly Opinion[]): number =>
  voices.reduce((sum, { source }) => sum + weightOf(source), 0);

/** True when a branch known down to this height cannot be expected to meet the history any more. */
export const isUnrelated = (ring: Ring, lowest: number): boolean =>
  lowest <= ring.bottom && ring.heightOfTip - ring.bottom >= MAX_REORG_BLOCKS;

/** Where a history begins that leads to `block`: with the first of its blocks that somebody told of. */
export const firstTold = (ring: Ring, block: Block): Block => {
  let first = block;
  for (let at = ring.parentOf(block); at?.isCanonical === false; at = ring.parentOf(at)) {
    if (at.tellers.size > 0) first = at;
  }
  return first;
};
