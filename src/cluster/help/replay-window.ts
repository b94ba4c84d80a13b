/**
 * Which numbers of one counting sender have been seen, in constant memory: the newest ones by bit, all
 * older ones count as seen (the anti-replay window of IPsec, RFC 4303 3.4.3).
 */
import { clearBit, hasBit, setBit, WORD_BITS, wordsFor } from "../../lib/bits.ts";

/** The window over one sender's numbers, which begin at 1. */
export class ReplayWindow {
  readonly #words: Int32Array;
  readonly #size: number;
  #highest = 0;

  /** `size`: how far a number may be behind the highest one. */
  constructor(size: number) {
    this.#words = new Int32Array(wordsFor(size));
    this.#size = this.#words.length * WORD_BITS;
  }

  /** True for a number that is seen for the first time. */
  take(number: number): boolean {
    if (!Number.isSafeInteger(number) || number < 1 || number <= this.#highest - this.#size) {
      return false;
    }
    if (number > this.#highest) this.#advance(number);
    const at = number % this.#size;
    if (hasBit(this.#words, at)) return false;
    setBit(this.#words, at);
    return true;
  }

  /** The places between the old highest number and the new one are those of numbers long gone. */
  #advance(number: number): void {
    if (number - this.#highest >= this.#size) this.#words.fill(0);
    else {
      for (let one = this.#highest + 1; one <= number; one++) {
        clearBit(this.#words, one % this.#size);
      }
    }
    this.#highest = number;
  }
}
