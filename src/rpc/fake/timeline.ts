/**
 * Which blocks a fake chain has, at what time, under which hash: a pure function of seed and time.
 *
 * Every height has one final block (branch 0). Some heights are first seen as an orphan (branch 1):
 * once per epoch at most, a run of one to three heights is published on the orphan branch and
 * replaced when the next height is born; one run of any length may be asked for besides. What a node knows is therefore settled by its head number
 * alone: an orphan run is canonical exactly as long as the head has not passed its last height.
 *
 * Hashes carry their own coordinates, masked, so that a hash is resolved without an index.
 */
import { hexWord, noiseHex, noiseRatio, noiseWord } from "./noise.ts";

/** What a fake chain is made from. */
export interface ChainShape {
  readonly seed: number;
  readonly chainId: number;
  /** Time between two blocks, ms. */
  readonly blockTimeMs: number;
  /** When the block `startNumber` was born, in the caller's clock (epoch ms in a demo). */
  readonly startMs: number;
  /** Height of the chain at `startMs`; everything below is history. Default 10,000. */
  readonly startNumber?: number;
  /** Heights per epoch, each with at most one reorg; 0 means no reorg ever. Default 32. */
  readonly reorgEpoch?: number;
  /** One orphan run besides: how many blocks, and its last height; runs of epochs keep clear of it. */
  readonly deepReorg?: { readonly depth: number; readonly to: number } | undefined;
}

/** Heights that are first seen as orphans. */
interface OrphanRun {
  readonly from: number;
  readonly to: number;
}

/** One block: its height, and 1 when it is the orphan that the final block of the height replaced. */
export interface BlockRef {
  readonly number: number;
  readonly branch: 0 | 1;
}

/** What happens to a node's chain when its head moves up by one. */
export interface HeadStep {
  /** Orphaned blocks, the highest first. */
  readonly removed: readonly BlockRef[];
  /** Blocks that are new on the canonical chain, in parent order; the last one is the new head. */
  readonly added: readonly BlockRef[];
}

/** Heights, branches, times and hashes of one fake chain. */
export class Timeline {
  readonly chainId: number;
  readonly blockTimeMs: number;
  readonly startNumber: number;
  readonly #seed: number;
  readonly #startMs: number;
  readonly #epoch: number;
  readonly #deep: OrphanRun | undefined;

  constructor(shape: ChainShape) {
    this.chainId = shape.chainId;
    this.blockTimeMs = shape.blockTimeMs;
    this.startNumber = shape.startNumber ?? 10_000;
    this.#seed = noiseWord(shape.seed, shape.chainId);
    this.#startMs = shape.startMs;
    this.#epoch = shape.reorgEpoch ?? 32;
    const { deepReorg: deep } = shape;
    this.#deep = deep && { from: deep.to - deep.depth + 1, to: deep.to };
  }

  /** The seed of this chain, derived from the world's seed and the chain id. */
  get seed(): number {
    return this.#seed;
  }

