/** Learns a chain's block time from how its tip advances. */

const alpha = 0.1;
const samplesToPublish = 3;
const shortestMs = 10;
const longestMs = 120_000;

/** A moving average of block times (EMA, alpha 0.1), published after three samples. */
export class BlockTime {
  readonly #assumedMs: number;
  #averageMs = 0;
  #samples = 0;

  /** `assumedMs`: configured, or a guess until enough has been seen. */
  constructor(assumedMs: number) {
    this.#assumedMs = assumedMs;
  }

  /** The tip rose by `blocks` within `elapsedMs`; absurd samples are dropped. */
  advance(blocks: number, elapsedMs: number): void {
    const sampleMs = elapsedMs / blocks;
    if (!(sampleMs >= shortestMs && sampleMs <= longestMs)) return;
    this.#averageMs =
      this.#samples === 0 ? sampleMs : this.#averageMs + alpha * (sampleMs - this.#averageMs);
    this.#samples++;
  }

  /** True once it is measured. */
  get isLearned(): boolean {
    return this.#samples >= samplesToPublish;
  }

  /** The block time now, ms. */
  get ms(): number {
    return this.isLearned ? this.#averageMs : this.#assumedMs;
  }
}
