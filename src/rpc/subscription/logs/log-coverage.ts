/**
 * Which blocks get all their logs through live streams, and which have to be asked for: those that no
 * stream has covered from well before they came, those of which nothing came though something should,
 * and those of which only one stream told, and less than their bloom holds.
 */
import type { Block } from "../chain/block.ts";
import { needLogs, type Needs } from "../chain/needs.ts";
import type { Blooms } from "./blooms.ts";
import type { LogOrder } from "./log-order.ts";
import type { LogSources } from "./log-sources.ts";

/** What decides whether logs are worth a question. */
export interface CoverageListener {
  /** False when no log subscription can match a block with this bloom. */
  wantsLogsOf(bloom: string | undefined): boolean;
}

/** Streams that would be at odds if one of them had left out a log. */
const WITNESSES = 2;

/** The coverage of one chain's blocks. */
export class LogCoverage {
  /** Blocks that became canonical a moment ago. */
  private recent: Block[] = [];
  private readonly sources: LogSources;
  private readonly needs: Needs;
  private readonly order: LogOrder;
  private readonly blooms: Blooms;
  private readonly listener: () => CoverageListener;

  constructor(
    sources: LogSources,
    needs: Needs,
    order: LogOrder,
    blooms: Blooms,
    listener: () => CoverageListener,
  ) {
    this.sources = sources;
    this.needs = needs;
    this.order = order;
    this.blooms = blooms;
    this.listener = listener;
  }

  /** Nothing of before counts. */
  reset(): void {
    this.recent = [];
  }

  /** The block became canonical; `coverMs` is since when nothing may have been lost for it. */
  raise(block: Block, coverMs: number, nowMs: number): void {
    if (!block.isComplete) this.cover(block, coverMs, nowMs);
    for (const source of block.streamedBy) this.order.open.passed(source, block.number);
  }

  /** A stream tells of a block: what is below has come through it. */
  reached(source: string, block: Block, nowMs: number): void {
    block.streamedBy.add(source);
    // It came up at this height: older blocks it may never have told of.
    if (this.sources.reached(source, block.number)) this.uncover(source, block.number, nowMs);
    if (!block.isCanonical) return;
    this.order.open.passed(source, block.number);
    this.order.flush(nowMs);
  }

  /** A source broke; blocks that only it covered are asked for. */
  sourceDown(source: string, nowMs: number): void {
    this.sources.down(source);
    this.uncover(source, Number.POSITIVE_INFINITY, nowMs);
  }

  /** Time passes: blocks whose time is over, and holes that nobody filled. */
  settle(nowMs: number): void {
    for (const block of this.order.awaited.overdue(nowMs)) this.await(block, nowMs);
    for (const block of this.order.open.overdue(nowMs)) this.await(block, nowMs);
    const { recent } = this;
    const isDue = (block: Block) => nowMs >= block.raisedAtMs + this.sources.settleMs;
    if (recent[0] === undefined || !isDue(recent[0])) return;
    this.recent = recent.filter((block) => !isDue(block));
    for (const block of recent) {
      if (!isDue(block) || !block.isCanonical || block.isComplete || block.isWaiting) continue;
      // Its logs have come and gone again, for lack of room.
      if (block.isForgotten) this.order.release(block);
      else if (this.isWhole(block)) {
        block.isComplete = true;
        this.order.release(block);
      }
      // Less came than the bloom holds, or the only source lags: one call tells.
      else this.await(block, nowMs);
    }
    this.order.flush(nowMs);
  }

  /** False when the bloom rules out that anybody wants a log of the block. */
  isOfInterest(block: Block): boolean {
    return !this.blooms.isEmpty(block) && this.listener().wantsLogsOf(this.blooms.of(block));
  }

  /** Nothing is missing of what streams told of the block, as far as can be known without asking. */
  private isWhole(block: Block): boolean {
    const hasCome = block.logs.length > 0 && !this.order.isHoled(block);
    if (!hasCome || !this.order.isReached(block)) return false;
    const { coveredBy, streamedBy } = block;
    const witnesses = coveredBy.filter((source) => streamedBy.has(source)).length;
    return witnesses >= WITNESSES || this.blooms.isExplained(block);
  }

  private cover(block: Block, coverMs: number, nowMs: number): void {
    block.isPassed = false;
    block.coveredBy = block.isForgotten ? [] : this.sources.covering(block.number, coverMs);
    block.isForgotten = false;
    if (block.coveredBy.length === 0) {
      if (this.verify(block, nowMs)) this.order.awaited.add(block);
      return;
    }
    this.recent.push(block);
    if (!this.isOfInterest(block)) return;
    this.order.open.add(block);
    // Whoever brings its logs has yet to come so far: what comes of it may be a part.
    if (!this.order.isReached(block)) this.order.awaited.addHole(block, nowMs);
  }

  /** Blocks below a height are covered by that source no more. */
  private uncover(source: string, below: number, nowMs: number): void {
    for (const block of this.recent) {
      if (block.number >= below || !block.coveredBy.includes(source)) continue;
      block.coveredBy = block.coveredBy.filter((other) => other !== source);
      if (block.coveredBy.length === 0 && !block.isComplete && block.isCanonical) {
        this.await(block, nowMs);
      }
    }
  }

  /** Later logs wait until the block has been asked for. */
  private await(block: Block, nowMs: number): void {
    this.order.release(block);
    if (this.verify(block, nowMs)) this.order.awaited.add(block);
    else this.order.flush(nowMs);
  }

  /** Asks for the block's logs unless its bloom rules out that anybody wants one. */
  private verify(block: Block, nowMs: number): boolean {
    if (this.isOfInterest(block)) {
      this.needs.add(needLogs(block.hash, block.number), nowMs);
      return true;
    }
    block.isComplete = true;
    block.isUnread = !this.blooms.isEmpty(block);
    return false;
  }
}
