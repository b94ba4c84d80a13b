/**
 * Decides which short-lived answers are worth keeping, after TinyLFU's doorkeeper (Einziger, Friedman
 * and Manes, 2017). While kept answers are asked for again, everything is kept. When next to nobody
 * comes back, as with wallets that each ask for their own balance, only what is asked for a second
 * time is: keeping what nobody reads would cost more than it saves.
 */

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
  #sieve = new Uint32Array(SIEVE_BITS / 32);
  #lastSieve = new Uint32Array(SIEVE_BITS / 32);

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
    const bit = hashOf(key) & (SIEVE_BITS - 1);
    const word = bit >>> 5;
    const mask = 1 << (bit & 31);
    const seen = ((this.#sieve[word] as number) | (this.#lastSieve[word] as number)) & mask;
    this.#sieve[word] = (this.#sieve[word] as number) | mask;
    if (seen === 0) return false;
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

/** FNV-1a over the UTF-16 units, with a last mix, since the low bits are used. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}