  /** Height of the newest block that exists at a time (never below block 0). */
  headAt(timeMs: number): number {
    const steps = Math.floor((timeMs - this.#startMs) / this.blockTimeMs);
    return Math.max(0, this.startNumber + steps);
  }

  /** When a height was (or will be) born, in the caller's clock, ms. */
  bornMs(number: number): number {
    return this.#startMs + (number - this.startNumber) * this.blockTimeMs;
  }

  /** The canonical block of a height for a node whose head is `head`. */
  canonical(number: number, head: number): BlockRef {
    const run = this.#orphanRun(number);
    const isOrphan = run !== undefined && number >= run.from && number <= run.to && head <= run.to;
    return { number, branch: isOrphan ? 1 : 0 };
  }

  /** What changes when the head moves from `number - 1` to `number`. */
  step(number: number): HeadStep {
    const run = this.#orphanRun(number - 1);
    const removed: BlockRef[] = [];
    const added: BlockRef[] = [];
    if (run !== undefined && run.to === number - 1) {
      for (let n = run.to; n >= run.from; n--) removed.push({ number: n, branch: 1 });
      for (let n = run.from; n <= run.to; n++) added.push({ number: n, branch: 0 });
    }
    added.push(this.canonical(number, number));
    return { removed, added };
  }

  /** The parent of a block; block 0 has none. */
  parent(block: BlockRef): BlockRef | undefined {
    if (block.number === 0) return undefined;
    const number = block.number - 1;
    if (block.branch === 0) return { number, branch: 0 };
    const run = this.#orphanRun(block.number);
    return { number, branch: run !== undefined && number >= run.from ? 1 : 0 };
  }

  /** The 32-byte hash of a block. */
  blockHash(block: BlockRef): string {
    return this.#seal(TAG_BLOCK, block.number, block.branch);
  }

  /** The block behind a hash, whether canonical or orphaned; undefined when the hash is not ours. */
  resolveBlock(hash: string): BlockRef | undefined {
    const found = this.#unseal(TAG_BLOCK, hash);
    if (found === undefined || found.detail > 1) return undefined;
    const block: BlockRef = { number: found.number, branch: found.detail === 1 ? 1 : 0 };
    return block.branch === 1 && !this.#hasOrphan(block.number) ? undefined : block;
  }

  /** The hash of transaction `index` of a height; both branches of a height hold the same ones. */
  transactionHash(number: number, index: number): string {
    return this.#seal(TAG_TRANSACTION, number, index);
  }

  /** Height and index behind a transaction hash; undefined when the hash is not ours. */
  resolveTransaction(hash: string): { number: number; index: number } | undefined {
    const found = this.#unseal(TAG_TRANSACTION, hash);
    return found && { number: found.number, index: found.detail };
  }

  #hasOrphan(number: number): boolean {
    const run = this.#orphanRun(number);
    return run !== undefined && number >= run.from && number <= run.to;
  }

  /** The orphan run at or near `number`, if any. */
  #orphanRun(number: number): OrphanRun | undefined {
    const deep = this.#deep;
    if (deep !== undefined && number >= deep.from && number <= deep.to) return deep;
    const run = this.#runOfEpoch(number);
    if (deep === undefined || run === undefined) return run;
    return run.to < deep.from - 1 || run.from > deep.to + 1 ? run : undefined;
  }

  /** The orphan run of the epoch that holds `number`; runs never cross an epoch's edge. */
  #runOfEpoch(number: number): OrphanRun | undefined {
    if (this.#epoch < MIN_EPOCH || number < 0) return undefined;
    const epoch = Math.floor(number / this.#epoch);
    const depth = 1 + Math.floor(noiseRatio(this.#seed, TAG_REORG, epoch) ** 2 * 3);
    const room = this.#epoch - 4;
    const to =
      epoch * this.#epoch + 3 + Math.floor(noiseRatio(this.#seed, TAG_REORG, epoch, 1) * room);
    return { from: to - depth + 1, to };
  }

  #seal(tag: number, number: number, detail: number): string {
    const lead = noiseHex(noiseWord(this.#seed, tag, detail), 24, number);
    const key = Number.parseInt(lead.slice(2, 10), 16);
    const first = noiseWord(this.#seed, tag, key, 1) ^ number;
    const second = noiseWord(this.#seed, tag, key, 2) ^ detail;
    return lead + hexWord(first) + hexWord(second);
  }

  #unseal(tag: number, hash: string): { number: number; detail: number } | undefined {
    const clean = hash.toLowerCase();
    if (!/^0x[0-9a-f]{64}$/u.test(clean)) return undefined;
    const key = Number.parseInt(clean.slice(2, 10), 16);
    const number =
      (Number.parseInt(clean.slice(50, 58), 16) ^ noiseWord(this.#seed, tag, key, 1)) >>> 0;
    const detail =
      (Number.parseInt(clean.slice(58, 66), 16) ^ noiseWord(this.#seed, tag, key, 2)) >>> 0;
    return this.#seal(tag, number, detail) === clean ? { number, detail } : undefined;
  }
}

const TAG_BLOCK = 1;
const TAG_TRANSACTION = 2;
const TAG_REORG = 3;
/** Below this an epoch has no room for a run of three and a quiet edge. */
const MIN_EPOCH = 5;
