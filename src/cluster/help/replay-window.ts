/**
 * Which numbers of one counting sender have been seen, in constant memory: the newest ones by bit, all
 * older ones count as seen (the anti-replay window of IPsec, RFC 4303 3.4.3).
 */

const WORD_BITS = 32;

/** The window over one sender's numbers, which begin at 1. */
export class ReplayWindow {
  readonly #words: Uint32Array;
  readonly #size: number;
  #highest = 0;

  /** `size`: how far a number may be behind the highest one. */
  constructor(size: number) {
    this.#size = Math.ceil(size / WORD_BITS) * WORD_BITS;
    this.#words = new Uint32Array(this.#size / WORD_BITS);
  }

  /** True for a number that is seen for the first time. */
  take(number: number): boolean {
    if (!Number.isSafeInteger(number) || number < 1 || number <= this.#highest - this.#size) {
      return false;
    }
    if (number > this.#highest) this.#advance(number);
    const at = number % this.#size;
    const word = Math.floor(at / WORD_BITS);
    const bit = 1 << (at % WORD_BITS);
    const known = this.#words[word] as number;
    if ((known & bit) !== 0) return false;
    this.#words[word] = known | bit;
    return true;
  }

  /** The places between the old highest number and the new one are those of numbers long gone. */
  #advance(number: number): void {
    if (number - this.#highest >= this.#size) this.#words.fill(0);
    else {
      for (let one = this.#highest + 1; one <= number; one++) {
        const at = one % this.#size;
        const word = Math.floor(at / WORD_BITS);
        this.#words[word] = (this.#words[word] as number) & ~(1 << (at % WORD_BITS));
      }
    }
    this.#highest = number;
  }
}
