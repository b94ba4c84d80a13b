/**
 * The providers of a chain as numbered lanes, and since when each has been live on each stream.
 *
 * A lane number fits a bit of a mask, so an arrival costs no allocation. Lane 31 is shared by all
 * providers beyond 31: they are deduplicated like the others but never race.
 */
import type { ProviderId } from "../ids.ts";
import type { RaceEvent } from "./settled-race.ts";

/** Number of the shared lane whose providers do not race. */
export const sharedLane = 31;

/** Position of an event kind in per-event columns. */
export const eventIndex: Readonly<Record<RaceEvent, number>> = {
  newHeads: 0,
  logs: 1,
  newPendingTransactions: 2,
};

const eventCount = 3;

/** Keeps lanes, live times and last deliveries of a chain's providers. */
export class Lanes {
  readonly #maxProviders: number;
  readonly #lanes = new Map<ProviderId, number>();
  readonly #providers: (ProviderId | undefined)[] = [];
  readonly #liveSinceNs = new Float64Array(32 * eventCount).fill(Number.NaN);
  readonly #lastNs = new Float64Array(32 * eventCount).fill(Number.NaN);
  /** Lanes that have been live, by event. */
  readonly #everLive = new Uint32Array(eventCount);

  constructor(maxProviders: number) {
    this.#maxProviders = Math.min(Math.max(0, maxProviders), sharedLane);
  }

  /** The lane of a provider, given at first sight. */
  of(provider: ProviderId): number {
    const known = this.#lanes.get(provider);
    if (known !== undefined) return known;
    let lane = 0;
    while (lane < this.#maxProviders && this.#providers[lane] !== undefined) lane++;
    if (lane >= this.#maxProviders) return sharedLane;
    this.#lanes.set(provider, lane);
    this.#providers[lane] = provider;
    return lane;
  }

  /** Who runs in a lane. */
  provider(lane: number): ProviderId | undefined {
    return this.#providers[lane];
  }

  /** Frees the lane of a provider that is gone for good. */
  forget(provider: ProviderId): void {
    const lane = this.#lanes.get(provider);
    if (lane === undefined) return;
    this.#lanes.delete(provider);
    this.#providers[lane] = undefined;
    for (let event = 0; event < eventCount; event++) {
      this.#everLive[event] = (this.#everLive[event] as number) & ~(1 << lane);
      this.#liveSinceNs[event * 32 + lane] = Number.NaN;
      this.#lastNs[event * 32 + lane] = Number.NaN;
    }
  }

  /** The provider's subscription to `event` is live from now on; false when it may not race. */
  live(provider: ProviderId, event: RaceEvent, atNs: number): boolean {
    const lane = this.of(provider);
    if (lane === sharedLane) return false;
    const index = eventIndex[event];
    this.#everLive[index] = (this.#everLive[index] as number) | (1 << lane);
    const at = index * 32 + lane;
    if (Number.isNaN(this.#liveSinceNs[at])) {
      this.#liveSinceNs[at] = atNs;
      this.#lastNs[at] = atNs;
    }
    return true;
  }

  /** The subscription is gone; what the provider misses from now on is no loss of a race. */
  gone(provider: ProviderId, event: RaceEvent): void {
    const lane = this.#lanes.get(provider);
    if (lane !== undefined) this.#liveSinceNs[eventIndex[event] * 32 + lane] = Number.NaN;
  }

  /** Notes a delivery. */
  delivered(lane: number, event: number, atNs: number): void {
    this.#lastNs[event * 32 + lane] = atNs;
  }

  /** When the lane delivered last on this stream; NaN when it never was live. */
  lastNs(lane: number, event: number): number {
    return this.#lastNs[event * 32 + lane] as number;
  }

  /** Since when the lane has been live on this stream; NaN when it is not. */
  liveSinceNs(lane: number, event: number): number {
    return this.#liveSinceNs[event * 32 + lane] as number;
  }

  /** The lanes that have been live on `event` and are not now, as a mask. */
  absentees(event: number): number {
    let mask = this.#everLive[event] as number;
    for (let lane = 0; lane < this.#providers.length; lane++) {
      if (!Number.isNaN(this.#liveSinceNs[event * 32 + lane])) mask &= ~(1 << lane);
    }
    return mask;
  }

  /** The lanes that were live on `event` at `atNs` for at least `ageNs`, as a mask. */
  entrants(event: number, atNs: number, ageNs: number): number {
    let mask = 0;
    for (let lane = 0; lane < this.#providers.length; lane++) {
      // A NaN (not live) compares false.
      if (atNs - (this.#liveSinceNs[event * 32 + lane] as number) >= ageNs) mask |= 1 << lane;
    }
    return mask;
  }
}
