/**
 * Canonical blocks of which more logs may come: theirs are sent as they come, those of later blocks
 * wait.
 *
 * A stream tells one block after the other. So a block is over once a stream that brings all its logs
 * tells of a block above it; whoever has come up a moment ago, or is on another branch, proves nothing.
 */
import type { Block } from "../chain/block.ts";
import { HOLE_MS } from "./awaited.ts";

const NONE: readonly Block[] = [];

/** The open blocks of one chain. */
export class OpenBlocks {
  /** The lowest of them; logs of blocks above it wait. */
  from = Number.POSITIVE_INFINITY;
  private readonly blocks = new Set<Block>();
  /** Since when logs wait for the lowest one, monotonic ms; undefined while none does. */
  private heldSinceMs: number | undefined;
  /** The highest block with such logs. */
  private heldAt = 0;
  /** Its bloom holds logs, and none of them has come. */
  private readonly isOwed: (block: Block) => boolean;

  constructor(isOwed: (block: Block) => boolean) {
    this.isOwed = isOwed;
  }

  add(block: Block): void {
    this.blocks.add(block);
    this.from = Math.min(this.from, block.number);
  }

  delete(block: Block): void {
    if (!this.blocks.delete(block) || block.number > this.from) return;
    this.from = Number.POSITIVE_INFINITY;
    for (const { number } of this.blocks) this.from = Math.min(this.from, number);
    this.heldSinceMs = undefined;
  }

  /** A stream tells of a canonical block, and so has told all that it will of those below. */
  passed(source: string, number: number): void {
    if (number <= this.from) return;
    for (const block of this.blocks) {
      if (block.number >= number || !block.coveredBy.includes(source)) continue;
      block.isPassed = true;
      // Lost on the way: it may come from another one, or has to be asked for.
      if (!this.isOwed(block)) this.delete(block);
    }
  }

  /** A log of the block waits. */
  hold({ number }: Block, nowMs: number): void {
    this.heldSinceMs ??= nowMs;
    this.heldAt = Math.max(this.heldAt, number);
  }

  /** Blocks that have to be asked for now. */
  overdue(nowMs: number): readonly Block[] {
    const { heldSinceMs, heldAt } = this;
    if (heldSinceMs === undefined || nowMs - heldSinceMs < HOLE_MS) return NONE;
    return [...this.blocks].filter(({ number }) => number < heldAt);
  }

  clear(): void {
    this.blocks.clear();
    this.from = Number.POSITIVE_INFINITY;
    this.heldSinceMs = undefined;
  }
}
