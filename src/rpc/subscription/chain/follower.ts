/**
 * Follows one chain for its subscribers: turns what providers announce, in any order and with holes,
 * into one history in which each block is linked to its parent.
 *
 * A block is canonical or not, and events are made on the *transition*: a block that becomes
 * canonical sends its head and its logs, one that ceases to be takes its logs back. So A -> B -> A
 * shows the second A, and a log can be neither sent twice nor retracted unsent; a set of seen keys
 * cannot express that (json-rpc reference 17).
 *
 * Whoever announces the next block first is believed at once: that is the race. Which of two branches
 * is the chain is decided by the providers' voices, so one that lies, or lags on a branch of its own,
 * is out-voted.
 *
 * Pure: time is an argument, questions to providers are `needs`, events go to the listener after the
 * state has been committed.
 */
import type { LogPlace } from "../../message-key.ts";
import { raiseAt, type Block, type BlockLog, type Head } from "./block.ts";
import { Branches, type BranchListener } from "./branches.ts";
import { missedSince, type Cursor, type Missed } from "./history.ts";
import type { Dispute } from "../../race/block-sums.ts";
import type { BlockLogs } from "../logs/block-logs.ts";
import { LogLedger, type LedgerListener } from "../logs/log-ledger.ts";
import { needBlock, Needs, type Need } from "./needs.ts";
import { Ring } from "./ring.ts";

/** Bounds of a follower. */
export interface FollowerLimits {
  /** Longest gap that is filled, in blocks. */
  readonly maxBackfillBlocks: number;
  /** A gap that is not filled after this time is announced as lost. */
  readonly backfillTimeoutMs: number;
  /** Events of one block arrive within this time of each other. */
  readonly settleMs: number;
  /** What a provider said longer ago is no voice against others. */
  readonly witnessMs: number;
  /** Providers that may be heard: more than half of them decide where history begins. */
  readonly voters: number;
}

/** What a follower tells; called after its state is consistent. */
export interface FollowerListener extends LedgerListener, BranchListener {
  head(block: Block): void;
  /** A log of a block that is orphaned, in reverse order of sending. */
  retraction(block: Block, log: BlockLog): void;
  /** Blocks that were replaced, the former tip first. */
  reorg(orphaned: readonly Block[], tip: Block): void;
  /** Blocks that no stream brought were fetched and are canonical now. */
  filled(from: number, to: number): void;
}

const MAX_ASKED = 16;
/** Logs without a head: the head is asked for after this time. */
const HEADLESS_MS = 300;
/** Blocks of which only logs are known; the oldest gives way. */
const MAX_HEADLESS = 256;

/** The history of one chain as its subscribers see it. */
export class ChainFollower {
  /** Where events go; replaced when the process that serves the clients is restarted. */
  listener: FollowerListener;
  readonly needs = new Needs(MAX_ASKED);
  readonly ring = new Ring();
  readonly logs: LogLedger;
  readonly branches: Branches;
  /** Events of this turn are on their way to the clients; still set at a restart: some may be lost. */
  isTelling = false;
  private limits: FollowerLimits;
  private readonly headless = new Set<Block>();
  private lastOfLog: Block | undefined;
  private lastSource = "";

  constructor(limits: FollowerLimits, listener: FollowerListener) {
    this.limits = limits;
    this.listener = listener;
    this.logs = new LogLedger(this.ring, this.needs, limits.settleMs, () => this.listener);
    this.branches = new Branches(this.ring, this.needs, limits, {
      listener: () => this.listener,
      switchTo: (path, ancestor, nowMs) => this.switchTo(path, ancestor, nowMs),
      restart: (block, isNews, nowMs) => this.rebase(block, isNews, nowMs),
    });
  }

  get tip(): Block | undefined {
    return this.ring.tip;
  }

  /** Somebody watches: gaps are filled. */
  get isWatched(): boolean {
    return this.branches.whereabouts.isWatched;
  }

  set isWatched(isWatched: boolean) {
    this.branches.whereabouts.isWatched = isWatched;
  }

  /** Place of the newest event; a subscriber that joins now sees what becomes canonical after it. */
  get sequence(): number {
    return this.ring.clock;
  }

  /** What the streams of this chain are doing. */
  get state(): "idle" | "racing" | "filling" | "degraded" {
    if (this.logs.isWaiting) return "degraded";
    if (this.branches.isFilling) return "filling";
    return this.tip === undefined ? "idle" : "racing";
  }

  /** Blocks known, canonical and side ones. */
  get blockCount(): number {
    return this.ring.size;
  }

  /** What a client that saw everything up to `cursor` has missed; undefined when that is forgotten. */
  missedSince(cursor: Cursor, kind: "newHeads" | "logs"): Missed | "ambiguous" | undefined {
    if (kind === "newHeads") return missedSince(this.ring, cursor, undefined);
    return this.logs.isOn ? missedSince(this.ring, cursor, this.logs.onSince) : undefined;
  }

