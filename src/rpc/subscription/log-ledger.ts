/**
 * The logs of a chain's blocks: which are known, sent, awaited, forgotten.
 *
 * Logs of a block are sent when the block is canonical and nothing before it is awaited, so a client
 * sees them in block order. A block that no live source covers is asked for with one call
 * (`eth_getLogs{blockHash}`) and what follows waits for it, up to a bound. A log that turns up late
 * is still sent; one that is known already is not.
 */
import { placeOf, type Block, type BlockLog } from "./block.ts";
import { isEmptyBloom } from "./delivery/filter.ts";
import { LogSources } from "./log-sources.ts";
import { needLogs, type Needs } from "./needs.ts";

/** What a ledger tells; called after its state is consistent. */
export interface LedgerListener {
  /** A log of a canonical block. */
  log(block: Block, log: BlockLog): void;
  /** Logs from `from` to `to` are lost; every log subscriber must be told. */
  gap(kinds: "all" | "logs", from: number, to: number): void;
  /** False when no log subscription can match a block with this bloom. */
  wantsLogsOf(bloom: string | undefined): boolean;
}

/** How the ledger looks at the ring. */
export interface LedgerRing {
  readonly tip: Block | undefined;
  blocks(): Iterable<Block>;
  parentOf(block: Block): Block | undefined;
}

/** Blocks whose logs are kept for retractions, below the tip. */
const LOG_BLOCKS = 128;
const MAX_LOGS = 50_000;
const MAX_LOGS_PER_BLOCK = 50_000;
/** Logs held back behind an awaited block, or of blocks that are not canonical (each). */
const MAX_UNSENT_LOGS = 10_000;

/** Keeps the logs of one chain. */
export class LogLedger {
  readonly sources: LogSources;
  /** Somebody subscribes to logs; otherwise none are kept. */
  isOn = false;
  stored = 0;
  /** Held back: logs of canonical blocks that were not sent yet. */
  unsent = 0;
  private loose = 0;
  private unsettled: Block[] = [];
  /** The lowest canonical block whose logs are awaited; later logs queue behind it. */
  private waitingFrom = Number.POSITIVE_INFINITY;
  private readonly ring: LedgerRing;
  private readonly needs: Needs;
  private readonly listener: () => LedgerListener;

  constructor(ring: LedgerRing, needs: Needs, settleMs: number, listener: () => LedgerListener) {
    this.ring = ring;
    this.needs = needs;
    this.listener = listener;
    this.sources = new LogSources(settleMs);
  }

  /** Logs are being fetched, and later ones wait for them. */
  get isWaiting(): boolean {
    return this.waitingFrom !== Number.POSITIVE_INFINITY;
  }

  /** Starts or stops keeping logs; either way nothing of before counts. */
  reset(isOn: boolean): void {
    this.isOn = isOn;
    for (const block of this.ring.blocks()) {
      block.logs = [];
      block.isForgotten = false;
      block.isWaiting = false;
      block.isComplete = false;
      this.needs.delete(`logs:${block.hash}`);
    }
    this.stored = 0;
    this.unsent = 0;
    this.loose = 0;
    this.unsettled = [];
    this.waitingFrom = Number.POSITIVE_INFINITY;
  }

  /** History starts anew at `block`: of all logs only those that are known of it are kept. */
  restart(block: Block): void {
    const { logs, isForgotten } = block;
    this.reset(this.isOn);
    for (const log of logs) log.isSent = false;
    block.logs = logs;
    block.isForgotten = isForgotten;
    this.stored = logs.length;
    this.loose = logs.length;
  }

  /** Takes a log; `bytes` is called only when the log is new. */
  store(block: Block, index: number, bytes: () => Buffer): void {
    if (block.isForgotten || block.logs.length >= MAX_LOGS_PER_BLOCK) return;
    const place = placeOf(block, index);
    if (place < 0) return;
    const log: BlockLog = { index, bytes: bytes(), isSent: false };
    if (place === block.logs.length) block.logs.push(log);
    else block.logs.splice(place, 0, log);
    this.stored++;
    if (this.stored > MAX_LOGS) this.forgetOldest();
    if (!block.isCanonical) {
      this.loose++;
      if (this.loose > MAX_UNSENT_LOGS) this.forget(block);
    } else if (block.number < this.waitingFrom) {
      log.isSent = true;
      this.listener().log(block, log);
    } else {
      this.unsent++;
      if (this.unsent > MAX_UNSENT_LOGS) this.giveUp();
    }
  }

  /** The block became canonical; `coverMs` is since when nothing may have been lost for it. */
  raise(block: Block, coverMs: number, nowMs: number): void {
    if (!this.isOn) return;
    this.loose -= block.logs.length;
    this.unsent += block.logs.length;
    if (block.isComplete) return;
    block.coveredBy = block.isForgotten ? [] : this.sources.covering(coverMs);
    block.isForgotten = false;
    if (block.coveredBy.length === 0) this.await(block, nowMs);
    else this.unsettled.push(block);
  }

  /** The block is canonical no more; answers what must be retracted, or false when that is lost. */
  orphan(block: Block): readonly BlockLog[] | false {
    const sent: BlockLog[] = [];
    for (const log of block.logs.toReversed()) {
      if (log.isSent) sent.push(log);
      else this.unsent--;
      log.isSent = false;
    }
    this.loose += block.logs.length;
    this.needs.delete(`logs:${block.hash}`);
    this.release(block);
    if (!block.isForgotten) return sent;
    block.isComplete = false;
    return false;
  }

