/**
 * Follows one chain for its subscribers: turns what providers announce, in any order and with holes,
 * into one history in which each block is linked to its parent.
 *
 * A block is canonical or not, and events are made on the *transition*: a block that becomes
 * canonical sends its head and its logs, one that ceases to be takes its logs back. So A -> B -> A
 * shows the second A, and a log can be neither sent twice nor retracted unsent; a set of seen keys
 * cannot express that (json-rpc reference, subscriptions).
 *
 * Pure: time is an argument, questions to providers are `needs`, events go to the listener after the
 * state has been committed.
 */
import { createBlock, type Block, type BlockLog, type Head } from "./block.ts";
import { LogLedger, type LedgerListener } from "./log-ledger.ts";
import { needBlock, needHeight, Needs, type Need } from "./needs.ts";

/** Bounds of a follower. */
export interface FollowerLimits {
  /** Longest gap that is filled, in blocks. */
  readonly maxBackfillBlocks: number;
  /** A gap that is not filled after this time is announced as lost. */
  readonly backfillTimeoutMs: number;
  /** Events of one block arrive within this time of each other. */
  readonly settleMs: number;
}

/** What a follower tells; called after its state is consistent. */
export interface FollowerListener extends LedgerListener {
  head(block: Block): void;
  /** A log of a block that is orphaned, in reverse order of sending. */
  retraction(block: Block, log: BlockLog): void;
  /** Blocks that were replaced, the former tip first. */
  reorg(orphaned: readonly Block[], tip: Block): void;
  /** Blocks that no stream brought were fetched and are canonical now. */
  filled(from: number, to: number): void;
  /** A provider announced a block far above all others, and nobody confirms it. */
  implausible(source: string, number: number): void;
}

/** What one provider says is its head. */
interface Announced {
  readonly hash: string;
  readonly number: number;
  atMs: number;
}

/** A block that a source wants to be the tip and that is not connected yet. */
interface Target {
  readonly block: Block;
  readonly sinceMs: number;
  readonly isMove: boolean;
}

const RING_BLOCKS = 256;
const MAX_ASKED = 8;
const PREFETCH_BLOCKS = 8;
/** A source that said nothing for this time is no witness against another one. */
const WITNESS_MS = 30_000;
/** Logs without a head: the head is asked for after this time. */
const HEADLESS_MS = 300;

/** The history of one chain as its subscribers see it. */
export class ChainFollower {
  /** Where events go; replaced when the process that serves the clients is restarted. */
  listener: FollowerListener;
  /** Somebody watches: gaps are filled. */
  isWatched = false;
  tip: Block | undefined;
  readonly needs = new Needs(MAX_ASKED);
  readonly logs: LogLedger;
  private limits: FollowerLimits;
  private readonly ring = new Map<string, Block>();
  private readonly announced = new Map<string, Announced>();
  private readonly claims = new Map<string, number>();
  private readonly headless = new Set<Block>();
  private readonly targets = new Map<string, Target>();
  private readonly asked = new Set<string>();
  private lowest: Block | undefined;
  private transitions = 0;
  private lastOfLog: Block | undefined;

  constructor(limits: FollowerLimits, listener: FollowerListener) {
    this.limits = limits;
    this.listener = listener;
    const view = {
      tip: () => this.tip,
      blocks: () => this.ring.values(),
      parentOf: (block: Block) => this.parentOf(block),
    };
    this.logs = new LogLedger(
      {
        get tip() {
          return view.tip();
        },
        blocks: view.blocks,
        parentOf: view.parentOf,
      },
      this.needs,
      limits.settleMs,
      () => this.listener,
    );
  }

  /** Place of the newest transition; a subscriber that joins now sees what comes after it. */
  get sequence(): number {
    return this.transitions;
  }

  /** What the streams of this chain are doing. */
  get state(): "idle" | "racing" | "filling" | "degraded" {
    if (this.logs.isWaiting) return "degraded";
    if (this.targets.size > 0) return "filling";
    return this.tip === undefined ? "idle" : "racing";
  }

  /** Blocks known, canonical and side ones. */
  get blockCount(): number {
    return this.ring.size;
  }

  /** Adopts new bounds, e.g. after a reload or when the block time became known. */
  setLimits(limits: FollowerLimits): void {
    this.limits = limits;
    this.logs.sources.settleMs = limits.settleMs;
  }