  /** Adopts new bounds, e.g. after a reload or when the block time became known. */
  setLimits(limits: FollowerLimits): void {
    this.limits = limits;
    this.logs.sources.settleMs = limits.settleMs;
    this.branches.setLimits(limits);
  }

  /** Starts or stops keeping logs; blocks that are canonical already stay without. */
  setWantsLogs(wantsLogs: boolean): void {
    if (this.logs.isOn === wantsLogs) return;
    this.logs.reset(wantsLogs);
    for (const block of this.headless) this.drop(block);
    this.lastOfLog = undefined;
  }

  /** A provider announced a head; `isAnswer`: it was asked for its newest one. */
  head(source: string, head: Head, nowMs: number, isAnswer = false): void {
    const isNews = this.branches.isNews(source, head, nowMs);
    const block = isNews ? this.learn(head, nowMs) : this.ring.get(head.hash);
    // An answer may be ahead of the stream that brings the logs.
    if (block !== undefined && !isAnswer) this.logs.reached(source, block, nowMs);
    if (!isNews) return;
    if (block === undefined) return this.branches.contradicted(source, head, nowMs);
    this.branches.told(source, block, isAnswer, nowMs);
  }

  /** A provider announced a log; `bytes` is called only when the log is new. */
  log(
    source: string,
    { hash, number, index }: Omit<LogPlace, "isRemoved">,
    nowMs: number,
    bytes: () => Buffer,
  ): void {
    if (!this.logs.isOn) return;
    let block = this.lastOfLog;
    if (block?.hash !== hash || source !== this.lastSource) {
      block = this.ring.get(hash) ?? this.createHeadless(hash, number, nowMs);
      if (block === undefined) return;
      this.lastOfLog = block;
      this.lastSource = source;
      this.logs.reached(source, block, nowMs);
    }
    this.logs.store(block, index, source, nowMs, bytes);
  }

  /** The answer to a block or height need; `undefined` asks again later. */
  blockAnswer(need: Need, head: Head | undefined, nowMs: number): void {
    if (this.needs.get(need.key) === undefined) return;
    if (head === undefined || (need.kind === "block" && need.hash !== head.hash)) {
      return this.needs.failed(need.key, nowMs);
    }
    const known = this.ring.get(head.hash);
    const wasHeadless = known !== undefined && known.head === undefined;
    const block = this.learn(head, nowMs);
    if (block === undefined) return this.needs.failed(need.key, nowMs);
    block.isLookedUp ||= need.kind === "block";
    this.needs.answered(need.key, nowMs);
    // A head that only its logs told of is as good as announced.
    if (wasHeadless && head.number > this.ring.heightOfTip) this.branches.found(block, nowMs);
    else this.branches.pursue(nowMs);
  }

  /** The answer to a logs need; `undefined` asks again later. */
  logsAnswer(need: Need, logs: BlockLogs | undefined, nowMs: number): void {
    if (this.needs.get(need.key) === undefined) return;
    const block = this.ring.get(need.hash);
    if (block === undefined || !this.logs.isOn) return this.needs.delete(need.key);
    const isTaken =
      need.kind === "agreedLogs"
        ? this.logs.agreed(block, logs, nowMs)
        : logs !== undefined && this.logs.complete(block, logs, nowMs);
    if (isTaken) this.needs.answered(need.key, nowMs);
    else this.needs.failed(need.key, nowMs);
  }

  /** The streams tell different stories of a block's logs. */
  disputed(told: Dispute, nowMs: number): void {
    const block = this.ring.get(told.hash);
    if (block !== undefined && this.logs.isOn) this.logs.dispute(block, told, nowMs);
  }

  /** Events may have been lost on our own side: every log source starts anew. */
  sourcesBroke(nowMs: number): void {
    for (const source of this.logs.sources.live()) {
      this.logs.sourceDown(source, nowMs);
      this.logs.sourceUp(source, nowMs);
    }
  }

  /** A block of history that a client who comes back needs; nobody is told of it. */
  recalled(head: Head, nowMs: number): void {
    this.learn(head, nowMs);
    // Others that were asked for with it may lie below it already.
    for (;;) {
      const { lowest } = this.ring;
      const below = lowest === undefined ? undefined : this.ring.parentOf(lowest);
      if (below?.head === undefined || below.isCanonical) return;
      this.deepen(below);
    }
  }

  /** All logs of a block of history, as answered; false when that cannot be the truth. */
  recalledLogs(hash: string, logs: BlockLogs | undefined, nowMs: number): boolean {
    const block = this.ring.get(hash);
    return block === undefined || (logs !== undefined && this.logs.adopt(block, logs, nowMs));
  }

  /** Time passes: settles blocks, gives up on gaps, asks for the heads of headless logs. */
  tick(nowMs: number): void {
    this.logs.settle(nowMs);
    for (const block of this.headless) {
      if (nowMs - block.seenAtMs > this.limits.backfillTimeoutMs) this.drop(block);
      else if (nowMs - block.seenAtMs >= HEADLESS_MS) this.needs.add(needBlock(block.hash), nowMs);
    }
    this.branches.tick(nowMs);
  }

