/** The last pending transactions of a chain, read by any number of filters from where each stands. */

/** A ring of hashes; the oldest give way. */
export class PendingRing {
  readonly #hashes: string[] = [];
  readonly #size: number;
  #next = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** Place of the hash that comes next. */
  get next(): number {
    return this.#next;
  }

  push(hash: string): void {
    this.#hashes[this.#next % this.#size] = hash;
    this.#next++;
  }

  /** The hashes from `place` on that are still there. */
  since(place: number): readonly string[] {
    const found: string[] = [];
    for (let at = Math.max(place, this.#next - this.#size); at < this.#next; at++) {
      found.push(this.#hashes[at % this.#size] as string);
    }
    return found;
  }
}
