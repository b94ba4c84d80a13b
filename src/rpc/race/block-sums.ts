/**
 * What each provider told of a block's logs, as sums: where two providers that should know the whole
 * block differ, one of them missed something or says what is not so. A sum does not depend on the
 * order of the logs, so a log that is invented beside one that is withheld shows as well.
 *
 * Reading what logs say costs as much as finding their key. In a flood only their places are summed
 * up: what is missed or invented shows nevertheless, other contents in the right place do not.
 */
import type { ProviderId } from "../ids.ts";
import type { SubscriptionFrame } from "../subscription-frame.ts";
import { LogDigest } from "./log-digest.ts";

/** Sums over the logs of a block; 32 bits each. */
export interface LogSums {
  readonly count: number;
  /** Over the indices. */
  readonly places: number;
  /** Over everything that the logs say; 0 where that was not read. */
  readonly contents: number;
}

/** What one provider told of a block. */
interface Telling extends LogSums {
  readonly provider: ProviderId;
}

/** A block of whose logs the providers tell different stories. */
export interface Dispute {
  readonly hash: string;
  /** With which the sums were made. */
  readonly seed: number;
  /** False when they are of places alone. */
  readonly isRead: boolean;
  /** What those tell who should know the whole block. */
  readonly tellings: readonly Telling[];
}

interface Sums {
  count: number;
  places: number;
  contents: number;
}

interface ToldSums extends Sums {
  readonly provider: ProviderId;
}

interface BlockSum {
  readonly hash: string;
  readonly firstNs: number;
  readonly isRead: boolean;
  /** What each log says, by its index, as whoever brought it first told it. */
  readonly firsts: Map<number, number>;
  /** Over what was told of each index when that was new. */
  readonly all: Sums;
  readonly tellings: ToldSums[];
}

/** Blocks under observation; beyond it the oldest is judged early. */
const MAX_BLOCKS = 128;
/** Logs of all providers together; beyond it those of new blocks are not read. */
const MAX_READ_PER_SEC = 20_000;
const HASH_CHARS = 66;
const NS_PER_SEC = 1e9;
const NOTHING: LogSums = { count: 0, places: 0, contents: 0 };

/** Sums up the logs of recent blocks per provider. */
export class BlockSums {
  readonly #windowNs: number;
  readonly #digest: LogDigest;
  readonly #blocks = new Map<string, BlockSum>();
  #last: BlockSum | undefined;
  #isFlooded = false;
  /** Logs since a moment. */
  #added = 0;
  #sinceNs = 0;

  /** `windowNs`: the logs of one block arrive within this time; `seed`: any 32 bits, not to be guessed. */
  constructor(windowNs: number, seed: number) {
    this.#windowNs = windowNs;
    this.#digest = new LogDigest(seed);
  }

  /**
   * A log with this message key (it begins with the block hash) arrived; `isFirst`: copies are compared
   * with it from now on.
   */
  add(
    provider: ProviderId,
    key: string,
    frame: SubscriptionFrame,
    atNs: number,
    isFirst = false,
  ): void {
    const block = this.#blockOf(key, atNs);
    const index = indexIn(key);
    // A provider that takes a log back says nothing of what the block holds.
    if (index < 0) return;
    const contents = block.isRead ? this.#digest.ofFrame(index, frame) : 0;
    if (block.isRead) {
      const isNew = !block.firsts.has(index);
      if (isNew) this.#sum(block.all, index, contents);
      if (isNew || isFirst) block.firsts.set(index, contents);
    }
    this.#sum(sumsFor(block, provider), index, contents);
    this.#added++;
  }

  /**
   * The same for a copy, byte for byte, of the log that came first with its key; false, with nothing
   * done, when it is not known what that says.
   */
  addCopy(provider: ProviderId, key: string, atNs: number): boolean {
    const block = this.#blockOf(key, atNs);
    const index = indexIn(key);
    if (index < 0) return true;
    const contents = block.isRead ? block.firsts.get(index) : 0;
    if (contents === undefined) return false;
    this.#sum(sumsFor(block, provider), index, contents);
    this.#added++;
    return true;
  }

  /** Blocks whose time is over and about which `witnesses` of the whole block disagree. */
  disputed(nowNs: number, witnesses: (sinceNs: number) => readonly ProviderId[]): Dispute[] {
    const disputed: Dispute[] = [];
    for (const { hash, firstNs, isRead, all, tellings } of this.#blocks.values()) {
      const isOver = nowNs - firstNs >= this.#windowNs;
      if (!isOver && this.#blocks.size <= MAX_BLOCKS) break;
      this.#blocks.delete(hash);
      if (this.#last?.hash === hash) this.#last = undefined;
      const told = witnesses(firstNs).map(
        (provider) => tellings.find((one) => one.provider === provider) ?? { provider, ...NOTHING },
      );
      // Somebody who is gone by now may have told what none of them has.
      const isAllTheirs = tellings.every((one) => told.includes(one));
      const truth = isRead && !isAllTheirs ? all : told[0];
      if (truth !== undefined && told.some((one) => !isAlike(one, truth))) {
        disputed.push({ hash, seed: this.#digest.seed, isRead, tellings: told });
      }
    }
    return disputed;
  }

  #blockOf(key: string, atNs: number): BlockSum {
    if (this.#last !== undefined && key.startsWith(this.#last.hash)) return this.#last;
    const hash = key.slice(0, HASH_CHARS);
    let block = this.#blocks.get(hash);
    if (block === undefined) {
      this.#noteFlood(atNs);
      const [firsts, all] = [new Map<number, number>(), { ...NOTHING }];
      block = { hash, firstNs: atNs, isRead: !this.#isFlooded, firsts, all, tellings: [] };
      this.#blocks.set(hash, block);
    }
    this.#last = block;
    return block;
  }

  #sum(sums: Sums, index: number, contents: number): void {
    sums.count++;
    sums.places = (sums.places + this.#digest.ofIndex(index)) | 0;
    sums.contents = (sums.contents + contents) | 0;
  }

  #noteFlood(nowNs: number): void {
    const passedSec = (nowNs - this.#sinceNs) / NS_PER_SEC;
    if (passedSec < 1 && this.#added <= MAX_READ_PER_SEC) return;
    this.#isFlooded = this.#added > MAX_READ_PER_SEC * passedSec;
    if (passedSec < 1) return;
    this.#sinceNs = nowNs;
    this.#added = 0;
  }
}

/** Whether both are of the same logs. */
export const isAlike = (one: LogSums, other: LogSums): boolean =>
  one.count === other.count && one.places === other.places && one.contents === other.contents;

/** A handful of providers stream logs: a list is faster than a map. */
const sumsFor = ({ tellings }: BlockSum, provider: ProviderId): ToldSums => {
  for (const sums of tellings) if (sums.provider === provider) return sums;
  const sums = { provider, count: 0, places: 0, contents: 0 };
  tellings.push(sums);
  return sums;
};

/** The index in a message key of a log (behind the block hash and `0x`); -1 for a retraction. */
const indexIn = (key: string): number => {
  let index = 0;
  for (let at = HASH_CHARS + 2; at < key.length; at++) {
    const code = key.charCodeAt(at);
    if (code === MINUS) return -1;
    index = (index << 4) | (code <= NINE ? code & 0xf : (code & 0xf) + 9);
  }
  return index;
};

const MINUS = 0x2d;
const NINE = 0x39;
