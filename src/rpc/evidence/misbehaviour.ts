/**
 * How often each provider was caught with a wrong answer: decayed, so that it is forgiven in time, and
 * counted, so that an operator sees it.
 */
import type { DecayClock } from "../../lib/decay-clock.ts";
import type { ProviderId } from "../ids.ts";

interface Cell {
  weight: number;
  count: number;
}

/** The cells of one chain. */
export class Misbehaviour {
  readonly #clock: DecayClock;
  readonly #cells = new Map<ProviderId, Cell>();

  constructor(clock: DecayClock) {
    this.#clock = clock;
  }

  /** Counts one wrong answer. */
  record(provider: ProviderId, nowMs: number): void {
    let cell = this.#cells.get(provider);
    if (cell === undefined) this.#cells.set(provider, (cell = { weight: 0, count: 0 }));
    cell.weight += this.#clock.weightAt(nowMs);
    cell.count++;
  }

  /** Wrong answers that still count at `nowMs`. */
  of(provider: ProviderId, nowMs: number): number {
    const cell = this.#cells.get(provider);
    return cell === undefined ? 0 : cell.weight * this.#clock.scaleAt(nowMs);
  }

  /** All wrong answers since the start. */
  total(provider: ProviderId): number {
    return this.#cells.get(provider)?.count ?? 0;
  }

  /** Multiplies the decayed sums, when the clock's weights are rescaled. */
  rescale(factor: number): void {
    for (const cell of this.#cells.values()) cell.weight *= factor;
  }

  /** Forgets a provider that left the chain. */
  forget(provider: ProviderId): void {
    this.#cells.delete(provider);
  }
}