  /** Starts or stops keeping logs; blocks that are canonical already stay without. */
  setWantsLogs(wantsLogs: boolean): void {
    if (this.logs.isOn === wantsLogs) return;
    this.logs.reset(wantsLogs);
    for (const block of this.headless) this.drop(block);
    this.lastOfLog = undefined;
  }

  /** A provider announced a head. */
  head(source: string, head: Head, nowMs: number): void {
    const previous = this.announced.get(source);
    if (previous?.hash === head.hash) {
      previous.atMs = nowMs;
      return;
    }
    if (this.isImplausible(source, head, nowMs)) {
      this.listener.implausible(source, head.number);
      return;
    }
    this.announced.set(source, { hash: head.hash, number: head.number, atMs: nowMs });
    this.logs.sources.reached(source, head.number);
    const block = this.learn(head, nowMs);
    const hasMoved = this.hasMoved(previous, head);
    this.consider(source, block, hasMoved, nowMs);
  }

  /** What the chain's tip was before anybody announced one: history, not an event for anybody. */
  seed(head: Head, nowMs: number): void {
    if (this.tip === undefined) this.rebase(this.learn(head, nowMs), nowMs, true);
  }

  /** A provider announced a log; `bytes` is called only when the log is new. */
  log(hash: string, number: number, index: number, nowMs: number, bytes: () => Buffer): void {
    if (!this.logs.isOn) return;
    let block = this.lastOfLog;
    if (block?.hash !== hash) {
      block = this.ring.get(hash) ?? this.createHeadless(hash, number, nowMs);
      if (block === undefined) return;
      this.lastOfLog = block;
    }
    this.logs.store(block, index, bytes);
  }

  /** The answer to a block or height need; `undefined` asks again later. */
  blockAnswer(need: Need, head: Head | undefined, nowMs: number): void {
    if (this.needs.get(need.key) === undefined) return;
    if (head === undefined || (need.kind === "block" && need.hash !== head.hash)) {
      return this.needs.failed(need.key, nowMs);
    }
    this.needs.answered(need.key, nowMs);
    this.asked.delete(need.key);
    const known = this.ring.get(head.hash);
    const wasHeadless = known !== undefined && known.head === undefined;
    const block = this.learn(head, nowMs);
    // A head that only its logs told of is as good as announced.
    if (wasHeadless && head.number > (this.tip?.number ?? -1)) {
      this.consider("", block, false, nowMs);
    } else this.pursue(nowMs);
  }

  /** The answer to a logs need; `undefined` asks again later. */
  logsAnswer(
    need: Need,
    logs: readonly { readonly index: number; readonly bytes: Buffer }[] | undefined,
    nowMs: number,
  ): void {
    if (this.needs.get(need.key) === undefined) return;
    const block = this.ring.get(need.hash);
    if (block === undefined || !this.logs.isOn) return this.needs.delete(need.key);
    if (logs === undefined || !this.logs.complete(block, logs)) {
      return this.needs.failed(need.key, nowMs);
    }
    this.needs.answered(need.key, nowMs);
  }

  /** The logs of a block are in doubt, e.g. its sources disagree: one call settles it. */
  verify(hash: string, nowMs: number): void {
    const block = this.ring.get(hash);
    if (block?.isCanonical === true && this.logs.isOn) this.logs.verify(block, nowMs);
  }

  /** Events may have been lost on our own side: every log source starts anew. */
  sourcesBroke(nowMs: number): void {
    for (const source of this.logs.sources.live()) {
      this.logs.sourceDown(source, nowMs);
      this.logs.sources.up(source, nowMs);
    }
  }

  /** A provider is gone; what it said last counts no more. */
  forgetSource(source: string): void {
    this.announced.delete(source);
    this.claims.delete(source);
    this.targets.delete(source);
  }

  /** Time passes: settles blocks, gives up on gaps, asks for the heads of headless logs. */
  tick(nowMs: number): void {
    this.logs.settle(nowMs);
    for (const block of this.headless) {
      if (nowMs - block.seenAtMs > this.limits.backfillTimeoutMs) this.drop(block);
      else if (nowMs - block.seenAtMs >= HEADLESS_MS) this.needs.add(needBlock(block.hash), nowMs);
    }
    for (const [source, target] of this.targets) {
      if (nowMs - target.sinceMs <= this.limits.backfillTimeoutMs) continue;
      this.targets.delete(source);
      // While others carry the chain on, a branch that cannot be connected is nobody's loss.
      const isOvertaken = this.targets.size > 0 || (this.tip?.raisedAtMs ?? 0) > target.sinceMs;
      if (!isOvertaken) return this.lose(target.block, nowMs);
    }
    if (this.targets.size === 0) this.withdraw();
  }

