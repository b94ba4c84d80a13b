/**
 * The second level of the cache: answers that several hosts share through a store outside. Losing it
 * changes the hit rate and nothing else: it is asked for 20 ms at most, left alone for a while when it
 * keeps silent, and nothing it says is believed that the chain here does not bear out.
 */
import { hash } from "node:crypto";
import type { SharedCache } from "../shared-store.ts";
import { decodeShared, encodeShared, type SharedAnswer } from "./shared-value.ts";

/** Packs large values; each calls `done` exactly once, with `undefined` when it cannot. */
export interface Packer {
  pack(bytes: Buffer, done: (packed: Buffer | undefined) => void): void;
  /** Refuses what unpacks to more than `maxBytes`. */
  unpack(packed: Buffer, maxBytes: number, done: (bytes: Buffer | undefined) => void): void;
}

/** What became of what was asked. */
export interface SharedCounts {
  hits: number;
  misses: number;
  /** Values that were none of ours, or broken. */
  refused: number;
  /** Questions without an answer in time. */
  late: number;
}

/** Longest wait for the store, ms. */
export const SHARED_DEADLINE_MS = 20;
/** Values from this size on are packed, bytes. */
const PACK_BYTES = 1_024;
/** Larger values are not believed to be ours, unpacked, bytes: an answer and its head. */
const MAX_VALUE_BYTES = 1024 * 1024 + 1_024;
/** Late answers in a row after which the store is left alone, and for how long, ms. */
const MAX_LATE = 5;
const REST_MS = 1_000;
const MAX_REST_MS = 30_000;
/** Longest life of a value outside, ms: a day. */
const MAX_TTL_MS = 86_400_000;
const PLAIN = 0x70;
const PACKED = 0x7a;

/** One node's way to the store. */
export class SharedLevel {
  readonly counts: SharedCounts = { hits: 0, misses: 0, refused: 0, late: 0 };
  readonly #store: SharedCache;
  readonly #packer: Packer;
  #lateInRow = 0;
  #restUntilMs = 0;
  #restMs = REST_MS;

  constructor(store: SharedCache, packer: Packer) {
    this.#store = store;
    this.#packer = packer;
  }

  /** Whether asking is worth the wait now. */
  isWorthAsking(nowMs: number): boolean {
    return this.#store.isUp && nowMs >= this.#restUntilMs;
  }

  /** Asks for the answer to a call; `done` may be called late, or never. */
  get(key: string, done: (found: SharedAnswer | undefined) => void): void {
    this.#store.get(storeKey(key), (value) => {
      this.#lateInRow = 0;
      this.#restMs = REST_MS;
      if (value === undefined || value.length < 2) return this.#found(undefined, value, done);
      const rest = value.subarray(1);
      if (value[0] === PLAIN) this.#found(decodeShared(key, rest), value, done);
      else if (value[0] !== PACKED) this.#found(undefined, value, done);
      else {
        this.#packer.unpack(rest, MAX_VALUE_BYTES, (bytes) => {
          this.#found(bytes === undefined ? undefined : decodeShared(key, bytes), value, done);
        });
      }
    });
  }

  /** The store did not answer in time. */
  wasLate(nowMs: number): void {
    this.counts.late++;
    if (++this.#lateInRow < MAX_LATE) return;
    this.#lateInRow = 0;
    this.#restUntilMs = nowMs + this.#restMs;
    this.#restMs = Math.min(2 * this.#restMs, MAX_REST_MS);
  }

  /** Gives an answer to the other hosts; nobody hears whether it arrived. */
  set(key: string, found: SharedAnswer, ttlMs: number, nowMs: number): void {
    if (!this.isWorthAsking(nowMs)) return;
    const bytes = encodeShared(key, found);
    const lifeMs = Math.max(1, Math.floor(Math.min(ttlMs, MAX_TTL_MS)));
    const put = (mark: number, value: Buffer): void =>
      this.#store.set(storeKey(key), Buffer.concat([Buffer.of(mark), value]), lifeMs);
    if (bytes.length < PACK_BYTES) put(PLAIN, bytes);
    else {
      this.#packer.pack(bytes, (packed) => {
        if (packed !== undefined && packed.length < bytes.length) put(PACKED, packed);
        else put(PLAIN, bytes);
      });
    }
  }

  #found(
    found: SharedAnswer | undefined,
    value: Buffer | undefined,
    done: (found: SharedAnswer | undefined) => void,
  ): void {
    if (found !== undefined) this.counts.hits++;
    else if (value === undefined) this.counts.misses++;
    else this.counts.refused++;
    done(found);
  }
}

/** Keys of calls are as long as the calls; the store's are not. */
function storeKey(key: string): string {
  return `answer:${hash("sha256", key, "hex")}`;
}
