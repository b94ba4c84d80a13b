/**
 * Decides which short-lived answers are worth keeping, after TinyLFU's doorkeeper (Einziger, Friedman
 * and Manes, 2017). While kept answers are asked for again, everything is kept. When next to nobody
 * comes back, as with wallets that each ask for their own balance, only what is asked for a second
 * time is: keeping what nobody reads would cost more than it saves.
 */
import { hasBit, setBit, wordsFor } from "../../lib/bits.ts";
import { fnv32 } from "../../lib/fnv32.ts";

/** Answers between two judgements. */
const WINDOW = 4_096;
/** One in so many has to be asked for again. */
const LEAST_SHARE = 50;
/** Bits of a sieve: of a full window one key in sixteen is taken for another one. */
const SIEVE_BITS = 65_536;

/** The doorkeeper of one node's short-lived answers. */
export class Doorkeeper {
  #isPicky = false;
  #asked = 0;
  #returned = 0;
  /** Keys of this window and of the last one. */
  #sieve = new Int32Array(wordsFor(SIEVE_BITS));
  #lastSieve = new Int32Array(wordsFor(SIEVE_BITS));

  /** Only what is asked for a second time is kept. */
  get isPicky(): boolean {
    return this.#isPicky;
  }

  /** A kept answer was given. */
  wasUseful(): void {
    this.#returned++;
  }

  /** Whether the answer under this key is kept. */
  admits(key: string): boolean {
    if (++this.#asked >= WINDOW) this.#judge();
    if (!this.#isPicky) return true;
    const bit = bitOf(key);
    const isKnown = hasBit(this.#sieve, bit) || hasBit(this.#lastSieve, bit);
    setBit(this.#sieve, bit);
    if (!isKnown) return false;
    this.#returned++;
    return true;
  }

  #judge(): void {
    this.#isPicky = this.#returned * LEAST_SHARE < this.#asked;
    this.#asked = 0;
    this.#returned = 0;
    const oldest = this.#lastSieve;
    this.#lastSieve = this.#sieve;
    this.#sieve = oldest.fill(0);
  }
}

/** A key's place in a sieve; mixed once more, since only the low bits count. */
function bitOf(key: string): number {
  const hash = fnv32(key);
  return (hash ^ (hash >>> 15)) & (SIEVE_BITS - 1);
}
