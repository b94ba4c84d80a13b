/**
 * What each provider says is the head of the chain, and which of two branches has more of them behind
 * it. A provider has one voice: the block it named last.
 */
import type { Block } from "../block.ts";
import type { Credit } from "./credit.ts";
import type { Ring } from "../ring.ts";

/** What one provider said last. */
export interface Opinion {
  readonly source: string;
  hash: string;
  number: number;
  atMs: number;
  /** What it named last of which the way to the chain was known. */
  linked: string;
  /** It was asked for it: the block may have been there for long. */
  isAnswer: boolean;
  /** Since when its branch could not be connected to the chain; undefined while it can. */
  openSinceMs: number | undefined;
}

/** A block and what lies between it and the canonical chain. */
export interface Path {
  /** Not canonical, the newest first. */
  readonly blocks: readonly Block[];
  /** The canonical block they stand on; undefined when the way there is not known. */
  readonly ancestor: Block | undefined;
}

/** A block and the weight of the voices that stand on it. */
export interface Lead {
  readonly block: Block;
  readonly weight: number;
}

/** Answers of whoever was asked, by no name: they decide nothing while providers with a name speak. */
export const ANYBODY = "(anybody)";

/** What one voice weighs: a provider's is one, and an answer by no name tips the scales at most. */
export const weightOf = (source: string): number => (source === ANYBODY ? 0.5 : 1);

/** The voices of one chain. */
export class Opinions {
  /** Age at which a voice no longer counts, ms. */
  witnessMs: number;
  private readonly ring: Ring;
  private readonly credit: Credit;
  private readonly bySource = new Map<string, Opinion>();
  /** Heights that were named, believed or not. */
  private readonly claims = new Map<string, number>();

  constructor(ring: Ring, credit: Credit, witnessMs: number) {
    this.ring = ring;
    this.credit = credit;
    this.witnessMs = witnessMs;
  }

  of(source: string): Opinion | undefined {
    return this.bySource.get(source);
  }

  all(): Iterable<Opinion> {
    return this.bySource.values();
  }

  /** Branches that cannot be connected yet. */
  get openCount(): number {
    let count = 0;
    for (const { openSinceMs } of this.bySource.values()) if (openSinceMs !== undefined) count++;
    return count;
  }

  tell(source: string, { hash, number }: Block, isAnswer: boolean, nowMs: number): void {
    const known = this.bySource.get(source);
    const told = { hash, number, isAnswer, atMs: nowMs };
    if (known === undefined) {
      this.bySource.set(source, { source, linked: hash, openSinceMs: undefined, ...told });
      return;
    }
    if (isLinked(this.ring, known.hash)) known.linked = known.hash;
    Object.assign(known, told);
  }

  forget(source: string): void {
    this.bySource.delete(source);
    this.claims.delete(source);
  }

  /** Notes a height; true when it is more than `span` above the tip and others, who speak, are not. */
  isAlone(source: string, number: number, span: number, nowMs: number): boolean {
    this.claims.set(source, number);
    const { tip } = this.ring;
    if (tip === undefined || number - tip.number <= span) return false;
    for (const [other, claim] of this.claims) {
      if (other !== source && Math.abs(claim - number) <= span) return false;
    }
    return this.witnesses(source, nowMs).length > 0;
  }

  /** History starts anew: no branch has to be connected to what was before. */
  restart(): void {
    for (const opinion of this.bySource.values()) opinion.openSinceMs = undefined;
  }

  /** True when a block was announced, or nobody's newest one is it; false when it is but an answer. */
  isNews(hash: string): boolean {
    const voices = [...this.bySource.values()].filter((voice) => voice.hash === hash);
    return voices.length === 0 || voices.some(({ isAnswer }) => !isAnswer);
  }

  /** Other providers whose word is fresh. */
  witnesses(source: string, nowMs: number): readonly Opinion[] {
    return [...this.bySource.values()].filter(
      (other) => other.source !== source && this.counts(other, nowMs),
    );
  }

