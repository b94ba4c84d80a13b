/**
 * Exponential decay for many counters at the cost of an addition (forward decay, Cormode et al.
 * 2009): instead of shrinking what was counted, later events weigh more, and a reader divides.
 */

const stepsPerHalfLife = 4_096;
/** Beyond 2^512 the counters are rescaled, far from the limit of a double. */
const maxExponent = 512;

/** Weighs events by time so that what was counted `halfLifeMs` ago counts half. */
export class DecayClock {
  #stepMs: number;
  #halfLifeMs: number;
  #landmarkMs = Number.NaN;
  #step = Number.NaN;
  #weight = 1;

  constructor(halfLifeMs: number) {
    this.#halfLifeMs = halfLifeMs;
    this.#stepMs = halfLifeMs / stepsPerHalfLife;
  }

  /** The weight of an event at `nowMs`; time is rounded down to 1/4096 of the half-life. */
  weightAt(nowMs: number): number {
    const step = Math.floor(nowMs / this.#stepMs);
    if (step !== this.#step) this.#move(step);
    return this.#weight;
  }

  /** Factor that turns counted weight into the decayed count at `nowMs`. */
  scaleAt(nowMs: number): number {
    return 1 / this.weightAt(nowMs);
  }

  /**
   * Non-zero when the weights have grown large: multiply every counter by the result, now, before
   * the next `weightAt`.
   */
  rescale(nowMs: number): number {
    const weight = this.weightAt(nowMs);
    if (weight < 2 ** maxExponent) return 0;
    this.#begin();
    return 1 / weight;
  }

  /** Another half-life from `nowMs` on; multiply every counter by the result, now. */
  retime(halfLifeMs: number, nowMs: number): number {
    const factor = this.scaleAt(nowMs);
    this.#halfLifeMs = halfLifeMs;
    this.#stepMs = halfLifeMs / stepsPerHalfLife;
    this.#step = Math.floor(nowMs / this.#stepMs);
    this.#begin();
    return factor;
  }

  /** What is counted from here on weighs 1. */
  #begin(): void {
    this.#landmarkMs = this.#step * this.#stepMs;
    this.#weight = 1;
  }

  #move(step: number): void {
    const atMs = step * this.#stepMs;
    if (Number.isNaN(this.#landmarkMs)) this.#landmarkMs = atMs;
    this.#step = step;
    this.#weight = 2 ** ((atMs - this.#landmarkMs) / this.#halfLifeMs);
  }
}
