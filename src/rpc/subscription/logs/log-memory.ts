/**
 * How many logs are kept, and which are forgotten first: those of old blocks, which no reorganisation
 * reaches, then those of the oldest canonical ones.
 */
import { isLive, type Block } from "../chain/block.ts";
import type { Ring } from "../chain/ring.ts";

/** Blocks below the tip whose logs are kept for retractions. */
export const LOG_BLOCKS = 128;
const MAX_LOGS = 50_000;
/** Logs held back behind an awaited block, or of blocks that are not canonical (each). */
const MAX_UNSENT_LOGS = 10_000;
/** When memory is full, so much of it is freed at once. */
const FREED_SHARE = 0.1;

/** Counts and forgets the logs of one chain. */
export class LogMemory {
  /** Logs that are kept. */
  stored = 0;
  /** Held back: logs of canonical blocks that were not sent yet. */
  unsent = 0;
  /** Logs of blocks that are not canonical. */
  private loose = 0;
  private readonly ring: Ring;

  constructor(ring: Ring) {
    this.ring = ring;
  }

  /** More is held back than may be. */
  get isOverfull(): boolean {
    return this.unsent > MAX_UNSENT_LOGS;
  }

  /** Nothing is kept but what `block`, which is not canonical, has. */
  restart(block?: Block): void {
    this.stored = block?.logs.length ?? 0;
    this.loose = this.stored;
    this.unsent = 0;
  }

  /** A log was added to a block. */
  added(block: Block): void {
    this.stored++;
    if (block.isCanonical) this.unsent++;
    else if (++this.loose > MAX_UNSENT_LOGS) this.forget(block);
    if (this.stored > MAX_LOGS) this.forgetOldest();
  }

  /** The block has logs that were sent before; it had none. */
  adopted(block: Block): void {
    this.stored += block.logs.length;
    if (!block.isCanonical) this.loose += block.logs.length;
    if (this.loose > MAX_UNSENT_LOGS) this.forget(block);
    if (this.stored > MAX_LOGS) this.forgetOldest();
  }

  /** The block becomes canonical. */
  risen(block: Block): void {
    this.loose -= block.logs.length;
    this.unsent += unsentOf(block);
  }

  /** The block was canonical; `unsent` of its logs were not sent. */
  orphaned(block: Block, unsent: number): void {
    this.loose += block.logs.length;
    this.unsent -= unsent;
  }

  /** The block loses its logs; one that had some can no more tell which were sent. */
  forget(block: Block): void {
    if (block.isCanonical) this.unsent -= unsentOf(block);
    else this.loose -= block.logs.length;
    this.stored -= block.logs.length;
    block.isForgotten ||= block.logs.length > 0;
    block.logs = [];
  }

  /**
   * Forgets the logs of blocks that are too old to be reorganised away; none that waits to be sent, and
   * none of a block of which more may come.
   */
  trim(): void {
    if (this.stored === 0) return;
    const oldest = this.ring.heightOfTip - LOG_BLOCKS;
    for (const block of this.ring.blocks()) {
      if (block.number > oldest || block.logs.length === 0 || isOwed(block)) continue;
      if (block.isComplete || !block.isCanonical) this.forget(block);
    }
  }

  private forgetOldest(): void {
    const kept: Block[] = [];
    for (let at = this.ring.tip; at?.isCanonical === true; at = this.ring.parentOf(at)) {
      if (at.logs.length > 0) kept.push(at);
    }
    while (this.stored > MAX_LOGS * (1 - FREED_SHARE) && kept.length > 1) {
      const block = kept.pop();
      if (block !== undefined && !isOwed(block)) this.forget(block);
    }
  }
}

/** Clients have yet to be sent some of its logs: those of an older block are awaited, or its own. */
const isOwed = (block: Block): boolean =>
  block.isWaiting || (block.isCanonical && unsentOf(block) > 0);

/** Logs of a block that are not with the clients and may have to be sent. */
export const unsentOf = (block: Block): number => {
  let count = 0;
  for (const log of block.logs) if (!isLive(log) && log.standing !== "false") count++;
  return count;
};
