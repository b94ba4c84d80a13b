/**
 * The canonical blocks of one chain, by height: what tells an answer that still holds from one of a
 * block that was replaced.
 *
 * It is told of each block that becomes canonical, in order, and holds one unbroken branch only: a
 * block that does not fit on the one below it shows that something was replaced unseen, and then
 * whatever stood below counts as replaced too. Its writer is the chain's subscription hub.
 */

/** Heights that are remembered; more than two block times of the fastest chains. */
const RING_BLOCKS = 1_024;

/** Hears of blocks that are canonical no more. */
export type OrphanListener = (hashes: readonly string[]) => void;

/** One chain's canonical blocks. */
export class Canon {
  /** Told at once, before anybody can ask for the height again. */
  onOrphaned: OrphanListener | undefined = undefined;
  readonly #hashes: (string | undefined)[] = [];
  readonly #numbers = new Map<string, number>();
  #lowest = 0;
  #tip = -1;

  /** Height of the newest block, or -1. */
  get tip(): number {
    return this.#tip;
  }

  /** The canonical hash at a height, as far as it is known. */
  at(number: number): string | undefined {
    return number > this.#tip || number < this.#lowest
      ? undefined
      : this.#hashes[number % RING_BLOCKS];
  }

  /** The height of a canonical block, as far as it is known. */
  numberOf(hash: string): number | undefined {
    return this.#numbers.get(hash);
  }

  /** A block became canonical: it stands on `parentHash` and is the newest one. */
  raise(number: number, hash: string, parentHash: string): void {
    if (this.at(number) === hash) return;
    const orphaned: string[] = [];
    this.#cut(number, orphaned);
    if (this.#tip !== number - 1 || this.at(number - 1) !== parentHash) {
      this.#cut(this.#lowest, orphaned);
      if (number > 0) this.#push(number - 1, parentHash);
    }
    this.#push(number, hash);
    if (orphaned.length > 0) this.onOrphaned?.(orphaned);
  }

  /** Nothing is known any more. */
  clear(): void {
    const orphaned: string[] = [];
    this.#cut(this.#lowest, orphaned);
    if (orphaned.length > 0) this.onOrphaned?.(orphaned);
  }

  /** Takes away `from` and what stands above it. */
  #cut(from: number, orphaned: string[]): void {
    for (let number = this.#tip; number >= Math.max(from, this.#lowest); number--) {
      const hash = this.#hashes[number % RING_BLOCKS] as string;
      orphaned.push(hash);
      this.#numbers.delete(hash);
    }
    this.#tip = Math.min(this.#tip, from - 1);
    if (this.#tip < this.#lowest) this.#tip = -1;
  }

  #push(number: number, hash: string): void {
    if (this.#tip < 0) this.#lowest = number;
    else if (number - this.#lowest >= RING_BLOCKS) {
      this.#numbers.delete(this.#hashes[number % RING_BLOCKS] as string);
      this.#lowest = number - RING_BLOCKS + 1;
    }
    this.#hashes[number % RING_BLOCKS] = hash;
    this.#numbers.set(hash, number);
    this.#tip = number;
  }
}
