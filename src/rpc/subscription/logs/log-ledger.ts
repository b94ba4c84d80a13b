/**
 * The logs of a chain's blocks: which are known, sent, awaited, forgotten.
 *
 * Logs of a block are sent when the block is canonical and nothing before them is missing, so a client
 * sees them in the order of blocks and indices. A block that no live source covers is asked for with
 * one call (`eth_getLogs{blockHash}`) and what follows waits for it, up to a bound. A log that turns
 * up late is still sent; one that is known already is not.
 */
import { Awaited } from "./awaited.ts";
import { isDense, isLive, placeOf, type Block, type BlockLog } from "../chain/block.ts";
import { isEmptyBloom } from "../delivery/filter.ts";
import { LogMemory, unsentOf } from "./log-memory.ts";
import { LogSources } from "./log-sources.ts";
import { needLogs, type Needs } from "../chain/needs.ts";
import type { Ring } from "../chain/ring.ts";

/** What a ledger tells; called after its state is consistent. */
export interface LedgerListener {
  /** A log of a canonical block. */
  log(block: Block, log: BlockLog): void;
  /** Events from `from` to `to` are lost for every subscriber older than the event `sequence`. */
  gap(kinds: "all" | "logs", from: number, to: number, sequence: number): void;
  /** False when no log subscription can match a block with this bloom. */
  wantsLogsOf(bloom: string | undefined): boolean;
}

/** All logs of one block, as somebody answered. */
export interface BlockLogs {
  readonly logs: readonly { readonly index: number; readonly bytes: Buffer }[];
  /** The block's bloom holds nothing that they do not explain. */
  readonly isProven: boolean;
}

const MAX_LOGS_PER_BLOCK = 50_000;
/** Logs that others sent stand between the rise of their block and the next event here. */
const BEFORE_NEXT = 0.25;

/** Keeps the logs of one chain. */
export class LogLedger {
  readonly sources: LogSources;
  /** Somebody subscribes to logs; otherwise none are kept. */
  isOn = false;
  /** Place in the sequence of events since which logs are kept. */
  onSince = 0;
  readonly memory: LogMemory;
  private unsettled: Block[] = [];
  private readonly awaited = new Awaited();
  /** A chain that has logs in blocks with an empty bloom writes no blooms. */
  private hasBlooms = true;
  /** A chain whose indices do not count from 0 to the last log: holes mean nothing there. */
  private isCounting = true;
  private readonly ring: Ring;
  private readonly needs: Needs;
  private readonly listener: () => LedgerListener;

  constructor(ring: Ring, needs: Needs, settleMs: number, listener: () => LedgerListener) {
    this.ring = ring;
    this.needs = needs;
    this.listener = listener;
    this.sources = new LogSources(settleMs);
    this.memory = new LogMemory(ring);
  }

  /** Logs are being fetched, and later ones wait for them. */
  get isWaiting(): boolean {
    return this.awaited.isAsking;
  }

  /** Logs that are kept. */
  get stored(): number {
    return this.memory.stored;
  }

  /** Logs that wait for others. */
  get unsent(): number {
    return this.memory.unsent;
  }

  /** Starts or stops keeping logs; either way nothing of before counts. */
  reset(isOn: boolean): void {
    this.isOn = isOn;
    this.onSince = this.ring.clock;
    this.awaited.clear();
    for (const block of this.ring.blocks()) {
      block.logs = [];
      block.sent = 0;
      // What is canonical by now is history to everybody who stays.
      block.isForgotten = block.isCanonical;
      block.isComplete = false;
      block.isUnread = false;
      this.needs.delete(needLogs(block.hash, block.number).key);
    }
    this.memory.restart();
    this.unsettled = [];
  }

  /** History starts anew at `block`: of all logs only those that are known of it are kept. */
  restart(block: Block): void {
    const { logs, isForgotten } = block;
    this.reset(this.isOn);
    for (const log of logs) log.sentAt = log.backAt = 0;
    block.logs = logs;
    block.isForgotten = isForgotten;
    this.memory.restart(block);
  }

  /** Takes a log; `bytes` is called only when the log is new. */
  store(block: Block, index: number, nowMs: number, bytes: () => Buffer): void {
    if (block.isForgotten || block.logs.length >= MAX_LOGS_PER_BLOCK) return;
    const place = placeOf(block, index);
    if (place < 0) return;
    const log: BlockLog = { index, bytes: bytes(), firstAt: 0, sentAt: 0, backAt: 0 };
    if (place === block.logs.length) block.logs.push(log);
    else block.logs.splice(place, 0, log);
    if (block.logs.length === 1) this.judgeBloom(block);
    this.memory.added(block);
    if (!block.isCanonical) return;
    if (block.number < this.awaited.from) {
      if (this.isInTurn(block, log)) this.send(block, log);
      else this.awaited.addHole(block, nowMs);
    } else if (this.awaited.hasHole(block)) this.closeHoles([block], nowMs);
    if (this.memory.isOverfull) this.giveUp();
  }

