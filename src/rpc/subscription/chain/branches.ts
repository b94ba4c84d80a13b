/**
 * Which branch is the chain: listens to the providers, connects what they announce, lets them vote.
 *
 * A child of the tip is the chain at once. Any other branch must be connected first, and then have
 * more providers behind it than the present one, or as many and a greater height.
 */
import type { Block, Head } from "./block.ts";
import { Credit } from "./voices/credit.ts";
import { Doubts, type ToldBlock } from "./voices/doubts.ts";
import type { FollowerLimits } from "./follower.ts";
import type { Need, Needs } from "./needs.ts";
import { ANYBODY, Opinions, type Opinion, type Path } from "./voices/opinions.ts";
import { missingBelow, pathFrom } from "./pursuit.ts";
import { RING_BLOCKS, type Ring } from "./ring.ts";
import { firstTold, isUnrelated } from "./voices/survey.ts";
import { Whereabouts } from "./voices/whereabouts.ts";

/** What is told about branches. */
export interface BranchListener {
  /** Events from `from` to `to` are lost for every subscriber older than the event `sequence`. */
  gap(kinds: "all" | "logs", from: number, to: number, sequence: number): void;
  /** A provider announced a block far above all others, and nobody confirms it. */
  implausible(source: string, number: number): void;
  /** A provider announced a block that others contradict; `isLost`: it is believed alone no more. */
  outvoted(source: string, block: ToldBlock, isLost: boolean): void;
  /** A higher branch has fewer voices than the present one: those who are for it should be asked. */
  contested(sources: readonly string[]): void;
}

/** What becomes of branches. */
interface Chain {
  readonly listener: () => BranchListener;
  /** The path (newest first) is canonical from now on, on top of `ancestor`. */
  switchTo(path: readonly Block[], ancestor: Block, nowMs: number): void;
  /** History begins anew; `isNews`: the block is an event, not what was there before. */
  restart(block: Block, isNews: boolean, nowMs: number): void;
}

/** A branch is contested for so long before its opponents are asked, and asked again, ms. */
const CONTEST_MS = 1_000;
const ASK_AGAIN_MS = 5_000;

/** The branches of one chain. */
export class Branches {
  readonly whereabouts: Whereabouts;
  private readonly ring: Ring;
  private readonly needs: Needs;
  private readonly chain: Chain;
  private readonly credit = new Credit();
  private readonly opinions: Opinions;
  private readonly doubts: Doubts;
  private limits: FollowerLimits;
  private asked = new Set<string>();
  /** When those who are for the canonical branch are asked. */
  private contestAtMs: number | undefined;

  constructor(ring: Ring, needs: Needs, limits: FollowerLimits, chain: Chain) {
    this.ring = ring;
    this.needs = needs;
    this.limits = limits;
    this.chain = chain;
    this.opinions = new Opinions(ring, this.credit, limits.witnessMs);
    this.whereabouts = new Whereabouts(ring, this.opinions, limits);
    this.doubts = new Doubts(ring, this.opinions, this.credit, (...told) =>
      chain.listener().outvoted(...told),
    );
  }

  /** Blocks are being fetched that connect a branch. */
  get isFilling(): boolean {
    return this.opinions.openCount > 0;
  }

  /** Blocks that may be remembered, side ones included. */
  get maxBlocks(): number {
    return 2 * RING_BLOCKS + this.limits.maxBackfillBlocks;
  }

  setLimits(limits: FollowerLimits): void {
    this.limits = limits;
    this.opinions.witnessMs = limits.witnessMs;
    this.whereabouts.limits = limits;
  }

  /** False when the provider repeats itself, or runs away from all others. */
  isNews(source: string, { hash, number }: Head, nowMs: number): boolean {
    const known = this.opinions.of(source);
    if (known?.hash === hash) {
      known.atMs = nowMs;
      return false;
    }
    if (!this.opinions.isAlone(source, number, this.limits.maxBackfillBlocks, nowMs)) return true;
    this.chain.listener().implausible(source, number);
    return false;
  }

  /** A provider is gone; what it said last counts no more. */
  forget(source: string): void {
    this.opinions.forget(source);
  }

  /** A provider announced a block; `isAnswer`: it was asked for its newest one. */
  told(source: string, block: Block, isAnswer: boolean, nowMs: number): void {
    this.doubts.told(block);
    block.tellers.add(source);
    this.opinions.tell(source, block, isAnswer, nowMs);
    const { tip } = this.ring;
    const isNext = !block.isCanonical && this.ring.parentOf(block) === tip;
    if (tip !== undefined && isNext && !this.whereabouts.isDisowned) {
      if (this.isCredible(block, nowMs)) this.switchTo([block], tip, nowMs);
    }
    this.pursue(nowMs);
  }

  /** A block above the tip came up without anybody announcing it. */
  found(block: Block, nowMs: number): void {
    this.told(ANYBODY, block, false, nowMs);
  }

  /** A provider told another story about a block that is known. */
  contradicted(source: string, head: Head, nowMs: number): void {
    this.doubts.contradicted(source, head, nowMs);
  }

