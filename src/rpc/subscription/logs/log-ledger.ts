/**
 * The logs of a chain's blocks: which are known, awaited, in doubt, forgotten.
 *
 * Logs of a block are sent when the block is canonical and nothing before them is missing, so a client
 * sees them in the order of blocks and indices. A block that no live source covers is asked for with
 * one call (`eth_getLogs{blockHash}`) and what follows waits for it, up to a bound. A log that turns
 * up late is still sent; one that is known already is not; one that does not exist is taken back.
 */
import type { Dispute } from "../../race/block-sums.ts";
import { isLive, placeOf, type Block, type BlockLog } from "../chain/block.ts";
import { needLogs, type Needs } from "../chain/needs.ts";
import { NEVER } from "../chain/places.ts";
import type { Ring } from "../chain/ring.ts";
import { isSame, type AnsweredLog, type BlockLogs } from "./block-logs.ts";
import { Blooms } from "./blooms.ts";
import { Disputes, type DisputeListener } from "./disputes.ts";
import { LogCoverage, type CoverageListener } from "./log-coverage.ts";
import { LogMemory, unsentOf } from "./log-memory.ts";
import { LogOrder, type OrderListener } from "./log-order.ts";
import { LogSources } from "./log-sources.ts";
import { OpenBlocks } from "./open-blocks.ts";

/** What a ledger tells; called after its state is consistent. */
export interface LedgerListener extends OrderListener, CoverageListener, DisputeListener {
  /** Events from `from` to `to` are lost for every subscriber older than the event `sequence`. */
  gap(kinds: "all" | "logs", from: number, to: number, sequence: number): void;
}

const MAX_LOGS_PER_BLOCK = 50_000;
/** Logs that others sent stand between the rise of their block and the next event here. */
const BEFORE_NEXT = 0.25;
/** What streams told within so many settling times may be in dispute when a process dies. */
const RECENT_WINDOWS = 3;

/** Keeps the logs of one chain. */
export class LogLedger {
  readonly sources: LogSources;
  /** Somebody subscribes to logs; otherwise none are kept. */
  isOn = false;
  /** Place in the sequence of events since which logs are kept. */
  onSince = 0;
  readonly memory: LogMemory;
  private readonly order: LogOrder;
  private readonly coverage: LogCoverage;
  private readonly blooms = new Blooms();
  private readonly disputes: Disputes;
  private readonly ring: Ring;
  private readonly needs: Needs;
  private readonly listener: () => LedgerListener;

  constructor(ring: Ring, needs: Needs, settleMs: number, listener: () => LedgerListener) {
    this.ring = ring;
    this.needs = needs;
    this.listener = listener;
    this.sources = new LogSources(settleMs);
    this.memory = new LogMemory(ring);
    const open = new OpenBlocks((block) => this.blooms.promises(block) && block.logs.length === 0);
    this.order = new LogOrder(ring, this.memory, open, listener);
    this.coverage = new LogCoverage(this.sources, needs, this.order, this.blooms, listener);
    this.disputes = new Disputes(ring, needs, this.memory, this.blooms, listener);
  }

  /** Logs are being fetched, and later ones wait for them. */
  get isWaiting(): boolean {
    return this.order.awaited.isAsking;
  }

  /** Logs that are kept. */
  get stored(): number {
    return this.memory.stored;
  }

  /** Logs that wait for others. */
  get unsent(): number {
    return this.memory.unsent;
  }

  /** Blocks of whose logs different stories are told. */
  get disputed(): number {
    return this.disputes.size;
  }

  /** Starts or stops keeping logs; either way nothing of before counts. */
  reset(isOn: boolean): void {
    this.isOn = isOn;
    this.onSince = this.ring.clock;
    this.order.clear();
    for (const block of this.ring.blocks()) {
      block.logs = [];
      block.sent = 0;
      // What is canonical by now is history to everybody who stays.
      block.isForgotten = block.isCanonical;
      block.isComplete = false;
      block.isSettled = false;
      block.isUnread = false;
      this.withdraw(block);
    }
    this.memory.restart();
    this.coverage.reset();
    this.disputes.clear();
  }

  /** History starts anew at `block`: of all logs only those that are known of it are kept. */
  restart(block: Block): void {
    const { logs, isForgotten } = block;
    this.reset(this.isOn);
    block.logs = logs.filter(({ standing }) => standing === "told");
    for (const log of block.logs) Object.assign(log, UNTOLD);
    block.isForgotten = isForgotten;
    this.memory.restart(block);
  }

