/**
 * When the logs of canonical blocks are sent: in the order of blocks and indices, as far as nothing
 * before them is missing. A block that waits holds up what comes after it, up to a bound.
 */
import { isDense, isLive, sendAt, type Block, type BlockLog } from "../chain/block.ts";
import type { Ring } from "../chain/ring.ts";
import { Awaited } from "./awaited.ts";
import { unsentOf, type LogMemory } from "./log-memory.ts";
import type { LogSources } from "./log-sources.ts";

/** What a sequence of logs tells. */
export interface OrderListener {
  /** A log of a canonical block. */
  log(block: Block, log: BlockLog): void;
}

/** The order of one chain's logs. */
export class LogOrder {
  readonly awaited = new Awaited();
  /** A chain whose indices do not count from 0 to the last log: holes mean nothing there. */
  isCounting = true;
  private readonly ring: Ring;
  private readonly memory: LogMemory;
  private readonly sources: LogSources;
  private readonly listener: () => OrderListener;

  constructor(ring: Ring, memory: LogMemory, sources: LogSources, listener: () => OrderListener) {
    this.ring = ring;
    this.memory = memory;
    this.sources = sources;
    this.listener = listener;
  }

  /** A new log of a canonical block: it is sent when it is its turn. */
  take(block: Block, log: BlockLog, nowMs: number): void {
    if (block.number < this.awaited.from) {
      if (this.isInTurn(block, log)) this.send(block, log);
      else if (log.standing === "told") this.awaited.addHole(block, nowMs);
    } else if (this.awaited.hasHole(block)) this.closeHoles([block], nowMs);
  }

  /** A source has come further: holes may be none any more. */
  reached(nowMs: number): void {
    this.closeHoles(this.awaited.holes(), nowMs);
  }

  /** Some source that brings all logs of the block tells of it already. */
  isPassed({ coveredBy, number }: Block): boolean {
    return coveredBy.some((name) => this.sources.hasReached(name, number));
  }

  /** Sends what is held back, up to the first block whose logs are still awaited. */
  flush(nowMs: number): void {
    if (this.memory.unsent === 0) return;
    for (const block of this.withUnsent()) {
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

  /** Logs are missing between those that came. */
  private isHoled(block: Block): boolean {
    return this.isCounting && !block.isComplete && !isDense(block);
  }

  private closeHoles(blocks: readonly Block[], nowMs: number): void {
    const closed = blocks.filter((block) => !this.isHoled(block) && this.isPassed(block));
    if (closed.length === 0) return;
    for (const block of closed) this.awaited.delete(block);
    this.flush(nowMs);
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
