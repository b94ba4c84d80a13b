/**
 * Which branch is the chain: listens to the providers, connects what they announce, lets them vote.
 *
 * A child of the tip is the chain at once. Any other branch must be connected first, and then have
 * more providers behind it than the present one, or as many and a greater height. Who announced a
 * block that several others contradict and nobody confirms loses credit.
 */
import type { Block, Head } from "./block.ts";
import { Credit } from "./credit.ts";
import type { FollowerLimits } from "./follower.ts";
import type { Needs } from "./needs.ts";
import { ANYBODY, Opinions, type Opinion, type Path } from "./opinions.ts";
import { missingBelow, pathFrom } from "./pursuit.ts";
import { RING_BLOCKS, type Ring } from "./ring.ts";

/** What is told about branches. */
export interface BranchListener {
  /** Events from `from` to `to` are lost for every subscriber older than the event `sequence`. */
  gap(kinds: "all" | "logs", from: number, to: number, sequence: number): void;
  /** A provider announced a block far above all others, and nobody confirms it. */
  implausible(source: string, number: number): void;
  /** A provider announced a block that others contradict; `isLost`: it is believed alone no more. */
  outvoted(source: string, block: Pick<Block, "number" | "hash">, isLost: boolean): void;
  /** A higher branch has fewer voices than the present one: those who are for it should be asked. */
  contested(sources: readonly string[]): void;
}

/** What becomes of branches. */
interface Chain {
  readonly listener: () => BranchListener;
  /** The path (newest first) is canonical from now on, on top of `ancestor`. */
  switchTo(path: readonly Block[], ancestor: Block, nowMs: number): void;
  /** History begins anew. */
  restart(block: Block, nowMs: number): void;
}

/** Voices that make a block somebody's invention. */
const LEAST_RIVALS = 2;
/** Blocks that wait to be judged; more are not. */
const MAX_DOUBTS = 512;
/** A branch is contested for so long before its opponents are asked, and asked again, ms. */
const CONTEST_MS = 1_000;
const ASK_AGAIN_MS = 5_000;

/** The branches of one chain. */
export class Branches {
  isWatched = false;
  private readonly ring: Ring;
  private readonly needs: Needs;
  private readonly chain: Chain;
  private readonly credit = new Credit();
  private readonly opinions: Opinions;
  private limits: FollowerLimits;
  private elsewhereSinceMs: number | undefined;
  private asked = new Set<string>();
  private doubts: Block[] = [];
  /** When those who are for the canonical branch are asked. */
  private contestAtMs: number | undefined;