  /** A stream tells of a log; `bytes` is called only when the log is new. */
  store(block: Block, index: number, source: string, nowMs: number, bytes: () => Buffer): void {
    if (block.isForgotten || block.isSettled || block.logs.length >= MAX_LOGS_PER_BLOCK) return;
    const place = placeOf(block, index);
    if (place < 0) return;
    block.toldAtMs = nowMs;
    const log = newLog(index, source, bytes());
    if (block.logs.length === 0) block.isDoubtful = this.blooms.contradicts(block);
    else if (isKnownFalse(block, place, log)) return;
    if (block.isDoubtful) log.standing = "suspected";
    this.keep(block, place, log, nowMs);
    if (block.isDoubtful) this.disputes.add(block, undefined, nowMs);
  }

  /** The block became canonical; `coverMs` is since when nothing may have been lost for it. */
  raise(block: Block, coverMs: number, nowMs: number): void {
    if (!this.isOn) return;
    // What it lost for lack of room while it was off the chain has to be asked for.
    if (block.isForgotten) block.isComplete = block.isSettled = false;
    this.memory.risen(block);
    this.blooms.risen(block);
    if (block.logs.length > 0 && !block.isComplete) this.doubt(block, nowMs);
    this.disputes.resume(block, nowMs);
    this.coverage.raise(block, coverMs, nowMs);
  }

  /** A stream tells of a block: what is below has come through it. */
  reached(source: string, block: Block, nowMs: number): void {
    this.coverage.reached(source, block, nowMs);
  }

  /** The block is canonical no more; answers what must be retracted, or false when that is lost. */
  orphan(block: Block): readonly BlockLog[] | false {
    this.memory.orphaned(block, unsentOf(block));
    const sent: BlockLog[] = [];
    for (const log of block.logs.toReversed()) {
      if (!isLive(log)) continue;
      sent.push(log);
      log.backAt = this.ring.tick();
    }
    block.sent = 0;
    this.needs.delete(needLogs(block.hash, block.number).key);
    this.disputes.pause(block);
    this.order.release(block);
    if (!block.isForgotten) return sent;
    block.isComplete = false;
    block.isSettled = false;
    // Nobody who is here now was sent the logs of history.
    if (block.sequence > this.onSince) return false;
    block.isForgotten = false;
    return sent;
  }

  /** The block leaves the ring. */
  drop(block: Block): void {
    const isLost = block.isWaiting && block.isCanonical;
    this.memory.forget(block);
    this.order.release(block);
    this.withdraw(block);
    if (isLost) this.listener().gap("logs", block.number, block.number, block.sequence);
  }

  /** The answer to a logs need; false when it cannot be taken for the truth. */
  complete(block: Block, answer: BlockLogs, nowMs: number): boolean {
    if (!this.blooms.isBelievable(block, answer, nowMs)) return false;
    // Nodes that answer may be a moment behind those that stream.
    const voteMs = Math.max(nowMs, block.seenAtMs + this.sources.settleMs);
    if (answer.logs.length > 0 && this.blooms.isEmpty(block)) {
      // One of both is wrong, the header or who answered.
      this.disputes.vote(block, voteMs);
      return true;
    }
    this.disputes.answered(block, answer, voteMs);
    this.fill(block, answer.logs, nowMs);
    return true;
  }

  /** What two providers answered alike, if any did; false when they have to be asked again. */
  agreed(block: Block, answer: BlockLogs | undefined, nowMs: number): boolean {
    const isLast = this.disputes.isLate(block, nowMs);
    if (answer !== undefined && this.blooms.confirm(answer, isLast)) {
      this.disputes.settle(block, answer.logs);
      this.fill(block, answer.logs, nowMs);
      return true;
    }
    if (!isLast) return false;
    this.disputes.giveUp(block);
    this.order.release(block);
    this.flush(nowMs);
    return true;
  }

  /** The streams tell different stories of the block's logs. */
  dispute(block: Block, told: Dispute, nowMs: number): void {
    if (block.logs.length > 0 || this.coverage.isOfInterest(block))
      this.disputes.add(block, told, nowMs);
  }

  /** A process died that may have known of disputes: two providers have to tell what is recent. */
  recheck(nowMs: number): void {
    const sinceMs = nowMs - RECENT_WINDOWS * this.sources.settleMs;
    for (const block of this.ring.blocks()) {
      if (!block.isCanonical || block.toldAtMs < sinceMs) continue;
      this.disputes.vote(block, Math.max(nowMs, block.toldAtMs + this.sources.settleMs));
    }
  }