  private learn(head: Head, nowMs: number): Block {
    let block = this.ring.get(head.hash);
    if (block === undefined) {
      block = createBlock(head.hash, head.number, nowMs);
      this.ring.set(head.hash, block);
      this.trimSides();
    }
    if (block.head === undefined) {
      block.head = head;
      if (this.headless.delete(block)) this.needs.delete(needBlock(head.hash).key);
    }
    this.deepen(block);
    return block;
  }

  /** The ring is young and this is the parent of its lowest block: history goes back one more. */
  private deepen(block: Block): void {
    if (block.hash !== this.lowest?.head?.parentHash || block.isCanonical) return;
    this.logs.drop(block);
    block.isCanonical = true;
    block.isComplete = true;
    this.lowest = block;
  }

  private consider(source: string, block: Block, hasMoved: boolean, nowMs: number): void {
    const { tip } = this;
    if (tip === undefined) return this.rebase(block, nowMs);
    if (!block.isCanonical) {
      if (block.head?.parentHash === tip.hash) this.switchTo([block], tip, nowMs);
      else if (hasMoved || block.number > tip.number) {
        const sinceMs = this.targets.get(source)?.sinceMs ?? nowMs;
        this.targets.set(source, { block, sinceMs, isMove: hasMoved });
      }
    }
    this.pursue(nowMs);
  }

  private isImplausible(source: string, head: Head, nowMs: number): boolean {
    const { maxBackfillBlocks } = this.limits;
    this.claims.set(source, head.number);
    const tip = this.tip?.number;
    if (tip === undefined || head.number - tip <= maxBackfillBlocks) return false;
    for (const [other, claim] of this.claims) {
      if (other !== source && Math.abs(claim - head.number) <= maxBackfillBlocks) return false;
    }
    for (const [other, last] of this.announced) {
      if (other !== source && nowMs - last.atMs <= WITNESS_MS) return true;
    }
    return false;
  }

  /** The provider itself left the canonical branch: it had announced a block this one replaces. */
  private hasMoved(previous: Announced | undefined, head: Head): boolean {
    if (previous === undefined || previous.number < head.number) return false;
    return this.ring.get(previous.hash)?.isCanonical === true;
  }

  /** Connects targets to the canonical chain, or asks for what is missing between. */
  private pursue(nowMs: number): void {
    for (const [source, target] of this.targets) {
      const { tip } = this;
      if (tip === undefined) return;
      if (target.block.isCanonical) {
        this.targets.delete(source);
        continue;
      }
      const path: Block[] = [];
      let at: Block | undefined = target.block;
      while (at?.head !== undefined && !at.isCanonical) {
        path.push(at);
        at = this.parentOf(at);
      }
      const last = path.at(-1);
      if (at === undefined || at.head === undefined) {
        if (last !== undefined && this.reach(source, target, last, nowMs)) return;
        continue;
      }
      this.targets.delete(source);
      const isBetter = target.isMove || target.block.number > tip.number;
      if (isBetter) this.switchTo(path, at, nowMs);
    }
    if (this.targets.size === 0) this.withdraw();
  }

  /** Asks for the parent of `child`; true when history had to start anew instead. */
  private reach(source: string, target: Target, child: Block, nowMs: number): boolean {
    const { tip, lowest } = this;
    if (tip === undefined || lowest === undefined || child.head === undefined) return false;
    if (!this.isWatched) {
      this.rebase(target.block, nowMs);
      return true;
    }
    const isRingFull = tip.number - lowest.number >= RING_BLOCKS - 1;
    const isTooDeep = child.number <= lowest.number && isRingFull;
    const isTooLong = target.block.number - tip.number > this.limits.maxBackfillBlocks + 1;
    if (isTooLong || isTooDeep) {
      this.targets.delete(source);
      this.lose(target.block, nowMs);
      return true;
    }
    this.ask(needBlock(child.head.parentHash), nowMs);
    if (child.number <= lowest.number && lowest.head !== undefined) {
      this.ask(needBlock(lowest.head.parentHash), nowMs);
    }
    const down = Math.max(tip.number + 1, child.number - PREFETCH_BLOCKS);
    for (let number = child.number - 2; number >= down; number--) {
      this.ask(needHeight(number), nowMs);
    }
    return false;
  }

  private ask(need: Need, nowMs: number): void {
    this.asked.add(need.key);
    this.needs.add(need, nowMs);
  }

