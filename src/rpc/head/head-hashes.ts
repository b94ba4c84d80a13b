/**
 * The hashes that the served tip has had, by height: what tells a block of this branch from one of
 * another. A ring, so it costs the same however long the chain grows.
 */

/** Heights that are remembered. */
export const RING_BLOCKS = 1_024;

/** Canonical hashes of the latest heights; its writer is the chain's head tracker. */
export class HeadHashes {
  readonly #ring: ({ readonly number: number; readonly hash: string } | undefined)[] = [];
  #highest = -1;

  /** The hash of the block at `number`, or `undefined` when it was never seen or is too old. */
  at(number: number): string | undefined {
    if (number > this.#highest) return undefined;
    const known = this.#ring[number % RING_BLOCKS];
    return known?.number === number ? known.hash : undefined;
  }

  /** `hash` is the block at `number` from now on. */
  set(number: number, hash: string): void {
    if (number < 0) return;
    if (number > this.#highest) this.#highest = number;
    this.#ring[number % RING_BLOCKS] = { number, hash };
  }

  /** The tip fell to `number`: what stood above it belongs to a branch that is gone. */
  cut(number: number): void {
    // Over the ring and not over the heights: a wrong head may have been a billion blocks up.
    for (let at = 0; at < this.#ring.length; at++) {
      if ((this.#ring[at]?.number ?? -1) > number) this.#ring[at] = undefined;
    }
    this.#highest = Math.min(this.#highest, number);
  }

  /** Forgets everything. */
  clear(): void {
    this.#ring.length = 0;
    this.#highest = -1;
  }
}
