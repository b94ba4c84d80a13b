/**
 * When the logs of canonical blocks are sent: in the order of blocks and indices, as far as nothing
 * before them is missing. A block that waits, or is open, holds up what comes after it, up to a bound.
 */
import { isDense, isLive, sendAt, type Block, type BlockLog } from "../chain/block.ts";
import type { Ring } from "../chain/ring.ts";
import { Awaited } from "./awaited.ts";
import { unsentOf, type LogMemory } from "./log-memory.ts";
import type { OpenBlocks } from "./open-blocks.ts";

/** What a sequence of logs tells. */
export interface OrderListener {
  /** A log of a canonical block. */
  log(block: Block, log: BlockLog): void;
}

/** The order of one chain's logs. */
export class LogOrder {
  readonly awaited = new Awaited();
  readonly open: OpenBlocks;
  /** A chain whose indices do not count from 0 to the last log: holes mean nothing there. */
  isCounting = true;
  private readonly ring: Ring;
  private readonly memory: LogMemory;
  private readonly listener: () => OrderListener;

  constructor(ring: Ring, memory: LogMemory, open: OpenBlocks, listener: () => OrderListener) {
    this.ring = ring;
    this.memory = memory;
    this.open = open;
    this.listener = listener;
  }

  /** A new log of a canonical block: it is sent when it is its turn. */
  take(block: Block, log: BlockLog, nowMs: number): void {
    const isEarly = block.number > this.open.from;
    if (isEarly) this.open.hold(block, nowMs);
    if (block.number >= this.awaited.from) {
      if (this.awaited.hasHole(block) && this.isClosed(block)) this.flush(nowMs);
    } else if (isEarly) return;
    else if (this.isInTurn(block, log)) this.send(block, log);
    else if (log.standing === "told") this.awaited.addHole(block, nowMs);
  }

  /** Nothing of the block is missing or to come any more that others have to wait for. */
  release(block: Block): void {
    this.awaited.delete(block);
    this.open.delete(block);
  }

  /** Nothing is waited for. */
  clear(): void {
    this.awaited.clear();
    this.open.clear();
  }

  /** Some stream that brings all logs of the block tells of it already, or of one above it. */
  isReached({ isPassed, coveredBy, streamedBy }: Block): boolean {
    return isPassed || coveredBy.some((source) => streamedBy.has(source));
  }

  /** Logs are missing between those that came. */
  isHoled(block: Block): boolean {
    return this.isCounting && !block.isComplete && !isDense(block);
  }

  /** Sends what is held back, up to the first block whose logs are still awaited. */
  flush(nowMs: number): void {
    for (const block of this.awaited.holes()) {
      if (this.isClosed(block)) this.awaited.delete(block);
    }
    if (this.memory.unsent === 0) return;
    for (const block of this.withUnsent()) {
      if (block.number > this.open.from) return this.open.hold(block, nowMs);
      if (block.number >= this.awaited.from) return;
      if (this.isHoled(block)) return this.awaited.addHole(block, nowMs);
      for (const log of block.logs) {
        if (log.standing === "told" && !isLive(log)) this.send(block, log);
      }
    }
  }

  private send(block: Block, log: BlockLog): void {
    sendAt(log, this.ring.tick());
    block.sent++;
    this.memory.unsent--;
    this.listener().log(block, log);
  }

  /** Nothing is missing before this log of its block, as far as can be known. */
  private isInTurn(block: Block, { index, standing }: BlockLog): boolean {
    if (standing !== "told") return false;
    return !this.isCounting || block.isComplete || index === block.sent;
  }

  /** Its hole is none any more. */
  private isClosed(block: Block): boolean {
    return !this.isHoled(block) && this.isReached(block);
  }

  /** Canonical blocks with logs that were not sent, ascending. */
  private withUnsent(): readonly Block[] {
    const held: Block[] = [];
    let found = 0;
    let at = this.ring.tip;
    while (at?.isCanonical === true && found < this.memory.unsent) {
      const count = unsentOf(at);
      if (count > 0) held.push(at);
      found += count;
      at = this.ring.parentOf(at);
    }
    return held.reverse();
  }
}
