/**
 * Canonical blocks whose logs are incomplete: what comes after them waits, so that clients see logs in
 * order. Some wait for an answer; others have a hole between the logs that came, which another source
 * fills within moments or a question after that.
 */
import type { Block } from "../chain/block.ts";

/** A hole that no source fills within this time is asked for, ms. */
const HOLE_MS = 250;

/** The blocks of one chain that hold up later logs. */
export class Awaited {
  /** The lowest of them; logs of blocks from here on wait. */
  from = Number.POSITIVE_INFINITY;
  /** Since when each block with a hole waits, monotonic ms. */
  private readonly holes = new Map<Block, number>();
  private readonly blocks = new Set<Block>();

  /** Some block waits for an answer. */
  get isAsking(): boolean {
    return this.blocks.size > this.holes.size;
  }

  /** The block waits for an answer. */
  add(block: Block): void {
    block.isWaiting = true;
    this.blocks.add(block);
    this.holes.delete(block);
    this.from = Math.min(this.from, block.number);
  }

  /** A log of the block came before those in front of it. */
  addHole(block: Block, nowMs: number): void {
    if (block.isWaiting) return;
    this.add(block);
    this.holes.set(block, nowMs);
  }

  hasHole(block: Block): boolean {
    return this.holes.has(block);
  }

  delete(block: Block): void {
    if (!this.blocks.delete(block)) return;
    block.isWaiting = false;
    this.holes.delete(block);
    this.from = Number.POSITIVE_INFINITY;
    for (const other of this.blocks) this.from = Math.min(this.from, other.number);
  }

  /** Blocks with a hole that has to be asked for now. */
  overdue(nowMs: number): readonly Block[] {
    if (this.holes.size === 0) return [];
    return [...this.holes].flatMap(([block, sinceMs]) =>
      nowMs - sinceMs >= HOLE_MS ? [block] : [],
    );
  }

  clear(): void {
    for (const block of this.blocks) block.isWaiting = false;
    this.blocks.clear();
    this.holes.clear();
    this.from = Number.POSITIVE_INFINITY;
  }
}
