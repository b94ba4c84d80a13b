/**
 * One token bucket per address, for a bounded number of addresses. Two generations: what is used
 * moves to the young one, a full young one becomes the old one, and the old one is forgotten whole,
 * which costs less than an order of use (performance.md 5).
 */
import { RateBucket, type RateLimit } from "../../lib/rate-bucket.ts";

/** Addresses of one generation; twice as many are known at most. */
export const MAX_ADDRESSES = 10_000;

/** The buckets of all addresses. */
export class AddressBuckets {
  readonly #limit: RateLimit;
  #young = new Map<string, RateBucket>();
  #old = new Map<string, RateBucket>();

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** The bucket of an address; a full one when it was not seen for long. */
  of(address: string): RateBucket {
    const known = this.#young.get(address);
    if (known !== undefined) return known;
    const bucket = this.#old.get(address) ?? new RateBucket(this.#limit);
    this.#old.delete(address);
    if (this.#young.size >= MAX_ADDRESSES) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(address, bucket);
    return bucket;
  }
}
