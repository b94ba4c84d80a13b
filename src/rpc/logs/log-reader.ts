/**
 * Takes the answer of one part as it arrives and keeps the bytes between the brackets of its result,
 * having looked at where each log stands: inside the part's range, in ascending order, one hash a
 * block. What fails that is not an answer to the part.
 *
 * Nothing is copied but the log that a chunk cuts in two.
 */
import { INCOMPLETE, skipSpace } from "../json-rpc/json-bytes.ts";
import { walkReply } from "../json-rpc/reply-walker.ts";
import { HASH_DIGITS, lastPlace, readLog } from "./read-log.ts";

/** The hash that an answer gave for a block. */
export interface BlockMark {
  readonly block: number;
  /** 64 hex digits, as they stood. */
  readonly hash: string;
}

/** The logs of a part. */
export interface LogsBody {
  /** The bytes between the brackets, in order. */
  readonly pieces: readonly Buffer[];
  readonly sizeBytes: number;
  readonly count: number;
  /** Blocks that a reorganisation may still replace, ascending, with the hash their logs carry. */
  readonly marks: readonly BlockMark[];
}

/** What the logs of a part must keep to. */
export interface LogBounds {
  readonly fromBlock: number;
  readonly toBlock: number;
  /** Blocks from here on are marked. */
  readonly marksFrom: number;
}

/** Longest head of an answer before its result, bytes. */
const MAX_HEAD_BYTES = 4096;

/** Reads one part's answer. */
export class LogReader {
  readonly #bounds: LogBounds;
  readonly #pieces: Buffer[] = [];
  readonly #marks: BlockMark[] = [];
  readonly #hash = Buffer.alloc(HASH_DIGITS);
  #state: "head" | "first" | "next" | "closed" = "head";
  #head: Buffer | undefined;
  /** Bytes that are kept: all that came since the bracket. */
  #kept = 0;
  /** Length of the body, once its closing bracket was seen. */
  #length = -1;
  /** The beginning of a log that is not whole yet, and how much must come before it is read again. */
  #rest: Buffer[] = [];
  #restBytes = 0;
  #readAt = 0;
  #block = -1;
  #index = -1;
  #count = 0;
  /** Why this is no answer; further bytes are ignored then. */
  fault: string | undefined = undefined;

  constructor(bounds: LogBounds) {
    this.#bounds = bounds;
  }

  /** Bytes that are held now. */
  get sizeBytes(): number {
    return this.#kept;
  }

