/** The block that a vote is about: the newest one that enough providers have reached. */
import type { MovingTag } from "../../consistency/block-tags.ts";
import { TipPins, type TagPins } from "../../consistency/tag-pins.ts";
import type { ServedHeights } from "../../consistency/served-heights.ts";
import type { ChainView } from "../ports.ts";

/**
 * Tags as they stand, but `latest` no higher than what `of` providers have reached, within the lag that
 * the chain allows: in the moment after a block most of them are still one behind.
 */
export class QuorumPins implements TagPins {
  readonly #chain: ChainView;
  readonly #base: TagPins;
  readonly #of: number;

  constructor(chain: ChainView, served: ServedHeights, of: number) {
    this.#chain = chain;
    this.#base = new TipPins(chain, served);
    this.#of = of;
  }

  numberOf(tag: MovingTag): number {
    const number = this.#base.numberOf(tag);
    const { snapshot } = this.#chain;
    if (tag !== "latest" || number < 0 || snapshot === undefined) return number;
    const heads = snapshot.endpoints
      .filter(({ shadow }) => shadow === undefined)
      .map(({ transports: { http, ws } }) => Math.max(http?.head ?? -1, ws?.head ?? -1))
      .filter((head) => head >= 0)
      .sort((a, b) => b - a);
    const reached = heads[Math.min(this.#of, heads.length) - 1] ?? number;
    return Math.min(number, Math.max(reached, number - snapshot.rules.maxLagBlocks));
  }
}