  constructor(ring: Ring, needs: Needs, limits: FollowerLimits, chain: Chain) {
    this.ring = ring;
    this.needs = needs;
    this.limits = limits;
    this.chain = chain;
    this.opinions = new Opinions(ring, this.credit, limits.witnessMs);
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

  /** A provider announced a block. */
  told(source: string, block: Block, nowMs: number): void {
    if (block.tellers.size === 0 && this.doubts.length < MAX_DOUBTS) this.doubts.push(block);
    block.tellers.add(source);
    this.opinions.tell(source, block, nowMs);
    const { tip } = this.ring;
    if (tip === undefined) return this.restart(block, nowMs);
    if (!block.isCanonical && this.ring.parentOf(block) === tip && this.isCredible(block, nowMs)) {
      this.chain.switchTo([block], tip, nowMs);
    }
    this.pursue(nowMs);
  }

  /** A block above the tip came up without anybody announcing it. */
  found(block: Block, nowMs: number): void {
    this.told(ANYBODY, block, nowMs);
  }

  /** A provider told another story about a block that is known. */
  contradicted(source: string, head: Head, nowMs: number): void {
    if (source === ANYBODY || (this.ring.get(head.hash)?.tellers.size ?? 0) < LEAST_RIVALS) return;
    this.strike(source, head, false, nowMs);
  }

  /** Connects branches to the canonical chain, or asks for what is missing between. */
  pursue(nowMs: number): void {
    const wanted = new Set<string>();
    let isContested = false;
    this.noteElsewhere(nowMs);
    for (const opinion of this.opinions.all()) {
      const block = this.ring.get(opinion.hash);
      if (block === undefined || block.isCanonical || block.number < this.ring.bottom) {
        opinion.openSinceMs = undefined;
        continue;
      }
      const path = pathFrom(this.ring, block);
      if (path.ancestor === undefined) {
        if (this.reach(opinion, block, path, wanted, nowMs)) return;
        continue;
      }
      opinion.openSinceMs = undefined;
      if (this.opinions.prefer(path, nowMs) && this.isCredible(block, nowMs)) {
        this.chain.switchTo(path.blocks, path.ancestor, nowMs);
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
    this.judge(nowMs);
    if (nowMs - (this.elsewhereSinceMs ?? nowMs) > this.limits.witnessMs) return this.move(nowMs);
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

  /** Most providers are below all that is remembered: this history is somebody's invention. */
  private noteElsewhere(nowMs: number): void {
    let balance = 0;
    for (const opinion of this.opinions.all()) {
      if (!this.opinions.counts(opinion, nowMs)) continue;
      balance += opinion.number < this.ring.bottom ? 1 : -1;
    }
    if (balance > 0) this.elsewhereSinceMs ??= nowMs;
    else this.elsewhereSinceMs = undefined;
  }

  /** Goes to where most providers are. */
  private move(nowMs: number): void {
    let best: Block | undefined;
    for (const { hash, number } of this.opinions.all()) {
      const block = this.ring.get(hash);
      const isHigher = best === undefined || number > best.number;
      if (number < this.ring.bottom && block?.head !== undefined && isHigher) best = block;
    }
    if (best !== undefined) this.lose(best, nowMs);
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
    if (!this.isWatched) {
      if (!this.isCredible(block, nowMs)) return false;
      this.restart(block, nowMs);
      return true;
    }
    const isTooDeep = child.number <= this.ring.bottom && this.ring.isFull;
    const gap = block.number - this.ring.heightOfTip - 1;
    if (isTooDeep || gap > this.limits.maxBackfillBlocks) {
      this.lose(block, nowMs);
      return true;
    }
    opinion.openSinceMs ??= nowMs;
    for (const need of missingBelow(this.ring, path)) {
      wanted.add(need.key);
      this.needs.add(need, nowMs);
    }
    return false;
  }

  private lose(block: Block, nowMs: number): void {
    const from = Math.min(this.ring.heightOfTip + 1, block.number);
    this.chain.listener().gap("all", from, block.number, Number.POSITIVE_INFINITY);
    this.restart(block, nowMs);
  }

  private restart(block: Block, nowMs: number): void {
    this.opinions.restart();
    this.asked.clear();
    this.contestAtMs = undefined;
    this.elsewhereSinceMs = undefined;
    this.chain.restart(block, nowMs);
  }

  /** Somebody who may be believed alone tells of it, or nobody else is there to tell otherwise. */
  private isCredible({ tellers }: Block, nowMs: number): boolean {
    let source = ANYBODY;
    for (source of tellers) if (!this.credit.isLost(source, nowMs)) return true;
    return tellers.size > 1 || this.opinions.witnesses(source, nowMs).length === 0;
  }

  /** Blocks that one provider told of and that others contradict are held against it. */
  private judge(nowMs: number): void {
    while (this.doubts[0] !== undefined) {
      const block = this.doubts[0];
      if (nowMs - block.seenAtMs < this.limits.witnessMs) return;
      this.doubts.shift();
      const [source] = block.tellers;
      if (block.isCanonical || block.tellers.size !== 1 || source === undefined) continue;
      if (source === ANYBODY) continue;
      const rivals = this.opinions
        .witnesses(source, nowMs)
        .filter(({ hash, number }) => number >= block.number && this.isCanonical(hash));
      if (rivals.length < LEAST_RIVALS) continue;
      this.strike(source, block, this.isCanonical(this.opinions.of(source)?.hash), nowMs);
    }
  }

  private strike(
    source: string,
    block: Pick<Block, "number" | "hash">,
    hasReturned: boolean,
    nowMs: number,
  ): void {
    const isLost = this.credit.strike(source, hasReturned, nowMs);
    // Whoever came back by itself has probably seen a reorganisation, once or twice.
    if (isLost || !hasReturned) this.chain.listener().outvoted(source, block, isLost);
  }

  private isCanonical(hash: string | undefined): boolean {
    return hash !== undefined && this.ring.get(hash)?.isCanonical === true;
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