  /** Providers whose word is fresh and believed, and whoever was asked; else all who speak. */
  heard(nowMs: number): readonly Opinion[] {
    const fresh = [...this.bySource.values()].filter(({ atMs }) => nowMs - atMs <= this.witnessMs);
    const believed = fresh.filter(({ source }) => !this.credit.isLost(source, nowMs));
    return believed.length > 0 ? believed : fresh;
  }

  /** The highest block of those that most of these voices stand on, as far as is known. */
  leading(voices: readonly Opinion[]): Lead | undefined {
    const weights = new Map<Block, number>();
    for (const { source, hash } of voices) {
      for (const block of standingOn(this.ring, hash)) {
        weights.set(block, (weights.get(block) ?? 0) + weightOf(source));
      }
    }
    let lead: Lead | undefined;
    for (const [block, weight] of weights) {
      const isBetter =
        lead === undefined ||
        weight > lead.weight ||
        (weight === lead.weight && block.number > lead.block.number);
      if (isBetter) lead = { block, weight };
    }
    return lead;
  }

  /**
   * True when more providers, or as many and the greater height, are for the branch of `path`. Where
   * all have been silent for long, what they said last still is their word, but none to go back for.
   */
  prefer(path: Path, nowMs: number): boolean {
    const { tip } = this.ring;
    if (path.ancestor === undefined || tip === undefined) return false;
    const isHigher = (path.blocks[0]?.number ?? -1) > tip.number;
    const fresh = this.balance(path, (opinion) => this.counts(opinion, nowMs));
    if (fresh === undefined && !isHigher) return false;
    const named = fresh ?? this.balance(path, ({ source }) => source !== ANYBODY);
    const balance = named ?? this.balance(path, () => true) ?? 0;
    return balance === 0 ? isHigher : balance > 0;
  }

  /** Providers that still are for the canonical branch above `ancestor`. */
  against({ blocks, ancestor }: Path): readonly string[] {
    const path = new Set(blocks);
    return [...this.bySource.values()].flatMap((opinion) =>
      opinion.source !== ANYBODY && this.sideOf(opinion, path, ancestor?.number ?? 0) === "against"
        ? [opinion.source]
        : [],
    );
  }

  /** Voices for the path less voices against it; undefined when nobody of them has one. */
  private balance(
    { blocks, ancestor }: Path,
    isHeard: (opinion: Opinion) => boolean,
  ): number | undefined {
    const path = new Set(blocks);
    let balance: number | undefined;
    for (const opinion of this.bySource.values()) {
      if (!isHeard(opinion)) continue;
      const side = this.sideOf(opinion, path, ancestor?.number ?? 0);
      if (side !== undefined) balance = (balance ?? 0) + (side === "for" ? 1 : -1);
    }
    return balance;
  }

  /** Its word is fresh, and it is believed. */
  counts({ source, atMs }: Opinion, nowMs: number): boolean {
    if (source === ANYBODY || nowMs - atMs > this.witnessMs) return false;
    return !this.credit.isLost(source, nowMs);
  }

  /** While it is not known how a block stands to the others, its provider stands where it did before. */
  private sideOf(
    { hash, linked }: Opinion,
    path: ReadonlySet<Block>,
    forkNumber: number,
  ): "for" | "against" | undefined {
    let at = this.ring.get(isLinked(this.ring, hash) ? hash : linked);
    while (at !== undefined && at.number > forkNumber) {
      if (path.has(at)) return "for";
      if (at.isCanonical) return "against";
      at = this.ring.parentOf(at);
    }
    return undefined;
  }
}

/** The way from the block to the canonical chain is known. */
const isLinked = (ring: Ring, hash: string): boolean => {
  let at = ring.get(hash);
  while (at?.isCanonical === false) at = ring.parentOf(at);
  return at !== undefined;
};

/** A block and those below it that are known and not canonical. */
const standingOn = (ring: Ring, hash: string): readonly Block[] => {
  const blocks: Block[] = [];
  let at = ring.get(hash);
  for (; at !== undefined && !at.isCanonical; at = ring.parentOf(at)) blocks.push(at);
  return blocks;
};
