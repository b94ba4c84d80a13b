/**
 * The answers that one node keeps, of all its chains, within one bound of bytes.
 *
 * An answer about a block that may be replaced hangs on that block's hash: it leaves when the hash is
 * orphaned, and is given only while the chain still names that hash, so that even an orphaning that
 * nobody told of cannot bring it back.
 */
import { LfuBytes } from "../../lib/lfu-bytes.ts";
import { stillHolds, type BlockSight } from "./finality.ts";
import type { CacheCounts } from "./cache-counts.ts";
import { memoryOf, type KeptAnswer } from "./kept-answer.ts";

/** Larger answers are not kept, bytes. */
export const MAX_ANSWER_BYTES = 1024 * 1024;
/** What an entry costs beside key and answer: two records, a map entry, its place in a group (measured). */
const ENTRY_BYTES = 560;

/** Entries forgotten in one go when memory is scarce: some milliseconds. */
const DROPPED_ENTRIES = 20_000;
/** Entries looked at in one go when time runs out for many: well below a millisecond. */
const SWEEP_ENTRIES = 1_000;

interface Entry {
  readonly answer: KeptAnswer;
  readonly counts: CacheCounts;
  readonly bytes: number;
}

/** The memory level of the cache. */
export class AnswerCache {
  /** Answers that were put out because there was no room. */
  evictions = 0;
  /** Nothing is kept now. */
  isShut = false;
  readonly #lfu: LfuBytes<Entry>;

  constructor(maxBytes: number) {
    this.#lfu = new LfuBytes({
      maxBytes,
      overheadBytes: ENTRY_BYTES,
      onRemove: ({ counts, bytes }, reason) => {
        counts.entries--;
        counts.bytes -= bytes;
        counts.removed[reason]++;
        if (reason === "full") this.evictions++;
      },
    });
  }

  /** Entries held. */
  get size(): number {
    return this.#lfu.size;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#lfu.bytes;
  }

  /** Most bytes that may be held. */
  get maxBytes(): number {
    return this.#lfu.maxBytes;
  }

  /** The answer at `key`, if there is one that still holds. */
  find(key: string, counts: CacheCounts, sight: BlockSight, nowMs: number): KeptAnswer | undefined {
    const entry = this.#lfu.get(key, nowMs);
    if (entry !== undefined && stillHolds(entry.answer, sight)) {
      counts.hits++;
      return entry.answer;
    }
    if (entry !== undefined) this.#lfu.delete(key);
    counts.misses++;
    return undefined;
  }

  /** Keeps an answer until `expiresAtMs`, or as long as there is room. */
  keep(key: string, answer: KeptAnswer, counts: CacheCounts, expiresAtMs: number): void {
    if (this.isShut) return;
    const valueBytes = memoryOf(answer);
    const bytes = key.length + valueBytes + ENTRY_BYTES;
    const entry: Entry = { answer, counts, bytes };
    if (!this.#lfu.set(key, entry, { valueBytes, group: answer.hash, expiresAtMs })) return;
    counts.stores++;
    counts.entries++;
    counts.bytes += bytes;
  }

  /** Forgets what hangs on blocks that were replaced; answers how many answers that were. */
  orphaned(hashes: readonly string[]): number {
    let count = 0;
    for (const hash of hashes) count += this.#lfu.deleteGroup(hash);
    return count;
  }

  /** Forgets some of what is kept; true when there is more. */
  drop(): boolean {
    return this.#lfu.drop(DROPPED_ENTRIES);
  }

  /** Forgets some of what ran out of time; true when there is more. */
  sweep(nowMs: number): boolean {
    return this.#lfu.sweep(nowMs, SWEEP_ENTRIES);
  }
}
