/** Blocks that one provider told of and nobody else: whether they are held against it. */
import type { Block } from "../block.ts";
import type { Credit } from "./credit.ts";
import { ANYBODY, type Opinions } from "./opinions.ts";
import type { Ring } from "../ring.ts";

/** A block that somebody told of. */
export type ToldBlock = Pick<Block, "number" | "hash">;

/** Called with who told of a block that others contradict; `isLost`: it is believed alone no more. */
export type Outvoted = (source: string, block: ToldBlock, isLost: boolean) => void;

/** Voices that make a block somebody's invention. */
const LEAST_RIVALS = 2;
/** Blocks that wait to be judged; more are not. */
const MAX_DOUBTS = 512;

/** The blocks of one chain that nobody has confirmed yet. */
export class Doubts {
  private readonly ring: Ring;
  private readonly opinions: Opinions;
  private readonly credit: Credit;
  private readonly outvoted: Outvoted;
  private waiting: Block[] = [];

  constructor(ring: Ring, opinions: Opinions, credit: Credit, outvoted: Outvoted) {
    this.ring = ring;
    this.opinions = opinions;
    this.credit = credit;
    this.outvoted = outvoted;
  }

  /** Somebody tells of a block. */
  told(block: Block): void {
    if (block.tellers.size === 0 && this.waiting.length < MAX_DOUBTS) this.waiting.push(block);
  }

  /** Somebody told another story about a block that is known. */
  contradicted(source: string, block: ToldBlock, nowMs: number): void {
    if (source === ANYBODY || (this.ring.get(block.hash)?.tellers.size ?? 0) < LEAST_RIVALS) return;
    this.strike(source, block, false, nowMs);
  }

  /** Judges the blocks that have waited for a second voice for `patienceMs`. */
  judge(patienceMs: number, nowMs: number): void {
    while (this.waiting[0] !== undefined) {
      const block = this.waiting[0];
      if (nowMs - block.seenAtMs < patienceMs) return;
      this.waiting.shift();
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

  private strike(source: string, block: ToldBlock, hasReturned: boolean, nowMs: number): void {
    const isLost = this.credit.strike(source, hasReturned, nowMs);
    // Whoever came back by itself has probably seen a reorganisation, once or twice.
    if (isLost || !hasReturned) this.outvoted(source, block, isLost);
  }

  private isCanonical(hash: string | undefined): boolean {
    return hash !== undefined && this.ring.get(hash)?.isCanonical === true;
  }
}
