/**
 * Long work of a process: a stretch of the first, then the loop is others', then a stretch of the next.
 * A message that a process sends itself comes in the same turn of the loop, so something else must lie
 * between.
 */

/** How long a stretch may be. */
export interface Stretch {
  readonly mostMs: number;
  /** Slices at most. */
  readonly mostSlices: number;
}

/** What a process has begun and not ended. */
export class LongWork<Work> {
  readonly #stretch: Stretch;
  readonly #rest: () => void;
  readonly #works: Work[] = [];
  #isResting = false;

  /** `rest` gives the loop away; `goOn` is to be called once after it. */
  constructor(stretch: Stretch, rest: () => void) {
    this.#stretch = stretch;
    this.#rest = rest;
  }

  /** One more thing to do. */
  begin(work: Work): void {
    this.#works.push(work);
    this.#restOnce();
  }

  /** A stretch of the work whose turn it is; a slice answers true when it was the last one. */
  goOn(slice: (work: Work) => boolean, now: () => number): void {
    this.#isResting = false;
    const work = this.#works.shift();
    if (work === undefined) return;
    const { mostMs, mostSlices } = this.#stretch;
    const untilMs = now() + mostMs;
    let isDone = false;
    for (let left = mostSlices; left > 0 && !isDone; left--) {
      isDone = slice(work);
      if (now() >= untilMs) break;
    }
    if (!isDone) this.#works.push(work);
    if (this.#works.length > 0) this.#restOnce();
  }

  #restOnce(): void {
    if (this.#isResting) return;
    this.#isResting = true;
    this.#rest();
  }
}