  /** Connects branches to the canonical chain, or asks for what is missing between. */
  pursue(nowMs: number): void {
    const move = this.whereabouts.look(nowMs);
    if (move !== undefined) {
      return move.isLoss ? this.lose(move.block, nowMs) : this.begin(move.block, nowMs);
    }
    const wanted = new Set<string>();
    let isContested = false;
    for (const need of this.whereabouts.missing) this.ask(need, wanted, nowMs);
    for (const opinion of this.opinions.all()) {
      const block = this.ring.get(opinion.hash);
      const isSettled = block === undefined || block.isCanonical || this.ring.tip === undefined;
      if (isSettled || block.number < this.ring.bottom) {
        opinion.openSinceMs = undefined;
        continue;
      }
      const path = pathFrom(this.ring, block);
      if (path.ancestor === undefined) {
        if (this.reach(opinion, block, path, wanted, nowMs)) return;
        continue;
      }
      opinion.openSinceMs = undefined;
      if (this.whereabouts.isDisowned) continue;
      if (this.opinions.prefer(path, nowMs) && this.isCredible(block, nowMs)) {
        this.switchTo(path.blocks, path.ancestor, nowMs);
      } else if (this.isHigher(opinion, nowMs)) isContested = true;
    }
    if (!isContested) this.contestAtMs = undefined;
    else this.contestAtMs ??= nowMs + CONTEST_MS;
    for (const key of this.asked) if (!wanted.has(key)) this.needs.delete(key);
    this.asked = wanted;
  }

  /** Time passes: gives up on gaps, judges lone announcements, asks whoever stands against others. */
  tick(nowMs: number): void {
    this.pursue(nowMs);
    this.doubts.judge(this.limits.witnessMs, nowMs);
    if (this.contestAtMs !== undefined && nowMs >= this.contestAtMs) {
      this.contestAtMs = nowMs + ASK_AGAIN_MS;
      this.chain.listener().contested(this.opponents(nowMs));
    }
    const anybody = this.opinions.of(ANYBODY);
    if (anybody !== undefined && nowMs - anybody.atMs > this.limits.witnessMs) {
      this.opinions.forget(ANYBODY);
    }
    for (const opinion of this.opinions.all()) {
      const { openSinceMs, source } = opinion;
      if (openSinceMs === undefined) continue;
      if (nowMs - openSinceMs <= this.limits.backfillTimeoutMs) continue;
      const block = this.ring.get(opinion.hash);
      // While others carry the chain on, a branch that cannot be connected is nobody's loss.
      const isOvertaken =
        this.opinions.openCount > 1 ||
        (this.ring.tip?.raisedAtMs ?? 0) > openSinceMs ||
        this.opinions.witnesses(source, openSinceMs).length > 0;
      this.opinions.forget(source);
      if (!isOvertaken && block !== undefined) return this.lose(block, nowMs);
    }
  }

  /** Asks for what is missing below a path; true when history had to start anew instead. */
  private reach(
    opinion: Opinion,
    block: Block,
    path: Path,
    wanted: Set<string>,
    nowMs: number,
  ): boolean {
    const child = path.blocks.at(-1);
    if (child === undefined) return false;
    if (!this.whereabouts.isWatched || isUnrelated(this.ring, child.number)) {
      opinion.openSinceMs = undefined;
      return false;
    }
    if (this.whereabouts.isFar(opinion)) {
      const isLost = this.whereabouts.isLeftBehind(opinion);
      if (isLost) this.lose(block, nowMs);
      return isLost;
    }
    opinion.openSinceMs ??= nowMs;
    for (const need of missingBelow(this.ring, path, this.needs)) this.ask(need, wanted, nowMs);
    return false;
  }

  private ask(need: Need, wanted: Set<string>, nowMs: number): void {
    wanted.add(need.key);
    this.needs.add(need, nowMs);
  }

  private lose(block: Block, nowMs: number): void {
    const from = Math.min(this.ring.heightOfTip + 1, block.number);
    this.chain.listener().gap("all", from, block.number, Number.POSITIVE_INFINITY);
    this.restart(block, true, nowMs);
  }

  /** History begins on the branch of `block`, and nobody has lost anything by it. */
  private begin(block: Block, nowMs: number): void {
    const first = firstTold(this.ring, block);
    this.restart(first, this.opinions.isNews(first.hash), nowMs);
    this.pursue(nowMs);
  }

  private restart(block: Block, isNews: boolean, nowMs: number): void {
    this.opinions.restart();
    this.asked.clear();
    this.contestAtMs = undefined;
    this.whereabouts.restarted();
    if (isNews) this.whereabouts.isUntold = false;
    this.chain.restart(block, isNews, nowMs);
  }

  private switchTo(path: readonly Block[], ancestor: Block, nowMs: number): void {
    this.whereabouts.isUntold = false;
    this.chain.switchTo(path, ancestor, nowMs);
  }

  /** Somebody who may be believed alone tells of it, or nobody else is there to tell otherwise. */
  private isCredible({ tellers }: Block, nowMs: number): boolean {
    let source = ANYBODY;
    for (source of tellers) if (!this.credit.isLost(source, nowMs)) return true;
    return tellers.size > 1 || this.opinions.witnesses(source, nowMs).length === 0;
  }

  /** A word that counts, for a branch that is higher than the canonical one. */
  private isHigher(opinion: Opinion, nowMs: number): boolean {
    return opinion.number > this.ring.heightOfTip && this.opinions.counts(opinion, nowMs);
  }

  private opponents(nowMs: number): readonly string[] {
    const found = new Set<string>();
    for (const opinion of this.opinions.all()) {
      const block = this.ring.get(opinion.hash);
      if (block === undefined || block.isCanonical || !this.isHigher(opinion, nowMs)) continue;
      for (const source of this.opinions.against(pathFrom(this.ring, block))) found.add(source);
    }
    return [...found];
  }
}