  /**
   * All logs of a block that somebody else sent, for a client who comes back: they can be taken back,
   * but are sent to nobody. False when that cannot be the truth.
   */
  adopt(block: Block, answer: BlockLogs, nowMs: number): boolean {
    const isKept = block.isComplete || (block.isCanonical && block.sequence > this.onSince);
    if (isKept && !block.isForgotten && !block.isUnread) return true;
    if (!this.blooms.isBelievable(block, answer, nowMs)) return false;
    this.memory.forget(block);
    this.withdraw(block);
    const { logs } = answer;
    const sentAt = block.sequence + BEFORE_NEXT;
    const backAt = block.isCanonical ? 0 : sentAt + BEFORE_NEXT;
    const seen = { sentAt, backAt };
    block.logs = logs.map(({ index, bytes }) => ({ ...newLog(index, undefined, bytes), ...seen }));
    block.sent = block.isCanonical ? logs.length : 0;
    block.isForgotten = false;
    block.isUnread = false;
    block.isComplete = true;
    this.memory.adopted(block);
    return true;
  }

  /** A source came up: what its provider has told of before says nothing of what it brings. */
  sourceUp(source: string, nowMs: number): void {
    for (const { streamedBy } of this.ring.blocks()) streamedBy.delete(source);
    this.sources.up(source, nowMs);
  }

  /** A source broke; blocks that only it covered are asked for. */
  sourceDown(source: string, nowMs: number): void {
    this.coverage.sourceDown(source, nowMs);
  }

  /** Time passes: blocks whose time is over, and holes that nobody filled. */
  settle(nowMs: number): void {
    this.coverage.settle(nowMs);
  }

  /** Sends what is held back, up to the first block whose logs are still awaited. */
  flush(nowMs: number): void {
    this.order.flush(nowMs);
    if (this.memory.isOverfull) this.giveUp();
  }

  /** Forgets the logs of blocks that are too old to be reorganised away. */
  trim(): void {
    this.memory.trim();
  }

  /** Takes a new log in, and sends it when it is its turn. */
  private keep(block: Block, place: number, log: BlockLog, nowMs: number): void {
    if (place === block.logs.length) block.logs.push(log);
    else block.logs.splice(place, 0, log);
    this.memory.added(block);
    if (!block.isCanonical) return;
    this.order.take(block, log, nowMs);
    if (this.memory.isOverfull) this.giveUp();
  }

  /** All logs of the block are these; those that are missing are sent. */
  private fill(block: Block, logs: readonly AnsweredLog[], nowMs: number): void {
    block.isComplete = true;
    block.isDoubtful &&= logs.length === 0;
    if (logs.at(-1) !== undefined && logs.at(-1)?.index !== logs.length - 1) {
      this.order.isCounting = false;
    }
    for (const { index, bytes } of logs) {
      if (block.isForgotten || block.logs.length >= MAX_LOGS_PER_BLOCK) break;
      const place = placeOf(block, index);
      if (place >= 0) this.keep(block, place, newLog(index, undefined, bytes), nowMs);
    }
    // Held until all are in, so that they leave in order.
    this.order.release(block);
    this.flush(nowMs);
  }

  /** Logs were told before the header: where its bloom is empty they are not sent before others say so. */
  private doubt(block: Block, nowMs: number): void {
    if (!this.blooms.contradicts(block)) return;
    block.isDoubtful = true;
    for (const log of block.logs) if (log.standing === "told") log.standing = "suspected";
    this.disputes.add(block, undefined, nowMs);
  }

  /** Nothing more is asked about the block's logs. */
  private withdraw(block: Block): void {
    this.needs.delete(needLogs(block.hash, block.number).key);
    this.disputes.end(block);
  }

  /** Too much is held back: whoever waits is told of the loss, newcomers start clean. */
  private giveUp(): void {
    const { tip, heightOfTip } = this.ring;
    const from = Math.min(this.order.awaited.from, heightOfTip);
    this.reset(this.isOn);
    this.listener().gap("logs", from, heightOfTip, tip?.sequence ?? 0);
  }
}

/** Nobody was sent the log. */
const UNTOLD: Pick<BlockLog, "sentAt" | "backAt" | "before"> = {
  sentAt: 0,
  backAt: 0,
  before: NEVER,
};

const newLog = (index: number, source: string | undefined, bytes: Buffer): BlockLog => ({
  index,
  source,
  standing: "told",
  bytes,
  ...UNTOLD,
});

/** The log was found to be false before. */
const isKnownFalse = ({ logs }: Block, place: number, { index, bytes }: BlockLog): boolean => {
  const before = logs[place - 1];
  return before?.index === index && before.standing === "false" && isSame(before.bytes, bytes);
};
