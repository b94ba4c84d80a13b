/**
 * The last blocks of a chain as its providers have told them: which hashes a height may have, and who
 * says so. Written by the head tracker and by answers that passed; read by the checks of answers.
 *
 * A hash contradicts the ring only where the matter is settled: a few blocks below the tip, with two
 * other providers on another hash and nobody but the teller on this one. So a reorg that no head
 * announced costs one provider one refusal: the second one that tells of the new block is believed.
 */
import type { ProviderId } from "../ids.ts";

/** What is known of one block beside its place. */
export interface BlockFacts {
  readonly logsBloom: string | undefined;
  readonly receiptsRoot: string | undefined;
}

interface Known {
  readonly hash: string;
  /** Who has told of it; two are enough to believe it. */
  readonly first: ProviderId;
  second: ProviderId | undefined;
  facts: BlockFacts | undefined;
}

interface Slot {
  number: number;
  readonly blocks: Known[];
}

/** Heights that are kept: this many in all, of which some lie above the tip. */
const RING_BLOCKS = 256;
const AHEAD_BLOCKS = 64;
/** Hashes kept of one height; a chain that forks more often than that is not judged. */
const MAX_HASHES = 4;
/** The newest blocks may still be replaced: this many, or as many as are made in this time. */
const UNSETTLED_BLOCKS = 3;
const UNSETTLED_MS = 8_000;

/** The ring of one chain. */
export class BlockRing {
  readonly #slots: (Slot | undefined)[] = [];
  readonly #numbers = new Map<string, number>();
  #tip = -1;

  /** The served tip: the ring takes heights around it, so that no wild number can push them out. */
  advance(tip: number): void {
    this.#tip = tip;
  }

  /** A provider has told that the block at this height has this hash. */
  note(provider: ProviderId, number: number, hash: string): void {
    const slot = this.#slotOf(number);
    if (slot === undefined) return;
    for (const known of slot.blocks) {
      if (known.hash !== hash) continue;
      if (known.first !== provider) known.second ??= provider;
      return;
    }
    if (slot.blocks.length >= MAX_HASHES || this.#numbers.has(hash)) return;
    slot.blocks.push({ hash, first: provider, second: undefined, facts: undefined });
    this.#numbers.set(hash, number);
  }

  /** Adds what a block's header says; only of headers whose hash has been computed. */
  learn(hash: string, facts: BlockFacts): void {
    const known = this.#find(hash);
    if (known !== undefined) known.facts ??= facts;
  }

  /** Whether settled knowledge of others says that `provider` is wrong about this height. */
  contradicts(provider: ProviderId, number: number, hash: string, blockTimeMs: number): boolean {
    const unsettled = Math.max(
      UNSETTLED_BLOCKS,
      Math.ceil(UNSETTLED_MS / Math.max(1, blockTimeMs)),
    );
    if (number > this.#tip - unsettled) return false;
    const slot = this.#slots[number % RING_BLOCKS];
    if (slot?.number !== number || slot.blocks.length >= MAX_HASHES) return false;
    let isOpposed = false;
    for (const known of slot.blocks) {
      const others = countOthers(known, provider);
      if (known.hash === hash) {
        if (others > 0) return false;
      } else if (others >= 2) isOpposed = true;
    }
    return isOpposed;
  }

  /** The height of a block that the ring knows, or -1. */
  numberOf(hash: string): number {
    return this.#numbers.get(hash) ?? -1;
  }

  /** What the header of this block says, when one has been seen. */
  factsOf(hash: string): BlockFacts | undefined {
    return this.#find(hash)?.facts;
  }

  /** Blocks that are known now. */
  get size(): number {
    return this.#numbers.size;
  }

  #find(hash: string): Known | undefined {
    const number = this.#numbers.get(hash);
    if (number === undefined) return undefined;
    return this.#slots[number % RING_BLOCKS]?.blocks.find((block) => block.hash === hash);
  }

  /** The slot of a height around the tip, emptied when an older height held it. */
  #slotOf(number: number): Slot | undefined {
    const above = number - this.#tip;
    if (this.#tip < 0 || number < 0) return undefined;
    if (above > AHEAD_BLOCKS || above <= AHEAD_BLOCKS - RING_BLOCKS) return undefined;
    const at = number % RING_BLOCKS;
    const slot = (this.#slots[at] ??= { number, blocks: [] });
    if (slot.number !== number) {
      for (const { hash } of slot.blocks) this.#numbers.delete(hash);
      slot.blocks.length = 0;
      slot.number = number;
    }
    return slot;
  }
}

function countOthers({ first, second }: Known, provider: ProviderId): number {
  return Number(first !== provider) + Number(second !== undefined && second !== provider);
}
