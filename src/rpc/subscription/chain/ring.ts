/**
 * The blocks of one chain that its subscribers may still hear of: an unbroken canonical branch and
 * the side blocks beside it, both bounded.
 */
import { createBlock, type Block } from "./block.ts";

/** Canonical blocks that are remembered. */
export const RING_BLOCKS = 256;

/** Blocks by hash, with the canonical branch from `lowest` to `tip`. */
export class Ring {
  tip: Block | undefined;
  lowest: Block | undefined;
  /** Place of the newest event, of whatever kind: rises, deliveries. */
  clock = 0;
  private readonly byHash = new Map<string, Block>();

  /** Blocks known, canonical and side ones. */
  get size(): number {
    return this.byHash.size;
  }

  /** Height of the tip, or -1. */
  get heightOfTip(): number {
    return this.tip?.number ?? -1;
  }

  /** Height of the lowest canonical block, or 0. */
  get bottom(): number {
    return this.lowest?.number ?? 0;
  }

  /** The place of the next event. */
  tick(): number {
    return ++this.clock;
  }

  get(hash: string): Block | undefined {
    return this.byHash.get(hash);
  }

  blocks(): Iterable<Block> {
    return this.byHash.values();
  }

  /** The block below, as far as it is known; one whose height does not fit is none. */
  parentOf({ head, number }: Block): Block | undefined {
    const parent = head === undefined ? undefined : this.byHash.get(head.parentHash);
    return parent?.number === number - 1 ? parent : undefined;
  }

  /** The block of this hash, made when it is new. */
  place(hash: string, number: number, nowMs: number): Block {
    const known = this.byHash.get(hash);
    if (known !== undefined) return known;
    const block = createBlock(hash, number, nowMs);
    this.byHash.set(hash, block);
    return block;
  }

  /** Forgets everything but `block`, with which history begins, and what stands on it. */
  restart(block: Block): readonly Block[] {
    const above = [...this.byHash.values()].filter((one) => this.standsOn(one, block));
    this.byHash.clear();
    for (const one of [block, ...above]) this.byHash.set(one.hash, one);
    this.lowest = block;
    this.tip = block;
    return above;
  }

  delete(block: Block): void {
    this.byHash.delete(block.hash);
  }

  /** Canonical blocks above `ancestor`, the tip first. */
  above(ancestor: Block): readonly Block[] {
    const found: Block[] = [];
    for (let at = this.tip; at !== undefined && at !== ancestor; at = this.parentOf(at)) {
      found.push(at);
    }
    return found;
  }

  /** Blocks that have sunk below what is remembered; `lowest` is moved up. */
  sunk(): readonly Block[] {
    const bottom = this.heightOfTip - RING_BLOCKS + 1;
    if (this.lowest === undefined || this.lowest.number >= bottom) return [];
    const below: Block[] = [];
    for (const block of this.byHash.values()) {
      if (block.number < bottom) below.push(block);
      else if (block.number === bottom && block.isCanonical) this.lowest = block;
    }
    return below;
  }

  private standsOn(one: Block, block: Block): boolean {
    let at: Block | undefined = one;
    while (at !== undefined && at.number > block.number) at = this.parentOf(at);
    return one !== block && at === block;
  }

  /** The oldest side blocks beyond `bound` blocks in all: whatever providers send, it is bounded. */
  surplus(bound: number): readonly Block[] {
    let over = this.byHash.size - bound;
    if (over <= 0) return [];
    const found: Block[] = [];
    for (const block of this.byHash.values()) {
      if (over <= 0) break;
      if (block.isCanonical) continue;
      found.push(block);
      over--;
    }
    return found;
  }
}