  /** The block leaves the ring. */
  drop(block: Block): void {
    const isLost = block.isWaiting && block.isCanonical;
    this.forget(block);
    this.release(block);
    this.needs.delete(`logs:${block.hash}`);
    if (isLost) this.listener().gap("logs", block.number, block.number);
  }

  /** The answer to a logs need; false when it cannot be the truth. */
  complete(block: Block, logs: readonly { index: number; bytes: Buffer }[]): boolean {
    const bloom = block.head?.bloom;
    // A node that lacks the block answers `[]` as readily as one that has it and found nothing.
    if (logs.length === 0 && bloom !== undefined && !isEmptyBloom(bloom)) return false;
    block.isComplete = true;
    // Held until all are in, so that they leave in order.
    const first = block.isCanonical && block.isWaiting;
    for (const log of logs) this.store(block, log.index, () => log.bytes);
    if (first) this.release(block);
    this.flush();
    return true;
  }

  /** Asks for the block's logs unless its bloom rules out that anybody wants one. */
  verify(block: Block, nowMs: number): boolean {
    const bloom = block.head?.bloom;
    if (isEmptyBloom(bloom) || !this.listener().wantsLogsOf(bloom)) {
      block.isComplete = true;
      return false;
    }
    this.needs.add(needLogs(block.hash, block.number), nowMs);
    return true;
  }

  /** A source broke; blocks that only it covered are asked for. */
  sourceDown(source: string, nowMs: number): void {
    this.sources.down(source);
    for (const block of this.unsettled) {
      if (!block.coveredBy.includes(source)) continue;
      block.coveredBy = block.coveredBy.filter((other) => other !== source);
      if (block.coveredBy.length === 0 && !block.isComplete && block.isCanonical) {
        this.await(block, nowMs);
      }
    }
  }

  /** Blocks whose time is over: complete if a source that covered them went past them. */
  settle(nowMs: number): void {
    const { unsettled } = this;
    const isDue = (block: Block) => nowMs >= block.raisedAtMs + this.sources.settleMs;
    if (unsettled[0] === undefined || !isDue(unsettled[0])) return;
    this.unsettled = unsettled.filter((block) => !isDue(block));
    for (const block of unsettled) {
      if (!isDue(block) || !block.isCanonical || block.isComplete) continue;
      const isPassed = block.coveredBy.some((name) => this.sources.hasReached(name, block.number));
      if (isPassed && block.logs.length > 0) block.isComplete = true;
      // Nothing came although the bloom is not empty, or the only source lags: one call tells.
      else this.verify(block, nowMs);
    }
  }

  /** Sends what is held back, up to the first block whose logs are still awaited. */
  flush(): void {
    if (this.unsent === 0) return;
    const held: Block[] = [];
    let found = 0;
    let at = this.ring.tip;
    while (at?.isCanonical === true && found < this.unsent) {
      const count = unsentOf(at);
      if (count > 0) held.push(at);
      found += count;
      at = this.ring.parentOf(at);
    }
    for (const block of held.toReversed()) {
      if (block.number >= this.waitingFrom) break;
      for (const log of block.logs) {
        if (log.isSent) continue;
        log.isSent = true;
        this.unsent--;
        this.listener().log(block, log);
      }
    }
    if (this.unsent > MAX_UNSENT_LOGS) this.giveUp();
  }

  /** Forgets the logs of blocks that are too old to be reorganised away. */
  trim(): void {
    const oldest = (this.ring.tip?.number ?? 0) - LOG_BLOCKS;
    if (this.stored === 0) return;
    for (const block of this.ring.blocks()) {
      if (block.number <= oldest && block.logs.length > 0 && !block.isWaiting) this.forget(block);
    }
  }

  private await(block: Block, nowMs: number): void {
    if (!this.verify(block, nowMs)) return;
    block.isWaiting = true;
    this.waitingFrom = Math.min(this.waitingFrom, block.number);
  }

  private release(block: Block): void {
    if (!block.isWaiting) return;
    block.isWaiting = false;
    this.waitingFrom = Number.POSITIVE_INFINITY;
    for (const other of this.ring.blocks()) {
      if (other.isWaiting) this.waitingFrom = Math.min(this.waitingFrom, other.number);
    }
  }

  /** Too much is held back: whoever waits is told of the loss, newcomers start clean. */
  private giveUp(): void {
    const to = this.ring.tip?.number ?? 0;
    const from = Math.min(this.waitingFrom, to);
    this.reset(this.isOn);
    this.listener().gap("logs", from, to);
  }

  private forget(block: Block): void {
    if (block.isCanonical) this.unsent -= unsentOf(block);
    else this.loose -= block.logs.length;
    this.stored -= block.logs.length;
    block.isForgotten ||= block.logs.length > 0;
    block.logs = [];
  }

  /** Memory for logs is full: the oldest canonical blocks lose theirs. */
  private forgetOldest(): void {
    const kept: Block[] = [];
    for (let at = this.ring.tip; at?.isCanonical === true; at = this.ring.parentOf(at)) {
      if (at.logs.length > 0) kept.push(at);
    }
    while (this.stored > MAX_LOGS * 0.9 && kept.length > 1) {
      const block = kept.pop();
      if (block !== undefined && !block.isWaiting) this.forget(block);
    }
  }
}

const unsentOf = (block: Block): number => {
  let count = 0;
  for (const log of block.logs) if (!log.isSent) count++;
  return count;
};