  get #isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Takes the next bytes of the answer; they must not change afterwards. */
  push(chunk: Buffer): void {
    if (this.fault !== undefined || this.#isClosed || chunk.length === 0) return;
    if (this.#state === "head") this.#takeHead(chunk);
    else this.#takeBody(chunk);
  }

  /** The logs, now that all bytes are there; `undefined` leaves a `fault`. */
  finish(): LogsBody | undefined {
    if (this.fault === undefined && !this.#isClosed) {
      this.#readRest();
      if (!this.#isClosed) this.fault ??= "the list of logs is cut";
    }
    if (this.fault !== undefined) return undefined;
    this.#trim();
    const isEmpty = this.#count === 0;
    return {
      pieces: isEmpty ? [] : this.#pieces,
      sizeBytes: isEmpty ? 0 : this.#kept,
      count: this.#count,
      marks: this.#marks,
    };
  }

  #takeHead(chunk: Buffer): void {
    const bytes = this.#head === undefined ? chunk : Buffer.concat([this.#head, chunk]);
    const { kind, valueAt } = walkReply(bytes, bytes.length, false);
    if (kind === "more" && bytes.length <= MAX_HEAD_BYTES) {
      this.#head = bytes;
      return;
    }
    if (kind !== "result" || bytes[valueAt] !== 0x5b) {
      this.fault = "the answer is no list of logs";
      return;
    }
    this.#head = undefined;
    this.#state = "first";
    this.#takeBody(bytes.subarray(valueAt + 1));
  }

  #takeBody(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#pieces.push(chunk);
    this.#kept += chunk.length;
    this.#rest.push(chunk);
    this.#restBytes += chunk.length;
    // A log that spans many chunks is read again only when twice as much is there.
    if (this.#restBytes >= this.#readAt) this.#readRest();
  }

  #readRest(): void {
    const bytes =
      this.#rest.length === 1 ? (this.#rest[0] as Buffer) : joined(this.#rest, this.#restBytes);
    const end = this.#restBytes;
    const at = this.#readLogs(bytes, end);
    if (this.fault !== undefined || this.#isClosed) {
      this.#rest = [];
      return;
    }
    // A copy: `bytes` may be the shared scratch, and a whole chunk must not live for its tail.
    this.#rest = at === end ? [] : [Buffer.from(bytes.subarray(at, end))];
    this.#restBytes = end - at;
    this.#readAt = 2 * this.#restBytes;
  }

  /** Reads as many whole logs as there are; returns where the unread rest begins. */
  #readLogs(bytes: Buffer, end: number): number {
    let unread = 0;
    for (;;) {
      let at = skipSpace(bytes, unread, end);
      if (at >= end) return unread;
      if (bytes[at] === 0x5d) {
        this.#length = this.#kept - (end - at);
        this.#state = "closed";
        return at;
      }
      if (this.#state === "next") {
        if (bytes[at] !== 0x2c) return this.#broken(at);
        at = skipSpace(bytes, at + 1, end);
      }
      const after = readLog(bytes, at, end);
      if (after === INCOMPLETE) return unread;
      if (after < 0) return this.#broken(at);
      if (!this.#accept(bytes)) return at;
      this.#state = "next";
      unread = after;
    }
  }

  #broken(at: number): number {
    this.fault = "the list holds something that is no log";
    return at;
  }

  #accept(bytes: Buffer): boolean {
    const { block, index, hashAt } = lastPlace;
    const { fromBlock, toBlock, marksFrom } = this.#bounds;
    if (block < 0 || index < 0 || hashAt < 0) {
      this.fault = "a log lacks blockNumber, blockHash or logIndex";
    } else if (block < fromBlock || block > toBlock) {
      this.fault = `a log of block ${block} answers for ${fromBlock} to ${toBlock}`;
    } else if (block < this.#block || (block === this.#block && index <= this.#index)) {
      this.fault = `the logs of block ${block} are out of order`;
    } else if (block === this.#block && !this.#isSameHash(bytes, hashAt)) {
      this.fault = `block ${block} has two hashes`;
    } else if (block !== this.#block) {
      bytes.copy(this.#hash, 0, hashAt, hashAt + HASH_DIGITS);
      if (block >= marksFrom) this.#marks.push({ block, hash: this.#hash.toString("latin1") });
    }
    if (this.fault !== undefined) return false;
    this.#block = block;
    this.#index = index;
    this.#count++;
    return true;
  }

  #isSameHash(bytes: Buffer, hashAt: number): boolean {
    return this.#hash.compare(bytes, hashAt, hashAt + HASH_DIGITS) === 0;
  }

  /** Drops what came behind the closing bracket. */
  #trim(): void {
    while (this.#kept > this.#length) {
      const last = this.#pieces.pop() as Buffer;
      const excess = this.#kept - this.#length;
      if (last.length > excess) this.#pieces.push(last.subarray(0, last.length - excess));
      this.#kept -= Math.min(last.length, excess);
    }
  }
}

/** Room for a chunk and the log it continues; reading is synchronous, so that all readers share it. */
const SCRATCH_BYTES = 256 * 1024;
let scratch: Buffer | undefined;

function joined(chunks: readonly Buffer[], sizeBytes: number): Buffer {
  if (sizeBytes > SCRATCH_BYTES) return Buffer.concat(chunks);
  scratch ??= Buffer.allocUnsafe(SCRATCH_BYTES);
  let at = 0;
  for (const chunk of chunks) at += chunk.copy(scratch, at);
  return scratch;
}