  /** The block became canonical; `coverMs` is since when nothing may have been lost for it. */
  raise(block: Block, coverMs: number, nowMs: number): void {
    if (!this.isOn) return;
    this.memory.risen(block);
    if (block.logs.length > 0) this.judgeBloom(block);
    if (block.isComplete) return;
    block.coveredBy = block.isForgotten ? [] : this.sources.covering(block.number, coverMs);
    block.isForgotten = false;
    if (block.coveredBy.length === 0) {
      if (this.verify(block, nowMs)) this.awaited.add(block);
      return;
    }
    this.unsettled.push(block);
    // Whoever brings its logs has yet to come so far: those of later blocks are too early.
    if (!this.isPassed(block) && this.isOfInterest(block)) this.awaited.addHole(block, nowMs);
  }

  /** A source tells of a block at this height: what is below has come through it. */
  reached(source: string, number: number, nowMs: number): void {
    // It came up at this height: older blocks it may never have told of.
    if (this.sources.reached(source, number)) this.uncover(source, number, nowMs);
    this.closeHoles(this.awaited.holes(), nowMs);
  }

  /** The block is canonical no more; answers what must be retracted, or false when that is lost. */
  orphan(block: Block): readonly BlockLog[] | false {
    const sent: BlockLog[] = [];
    for (const log of block.logs.toReversed()) {
      if (!isLive(log)) continue;
      sent.push(log);
      log.backAt = this.ring.tick();
    }
    this.memory.orphaned(block, block.logs.length - sent.length);
    block.sent = 0;
    this.needs.delete(needLogs(block.hash, block.number).key);
    this.awaited.delete(block);
    if (!block.isForgotten) return sent;
    block.isComplete = false;
    // Nobody who is here now was sent the logs of history.
    if (block.sequence > this.onSince) return false;
    block.isForgotten = false;
    return sent;
  }

  /** The block leaves the ring. */
  drop(block: Block): void {
    const isLost = block.isWaiting && block.isCanonical;
    this.memory.forget(block);
    this.awaited.delete(block);
    this.needs.delete(needLogs(block.hash, block.number).key);
    if (isLost) this.listener().gap("logs", block.number, block.number, block.sequence);
  }

  /** The answer to a logs need; false when it cannot be taken for the truth. */
  complete(block: Block, { logs, isProven }: BlockLogs, nowMs: number): boolean {
    if (!this.isBelievable(block, logs.length, isProven)) return false;
    block.isComplete = true;
    if (logs.at(-1) !== undefined && logs.at(-1)?.index !== logs.length - 1) {
      this.isCounting = false;
    }
    // Held until all are in, so that they leave in order.
    const isHeld = block.isCanonical && block.isWaiting;
    for (const log of logs) this.store(block, log.index, nowMs, () => log.bytes);
    if (isHeld) this.awaited.delete(block);
    this.flush(nowMs);
    return true;
  }

  /**
   * All logs of a block that somebody else sent, for a client who comes back: they can be taken back,
   * but are sent to nobody. False when that cannot be the truth.
   */
  adopt(block: Block, { logs, isProven }: BlockLogs): boolean {
    const isKept = block.isComplete || (block.isCanonical && block.sequence > this.onSince);
    if (isKept && !block.isForgotten && !block.isUnread) return true;
    if (!this.isBelievable(block, logs.length, isProven)) return false;
    this.memory.forget(block);
    const sentAt = block.sequence + BEFORE_NEXT;
    const backAt = block.isCanonical ? 0 : sentAt + BEFORE_NEXT;
    block.logs = logs.map((log) => ({ ...log, firstAt: sentAt, sentAt, backAt }));
    block.sent = block.isCanonical ? logs.length : 0;
    block.isForgotten = false;
    block.isUnread = false;
    block.isComplete = true;
    this.memory.adopted(block);
    return true;
  }

  /** Asks for the block's logs unless its bloom rules out that anybody wants one. */
  verify(block: Block, nowMs: number): boolean {
    if (this.isOfInterest(block)) {
      this.needs.add(needLogs(block.hash, block.number), nowMs);
      return true;
    }
    block.isComplete = true;
    block.isUnread = !(this.hasBlooms && isEmptyBloom(block.head?.bloom));
    return false;
  }

