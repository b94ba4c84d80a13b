/**
 * What is given up while memory is scarce, so that the program serves on instead of dying of it: first
 * what is kept for speed alone, then what would stay, then what is large, then everything.
 */

/** What is given up, each with all before it. */
export const RELIEFS = ["none", "cache", "subscriptions", "batches", "requests"] as const;

export type Relief = (typeof RELIEFS)[number];

/** Steps between the share at which memory is scarce and all of it. */
const STEPS = RELIEFS.length - 1;
/** A step is taken back when memory is below it by this part of a step: a share wavers. */
const SLACK = 0.5;

/** Knows what is given up now. */
export class MemoryGuard {
  readonly #high: number;
  readonly #step: number;
  #level = 0;

  /** `high`: the share of memory from which on it is scarce; with 1 it never is. */
  constructor(high: number) {
    this.#high = high;
    this.#step = (1 - high) / STEPS;
  }

  get relief(): Relief {
    return RELIEFS[this.#level] as Relief;
  }

  /** So large a share of memory is in use; true when something else is given up than before. */
  look(share: number): boolean {
    const before = this.#level;
    const level = this.#levelAt(share);
    const calm = this.#levelAt(share + SLACK * this.#step);
    this.#level = level > before ? level : Math.min(before, calm);
    return this.#level !== before;
  }

  /** True while this is given up. */
  gaveUp(what: Relief): boolean {
    return this.#level >= RELIEFS.indexOf(what);
  }

  #levelAt(share: number): number {
    if (this.#step <= 0 || share < this.#high) return 0;
    return Math.min(STEPS, 1 + Math.floor((share - this.#high) / this.#step));
  }
}
