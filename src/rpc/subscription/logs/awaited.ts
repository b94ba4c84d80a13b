/**
 * Canonical blocks whose logs are incomplete: what comes after them waits, so that clients see logs in
 * order. Some wait for an answer; others have a hole: between the logs that came, or because no source
 * has come so far. Sources fill it within moments, or a question after that.
 */
import type { Block } from "../chain/block.ts";

/** A hole that no source fills within this time is asked for, ms. */
export const HOLE_MS = 250;

const NONE: readonly Block[] = [];

/** The blocks of one chain that hold up later logs. */
export class Awaited {
  /** The lowest of them; logs of blocks from here on wait. */
  from = Number.POSITIVE_INFINITY;
  /** Since when each block with a hole waits, monotonic ms. */
  private readonly holed = new Map<Block, number>();
  private readonly blocks = new Set<Block>();

  /** Some block waits for an answer. */
  get isAsking(): boolean {
    return this.blocks.size > this.holed.size;
  }

  /** The block waits for an answer. */
  add(block: Block): void {
    block.isWaiting = true;
    this.blocks.add(block);
    this.holed.delete(block);
    this.from = Math.min(this.from, block.number);
  }

  /** Later logs came before those of the block. */
  addHole(block: Block, nowMs: number): void {
    if (block.isWaiting) return;
    this.add(block);
    this.holed.set(block, nowMs);
  }

  hasHole(block: Block): boolean {
    return this.holed.has(block);
  }

  /** Blocks that wait for a source, not for an answer. */
  holes(): readonly Block[] {
    return this.holed.size === 0 ? NONE : [...this.holed.keys()];
  }

  delete(block: Block): void {
    if (!this.blocks.delete(block)) return;
    block.isWaiting = false;
    this.holed.delete(block);
    this.from = Number.POSITIVE_INFINITY;
    for (const other of this.blocks) this.from = Math.min(this.from, other.number);
  }

  /** Blocks with a hole that has to be asked for now. */
  overdue(nowMs: number): readonly Block[] {
    if (this.holed.size === 0) return [];
    return [...this.holed].flatMap(([block, sinceMs]) =>
      nowMs - sinceMs >= HOLE_MS ? [block] : [],
    );
  }

  clear(): void {
    for (const block of this.blocks) block.isWaiting = false;
    this.blocks.clear();
    this.holed.clear();
    this.from = Number.POSITIVE_INFINITY;
  }
}
