/**
 * How many logs of a block each provider delivered: where two providers that should know the whole
 * block count differently, one of them missed something. Equal counts of different logs are not seen.
 */
import type { ProviderId } from "../ids.ts";

interface BlockCount {
  readonly hash: string;
  readonly firstNs: number;
  readonly counts: Map<ProviderId, number>;
}

/** Blocks under observation; beyond it the oldest is judged early. */
const MAX_BLOCKS = 128;
const HASH_CHARS = 66;

/** Counts the logs of recent blocks per provider. */
export class BlockCounts {
  readonly #windowNs: number;
  readonly #blocks = new Map<string, BlockCount>();
  #last: BlockCount | undefined;

  /** `windowNs`: the logs of one block arrive within this time. */
  constructor(windowNs: number) {
    this.#windowNs = windowNs;
  }

  /** A log with this message key (it begins with the block hash) arrived. */
  add(provider: ProviderId, key: string, atNs: number): void {
    let block = this.#last;
    if (block === undefined || !key.startsWith(block.hash)) {
      const hash = key.slice(0, HASH_CHARS);
      block = this.#blocks.get(hash);
      if (block === undefined) {
        block = { hash, firstNs: atNs, counts: new Map() };
        this.#blocks.set(hash, block);
      }
      this.#last = block;
    }
    block.counts.set(provider, (block.counts.get(provider) ?? 0) + 1);
  }

  /** Blocks whose time is over and about which `witnesses` of the whole block disagree. */
  disputed(nowNs: number, witnesses: (sinceNs: number) => readonly ProviderId[]): string[] {
    const disputed: string[] = [];
    for (const block of this.#blocks.values()) {
      const isOver = nowNs - block.firstNs >= this.#windowNs;
      if (!isOver && this.#blocks.size <= MAX_BLOCKS) break;
      this.#blocks.delete(block.hash);
      if (this.#last === block) this.#last = undefined;
      const counts = witnesses(block.firstNs).map((provider) => block.counts.get(provider) ?? 0);
      if (new Set(counts).size > 1) disputed.push(block.hash);
    }
    return disputed;
  }
}