  /** The block of a header; undefined when it contradicts what is known of the same hash. */
  private learn(head: Head, nowMs: number): Block | undefined {
    const known = this.ring.get(head.hash);
    if (known !== undefined && isOther(known, head)) {
      // Whatever fits on the chain is the truth of two stories about one block.
      if (known.isCanonical || this.ring.parentOf(known) !== undefined) return undefined;
      this.drop(known);
    }
    const block = this.ring.place(head.hash, head.number, nowMs);
    block.isForgotten ||= known !== undefined && known !== block;
    if (block.head === undefined) {
      block.head = head;
      if (this.headless.delete(block)) this.needs.delete(needBlock(head.hash).key);
    }
    this.deepen(block);
    const bound = this.branches.maxBlocks;
    for (const side of this.ring.surplus(bound)) if (side !== block) this.drop(side);
    return block;
  }

  /** The ring is young and this is the parent of its lowest block: history goes back one more. */
  private deepen(block: Block): void {
    const { lowest } = this.ring;
    if (block.isCanonical || lowest === undefined || this.ring.parentOf(lowest) !== block) return;
    this.deem(block);
  }

  /** Makes `path` (newest first) canonical on top of `ancestor`. */
  private switchTo(path: readonly Block[], ancestor: Block, nowMs: number): void {
    this.isTelling = true;
    const orphaned = this.ring.above(ancestor);
    const retracted: [Block, BlockLog][] = [];
    let lost = 0;
    for (const block of orphaned) {
      const sent = this.logs.orphan(block);
      block.isCanonical = false;
      if (sent === false) lost = Math.max(lost, block.sequence);
      else for (const log of sent) retracted.push([block, log]);
    }
    const isExtension = path.length === 1 && orphaned.length === 0;
    const risen = path.toReversed();
    this.ring.tip = path[0];
    for (const block of risen) {
      this.raise(block, isExtension ? block.seenAtMs : ancestor.seenAtMs, nowMs);
    }
    this.logs.trim();
    for (const block of this.ring.sunk()) this.drop(block);

    for (const [block, log] of retracted) this.listener.retraction(block, log);
    if (orphaned.length > 0 && this.tip !== undefined) this.listener.reorg(orphaned, this.tip);
    if (lost > 0 && this.logs.isOn) {
      const [from, to] = [orphaned.at(-1)?.number ?? 0, orphaned[0]?.number ?? 0];
      this.listener.gap("logs", from, to, lost);
    }
    if (!isExtension && orphaned.length === 0) {
      this.listener.filled(ancestor.number + 1, (path[0]?.number ?? 0) - 1);
    }
    for (const block of risen) this.listener.head(block);
    this.logs.flush(nowMs);
  }

  private raise(block: Block, coverMs: number, nowMs: number): void {
    block.isCanonical = true;
    block.raisedAtMs = nowMs;
    raiseAt(block, this.ring.tick());
    this.logs.raise(block, coverMs, nowMs);
  }

  /**
   * Starts a new history at `block`; what was before is forgotten. Without `isNews` it is the chain's
   * tip before anybody announced one: history, not an event for anybody.
   */
  private rebase(block: Block, isNews: boolean, nowMs: number): void {
    this.isTelling = true;
    this.headless.clear();
    this.needs.clear();
    this.lastOfLog = undefined;
    block.isCanonical = false;
    const above = this.ring.restart(block);
    const partial = above.filter(({ logs }) => logs.length > 0);
    this.logs.restart(block);
    // Should they become canonical, all their logs are asked for.
    for (const one of partial) one.isForgotten = true;
    if (isNews) this.raise(block, block.seenAtMs, nowMs);
    else this.deem(block);
    this.listener.head(block);
    this.logs.flush(nowMs);
  }

  /** Makes a block canonical that is history to everybody. */
  private deem(block: Block): void {
    this.logs.drop(block);
    block.isCanonical = true;
    block.isForgotten = true;
    this.ring.lowest = block;
  }

  private createHeadless(hash: string, number: number, nowMs: number): Block | undefined {
    const tip = this.tip?.number ?? number;
    const isNear = number >= this.ring.bottom && number <= tip + this.limits.maxBackfillBlocks;
    if (!isNear) return undefined;
    const [oldest] = this.headless.size >= MAX_HEADLESS ? this.headless : [];
    if (oldest !== undefined) {
      // Should it turn out to be of the chain, all its logs are asked for.
      oldest.isForgotten = true;
      this.logs.memory.forget(oldest);
      this.headless.delete(oldest);
    }
    const block = this.ring.place(hash, number, nowMs);
    this.headless.add(block);
    return block;
  }

  private drop(block: Block): void {
    this.ring.delete(block);
    this.headless.delete(block);
    this.needs.delete(needBlock(block.hash).key);
    if (this.lastOfLog === block) this.lastOfLog = undefined;
    this.logs.drop(block);
  }
}

/** Two stories about one hash. */
const isOther = ({ number, head }: Block, told: Head): boolean =>
  number !== told.number || (head !== undefined && head.parentHash !== told.parentHash);