  private withdraw(): void {
    for (const key of this.asked) this.needs.delete(key);
    this.asked.clear();
  }

  /** Makes `path` (newest first) canonical on top of `ancestor`. */
  private switchTo(path: readonly Block[], ancestor: Block, nowMs: number): void {
    const orphaned: Block[] = [];
    for (let at = this.tip; at !== undefined && at !== ancestor; at = this.parentOf(at)) {
      orphaned.push(at);
    }
    const retracted: [Block, BlockLog][] = [];
    let isRetractable = true;
    for (const block of orphaned) {
      const sent = this.logs.orphan(block);
      block.isCanonical = false;
      if (sent === false) isRetractable = false;
      else for (const log of sent) retracted.push([block, log]);
    }
    const isExtension = path.length === 1 && orphaned.length === 0;
    const risen = path.toReversed();
    this.tip = path[0];
    for (const block of risen) {
      this.raise(block, isExtension ? block.seenAtMs : ancestor.seenAtMs, nowMs);
    }
    this.trim();

    for (const [block, log] of retracted) this.listener.retraction(block, log);
    if (orphaned.length > 0 && this.tip !== undefined) this.listener.reorg(orphaned, this.tip);
    if (!isRetractable && this.logs.isOn) {
      this.listener.gap("logs", orphaned.at(-1)?.number ?? 0, orphaned[0]?.number ?? 0);
    }
    if (!isExtension && orphaned.length === 0) {
      this.listener.filled(ancestor.number + 1, (path[0]?.number ?? 0) - 1);
    }
    for (const block of risen) this.listener.head(block);
    this.logs.flush();
  }

  private raise(block: Block, coverMs: number, nowMs: number): void {
    block.isCanonical = true;
    block.raisedAtMs = nowMs;
    block.sequence = ++this.transitions;
    this.logs.raise(block, coverMs, nowMs);
  }

  private parentOf(block: Block): Block | undefined {
    return block.head === undefined ? undefined : this.ring.get(block.head.parentHash);
  }

  /** Starts a new history at `block`; what was before is forgotten. */
  private rebase(block: Block, nowMs: number, isOld = false): void {
    this.ring.clear();
    this.headless.clear();
    this.targets.clear();
    this.needs.clear();
    this.asked.clear();
    this.lastOfLog = undefined;
    block.isCanonical = false;
    this.ring.set(block.hash, block);
    this.logs.restart(block);
    this.lowest = block;
    this.tip = block;
    this.raise(block, block.seenAtMs, nowMs);
    // Transition 0 is before everybody's subscription.
    if (isOld) block.sequence = 0;
    this.listener.head(block);
    this.logs.flush();
  }

  private lose(block: Block, nowMs: number): void {
    const from = Math.min((this.tip?.number ?? block.number) + 1, block.number);
    this.listener.gap("all", from, block.number);
    this.rebase(block, nowMs);
  }

  private createHeadless(hash: string, number: number, nowMs: number): Block | undefined {
    const tip = this.tip?.number ?? number;
    const isNear =
      number >= (this.lowest?.number ?? 0) && number <= tip + this.limits.maxBackfillBlocks;
    if (!isNear || this.headless.size >= RING_BLOCKS) return undefined;
    const block = createBlock(hash, number, nowMs);
    this.ring.set(hash, block);
    this.headless.add(block);
    return block;
  }

  /** Forgets what is below the ring. */
  private trim(): void {
    this.logs.trim();
    const bottom = (this.tip?.number ?? 0) - RING_BLOCKS + 1;
    if ((this.lowest?.number ?? bottom) >= bottom) return;
    for (const block of this.ring.values()) {
      if (block.number < bottom) this.drop(block);
      else if (block.number === bottom && block.isCanonical) this.lowest = block;
    }
  }

  /** Side blocks are bounded, whatever providers send: the oldest go first. */
  private trimSides(): void {
    const bound = 2 * RING_BLOCKS + this.limits.maxBackfillBlocks;
    if (this.ring.size <= bound) return;
    for (const block of this.ring.values()) {
      if (this.ring.size <= bound) return;
      if (!block.isCanonical) this.drop(block);
    }
  }

  private drop(block: Block): void {
    this.ring.delete(block.hash);
    this.headless.delete(block);
    this.needs.delete(needBlock(block.hash).key);
    if (this.lastOfLog === block) this.lastOfLog = undefined;
    this.logs.drop(block);
  }
}
