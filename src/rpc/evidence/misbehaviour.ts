/**
 * How often each provider was caught with a wrong answer: decayed, so that it is forgiven in time, and
 * counted, so that an operator sees it.
 */
import type { DecayClock } from "../../lib/decay-clock.ts";
import type { ProviderId } from "../ids.ts";

/** Wrong answers of one provider; `weight` is their decayed number. */
export interface Caught {
  readonly provider: ProviderId;
  readonly weight: number;
  readonly count: number;
}

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

  /** What every provider was caught with, as of `nowMs`. */
  all(nowMs: number): readonly Caught[] {
    const scale = this.#clock.scaleAt(nowMs);
    return [...this.#cells].map(([provider, { weight, count }]) => ({
      provider,
      weight: weight * scale,
      count,
    }));
  }

  /** Adds what a snapshot remembers; `factor` turns its decayed sums into counted weight. */
  restore(caught: readonly Caught[], factor: number): void {
    for (const { provider, weight, count } of caught) {
      const cell = this.#cells.get(provider) ?? { weight: 0, count: 0 };
      cell.weight += weight * factor;
      cell.count += count;
      this.#cells.set(provider, cell);
    }
  }

  /** Who was caught. */
  providers(): ProviderId[] {
    return [...this.#cells.keys()];
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
