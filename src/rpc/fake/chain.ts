/**
 * One fake chain: the timeline and the ledger joined, with a bounded cache of built blocks and a
 * bounded list of the transactions that users have sent. Everything else is recomputed on demand,
 * so any number of providers can tell the same chain from any height in constant memory.
 */
import { keccak256 } from "../../lib/keccak256.ts";
import {
  type BlockContent,
  buildBlock,
  bytesOf,
  pendingTransaction,
  quantity,
  type RpcObject,
} from "./blocks.ts";
import { Ledger, transactionCount } from "./ledger.ts";
import { type BlockRef, type ChainShape, Timeline } from "./timeline.ts";

/** A transaction with the block that holds it for a given head, if any. */
export interface FoundTransaction {
  readonly transaction: RpcObject;
  readonly receipt: RpcObject | undefined;
}

/** A seeded chain that any number of fake providers tell. */
export class FakeChain {
  readonly timeline: Timeline;
  readonly ledger: Ledger;
  readonly #built = new Map<string, BlockContent>();
  readonly #sent = new Map<string, SentTransaction>();

  constructor(shape: ChainShape) {
    this.timeline = new Timeline(shape);
    this.ledger = new Ledger(this.timeline.seed);
  }

  /** The content of a block. */
  block(ref: BlockRef): BlockContent {
    const hash = this.timeline.blockHash(ref);
    let content = this.#built.get(hash);
    if (content === undefined) {
      content = buildBlock(this.timeline, this.ledger, ref, this.#sentIn(ref.number));
      dropOldest(this.#built, BUILT_LIMIT);
      this.#built.set(hash, content);
    }
    return content;
  }

  /** The canonical block of a height for a node at `head`; undefined above it. */
  at(number: number, head: number): BlockContent | undefined {
    return number < 0 || number > head
      ? undefined
      : this.block(this.timeline.canonical(number, head));
  }

  /** The block behind a hash that a node at `head` has seen; orphans stay known, as in real nodes. */
  byHash(hash: string, head: number): BlockContent | undefined {
    const ref = this.timeline.resolveBlock(hash);
    return ref === undefined || ref.number > head ? undefined : this.block(ref);
  }

  /** Whether a block is on the canonical chain of a node at `head`. */
  isCanonical(ref: BlockRef, head: number): boolean {
    return this.timeline.canonical(ref.number, head).branch === ref.branch;
  }

  /** A transaction that a node at `head` knows, mined or pending. */
  transaction(hash: string, head: number): FoundTransaction | undefined {
    const sent = this.#sent.get(hash.toLowerCase());
    if (sent !== undefined)
      return this.#find(sent.number, hash.toLowerCase(), head, sent.transaction);
    const place = this.timeline.resolveTransaction(hash);
    if (place === undefined || place.index >= transactionCount(place.number)) return undefined;
    if (place.number > head + 1) return undefined;
    const pending = pendingTransaction(this.timeline, this.ledger, place.number, place.index);
    return this.#find(place.number, hash.toLowerCase(), head, pending);
  }

  /** Hashes of the transactions that the block after `head` will hold. */
  pendingHashes(head: number): readonly string[] {
    const hashes = Array.from({ length: transactionCount(head + 1) }, (_, index) =>
      this.timeline.transactionHash(head + 1, index),
    );
    return [...hashes, ...this.#sentIn(head + 1).map((transaction) => String(transaction["hash"]))];
  }

  /** Takes a raw transaction; it is mined in the next block. `isNew` is false for a known one. */
  submit(raw: string, timeMs: number): { hash: string; isNew: boolean } {
    const hash = hexOf(keccak256(bytesOf(raw)));
    if (this.#sent.has(hash)) return { hash, isNew: false };
    dropOldest(this.#sent, SENT_LIMIT);
    const number = this.timeline.headAt(timeMs) + 1;
    this.#sent.set(hash, {
      number,
      transaction: sentTransaction(this.timeline.chainId, hash, raw),
    });
    return { hash, isNew: true };
  }

  #find(number: number, hash: string, head: number, pending: RpcObject): FoundTransaction {
    const content = this.at(number, head);
    const index =
      content?.transactions.findIndex((transaction) => transaction["hash"] === hash) ?? -1;
    const mined = content?.transactions[index];
    return { transaction: mined ?? pending, receipt: mined && content?.receipts[index] };
  }

  #sentIn(number: number): readonly RpcObject[] {
    const found: RpcObject[] = [];
    for (const sent of this.#sent.values())
      if (sent.number === number) found.push(sent.transaction);
    return found;
  }
}

interface SentTransaction {
  readonly number: number;
  readonly transaction: RpcObject;
}

/** What the fake tells of a transaction it does not decode: its bytes and a stand-in for the rest. */
function sentTransaction(chainId: number, hash: string, raw: string): RpcObject {
  const word = `0x${"1".padStart(64, "0")}`;
  const sender = `0x${hash.slice(26)}`;
  return {
    type: "0x0",
    chainId: quantity(chainId),
    hash,
    nonce: "0x0",
    from: sender,
    to: sender,
    value: "0x0",
    gas: quantity(21_000),
    gasPrice: quantity(20_000_000_000),
    input: raw,
    blockHash: null,
    blockNumber: null,
    transactionIndex: null,
    v: quantity(chainId * 2 + 35),
    r: word,
    s: word,
  };
}

function hexOf(bytes: Uint8Array): string {
  let digits = "0x";
  for (const byte of bytes) digits += byte.toString(16).padStart(2, "0");
  return digits;
}

function dropOldest(map: Map<string, unknown>, limit: number): void {
  if (map.size < limit) return;
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}

/** Built blocks kept; 256 heights answer every poll and backfill of a demo from memory. */
const BUILT_LIMIT = 256;
/** Sent transactions remembered; the oldest is forgotten first. */
const SENT_LIMIT = 1_000;
