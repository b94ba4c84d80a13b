/**
 * The flights that can be joined, by key.
 *
 * The map holds numbers of places and never the flights themselves. A map that is filled and emptied
 * all the time leaves a chain of outgrown tables behind, each kept alive by the one before it until
 * the next full collection; with flights in them, every call and its buffers would be kept as well
 * (measured: 20 us of collection per call).
 */
import type { Flight } from "./flight.ts";

/** One chain's flights. */
export class FlightTable {
  readonly #places = new Map<string, number>();
  readonly #flights: (Flight | undefined)[] = [];
  readonly #free: number[] = [];

  /** Flights that can be joined. */
  get size(): number {
    return this.#places.size;
  }

  get(key: string): Flight | undefined {
    const place = this.#places.get(key);
    return place === undefined ? undefined : this.#flights[place];
  }

  /** Lists a flight, in the place of another one of the same key if there is one. */
  set(key: string, flight: Flight): void {
    const place = this.#places.get(key) ?? this.#free.pop() ?? this.#flights.length;
    this.#places.set(key, place);
    this.#flights[place] = flight;
  }

  /** Takes a flight off the list, unless another one has its key by now. */
  delete(key: string, flight: Flight): void {
    const place = this.#places.get(key);
    if (place === undefined || this.#flights[place] !== flight) return;
    this.#places.delete(key);
    this.#flights[place] = undefined;
    this.#free.push(place);
  }
}
