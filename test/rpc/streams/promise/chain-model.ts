/** The truth of a model run: a tree of blocks and the branch that is the chain now. */
import { addToBloom, BLOOM_BYTES } from "../../../../src/rpc/integrity/proof/bloom.ts";

/** A log as nodes tell it. */
export interface ModelLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: string;
  readonly blockHash: string;
  readonly transactionHash: string;
  readonly logIndex: string;
  readonly removed: boolean;
}

/** A block, of the chain or invented. */
export interface ModelBlock {
  readonly hash: string;
  readonly number: number;
  readonly parentHash: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly logs: readonly ModelLog[];
}

const hex = (value: number): string => `0x${value.toString(16)}`;
const word = (value: number): string => `0x${value.toString(16).padStart(64, "0")}`;

/** Addresses that logs come from; clients filter by one of them. */
export const ADDRESSES = ["a", "b", "c"].map((digit) => `0x${digit.repeat(40)}`);
const MOST_LOGS = 4;

/** All blocks that were ever made, and the present branch. */
export class ChainModel {
  readonly blocks = new Map<string, ModelBlock>();
  canonical: readonly ModelBlock[] = [];
  readonly #random: () => number;
  readonly #left: (readonly ModelBlock[])[] = [];
  #made = 0;

  constructor(random: () => number) {
    this.#random = random;
    this.grow();
  }

  get tip(): ModelBlock {
    return this.canonical.at(-1) as ModelBlock;
  }

  grow(count = 1): void {
    for (let i = 0; i < count; i++)
      this.canonical = [...this.canonical, this.make(this.canonical.at(-1))];
  }

  /** The last `depth` blocks are replaced by one more. */
  reorg(depth: number): void {
    const kept = Math.max(1, this.canonical.length - depth);
    if (kept === this.canonical.length) return;
    this.#left.push(this.canonical);
    const grown = this.canonical.length - kept + 1;
    this.canonical = this.canonical.slice(0, kept);
    this.grow(grown);
  }

  /** The chain comes back to a branch that it left, and goes on from there. */
  back(): void {
    const branch = this.#left.pop();
    if (branch === undefined) return;
    const height = this.canonical.length;
    this.#left.push(this.canonical);
    this.canonical = branch;
    this.grow(Math.max(1, height - branch.length + 1));
  }

  /** A block that somebody invents. */
  make(parent: ModelBlock | undefined, number = (parent?.number ?? 0) + 1): ModelBlock {
    const id = ++this.#made;
    const hash = word(id);
    const parentHash = parent?.hash ?? word(0xffffffff);
    const count = Math.floor(this.#random() * (MOST_LOGS + 1));
    const logs = Array.from({ length: count }, (_, index) => ({
      address: ADDRESSES[(id + index) % ADDRESSES.length] as string,
      topics: [word(id * 1_000 + index)],
      data: "0x",
      blockNumber: hex(number),
      blockHash: hash,
      transactionHash: word(id * 1_000 + 500),
      logIndex: hex(index),
      removed: false,
    }));
    const header = {
      number: hex(number),
      hash,
      parentHash,
      logsBloom: bloomOf(logs),
      timestamp: "0x1",
    };
    const block = { hash, number, parentHash, header, logs };
    this.blocks.set(hash, block);
    return block;
  }

  /** What somebody whose head was `seen` has not been told of the chain, or of one he is behind on. */
  after(seen: string, tip: ModelBlock): readonly ModelBlock[] {
    const known = new Set<string>();
    for (let at = this.blocks.get(seen); at !== undefined; at = this.blocks.get(at.parentHash)) {
      known.add(at.hash);
    }
    const news: ModelBlock[] = [];
    let at: ModelBlock | undefined = tip;
    while (at !== undefined && !known.has(at.hash)) {
      news.push(at);
      at = this.blocks.get(at.parentHash);
    }
    return news.reverse();
  }
}

const bloomOf = (logs: readonly ModelLog[]): string => {
  const bloom = new Uint8Array(BLOOM_BYTES);
  for (const { address, topics } of logs) {
    for (const item of [address, ...topics]) addToBloom(bloom, Buffer.from(item.slice(2), "hex"));
  }
  return `0x${Buffer.from(bloom).toString("hex")}`;
};