  /** A source broke; blocks that only it covered are asked for. */
  sourceDown(source: string, nowMs: number): void {
    this.sources.down(source);
    this.uncover(source, Number.POSITIVE_INFINITY, nowMs);
  }

  /** Blocks below a height are covered by that source no more. */
  private uncover(source: string, below: number, nowMs: number): void {
    for (const block of this.unsettled) {
      if (block.number >= below || !block.coveredBy.includes(source)) continue;
      block.coveredBy = block.coveredBy.filter((other) => other !== source);
      if (block.coveredBy.length === 0 && !block.isComplete && block.isCanonical) {
        this.await(block, nowMs);
      }
    }
  }

  /** Time passes: blocks whose time is over, and holes that nobody filled. */
  settle(nowMs: number): void {
    for (const block of this.awaited.overdue(nowMs)) this.await(block, nowMs);
    const { unsettled } = this;
    const isDue = (block: Block) => nowMs >= block.raisedAtMs + this.sources.settleMs;
    if (unsettled[0] === undefined || !isDue(unsettled[0])) return;
    this.unsettled = unsettled.filter((block) => !isDue(block));
    for (const block of unsettled) {
      if (!isDue(block) || !block.isCanonical || block.isComplete || block.isWaiting) continue;
      // Its logs have come and gone again, for lack of room.
      if (block.isForgotten) continue;
      if (this.isPassed(block) && block.logs.length > 0) block.isComplete = true;
      // Nothing came although the bloom is not empty, or the only source lags: one call tells.
      else this.verify(block, nowMs);
    }
  }

  /** Sends what is held back, up to the first block whose logs are still awaited. */
  flush(nowMs: number): void {
    if (this.memory.unsent === 0) return;
    for (const block of this.withUnsent()) {
      if (block.number >= this.awaited.from) break;
      if (this.isHoled(block)) {
        this.awaited.addHole(block, nowMs);
        break;
      }
      for (const log of block.logs) if (!isLive(log)) this.send(block, log);
    }
    if (this.memory.isOverfull) this.giveUp();
  }

  /** Forgets the logs of blocks that are too old to be reorganised away. */
  trim(): void {
    this.memory.trim();
  }

  private send(block: Block, log: BlockLog): void {
    log.sentAt = this.ring.tick();
    log.firstAt ||= log.sentAt;
    block.sent++;
    this.memory.unsent--;
    this.listener().log(block, log);
  }

  /** Nothing is missing before this log of its block, as far as can be known. */
  private isInTurn(block: Block, { index }: BlockLog): boolean {
    return !this.isCounting || block.isComplete || index === block.sent;
  }

  /** Logs are missing between those that came. */
  private isHoled(block: Block): boolean {
    return this.isCounting && !block.isComplete && !isDense(block);
  }

  /** Some source that brings all logs of the block tells of it already. */
  private isPassed({ coveredBy, number }: Block): boolean {
    return coveredBy.some((name) => this.sources.hasReached(name, number));
  }

  private closeHoles(blocks: readonly Block[], nowMs: number): void {
    const closed = blocks.filter((block) => !this.isHoled(block) && this.isPassed(block));
    if (closed.length === 0) return;
    for (const block of closed) this.awaited.delete(block);
    this.flush(nowMs);
  }

  /** False when the bloom rules out that anybody wants a log of the block. */
  private isOfInterest({ head }: Block): boolean {
    const bloom = this.hasBlooms ? head?.bloom : undefined;
    return !isEmptyBloom(bloom) && this.listener().wantsLogsOf(bloom);
  }

  /** A bloom that denies a log that is there shows that the chain writes none. */
  private judgeBloom({ head }: Block): void {
    if (isEmptyBloom(head?.bloom)) this.hasBlooms = false;
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

  /**
   * A node that lacks the block, or a part of its receipts, answers as readily as one that has it all:
   * what the bloom does not prove has to be said twice.
   */
  private isBelievable(block: Block, count: number, isProven: boolean): boolean {
    if (isProven || !this.hasBlooms) return true;
    if (count > 0 && count === block.doubtful) return true;
    block.doubtful = count;
    return false;
  }

  private await(block: Block, nowMs: number): void {
    if (this.verify(block, nowMs)) this.awaited.add(block);
    else {
      this.awaited.delete(block);
      this.flush(nowMs);
    }
  }

  /** Too much is held back: whoever waits is told of the loss, newcomers start clean. */
  private giveUp(): void {
    const { tip, heightOfTip } = this.ring;
    const from = Math.min(this.awaited.from, heightOfTip);
    this.reset(this.isOn);
    this.listener().gap("logs", from, heightOfTip, tip?.sequence ?? 0);
  }
}
