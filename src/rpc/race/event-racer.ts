/**
 * Deduplication and racing of one chain's events: what the message aggregator asks on each arrival.
 *
 * Two memories: seen keys for ten minutes, races for their window. `max_cache_size` bounds the seen
 * keys of all streams together; heads and pending transactions have shares of their own, so that a
 * flood of logs cannot push out the heads of the last 128 blocks.
 */
import type { ProviderId } from "../ids.ts";
import { blockNumberOf } from "../message-key.ts";
import { SeenKeys } from "../seen-keys.ts";
import type { SubscriptionFrame } from "../subscription-frame.ts";
import { Lanes, eventIndex } from "./lanes.ts";
import { Races } from "./races.ts";
import { RecentResults } from "./recent-results.ts";
import type { RaceEvent, SettledRace } from "./settled-race.ts";

/**
 * What an arrival means: `first` is forwarded; `duplicate` is not; `again` is a provider repeating
 * itself (a chain that came back to an earlier block, or a stutter): only those who know which block
 * is canonical can tell, so it goes to them and not straight to clients.
 */
export type Arrival = "first" | "duplicate" | "again";

/** Configuration of a chain's racing; the defaults are the reference's. */
export interface EventRacerOptions {
  /** `aggregation.max_cache_size`, keys; default 10,000. */
  readonly maxCacheSize?: number;
  /** `aggregation.deduplication_window`: a race settles after this time; default 2,000. */
  readonly deduplicationWindowMs?: number;
  /** `aggregation.max_providers`; default 8. */
  readonly maxProviders?: number;
  /** How long a key is known; default 600,000. */
  readonly seenTtlMs?: number;
  /** Least age of a subscription before its provider races; default 5,000. */
  readonly entrantAgeMs?: number;
  /** Silence after which a provider is no longer a witness; default 10,000. */
  readonly silentAfterMs?: number;
  /** Races over pending transactions per second; default 10. */
  readonly pendingRacesPerSec?: number;
}

/** Counters of a racer since its last reset. */
export interface EventRacerStats {
  readonly size: number;
  readonly capacity: number;
  readonly firsts: number;
  readonly duplicates: number;
  readonly repeats: number;
  readonly evictions: number;
  readonly expiries: number;
  readonly openRaces: number;
  readonly refusedRaces: number;
}

const nsPerMs = 1e6;

/** Decides for each arrival whether it is news, and settles the races behind it. */
export class EventRacer {
  readonly #lanes: Lanes;
  readonly #races: Races;
  readonly #seen: Readonly<Record<RaceEvent, SeenKeys>>;
  readonly #logs: RecentResults;
  #firsts = 0;
  #duplicates = 0;
  #repeats = 0;

  constructor(options: EventRacerOptions = {}) {
    const total = Math.max(30, options.maxCacheSize ?? 10_000);
    const ttlNs = (options.seenTtlMs ?? 600_000) * nsPerMs;
    const heads = Math.min(1_024, Math.max(1, Math.floor(total / 8)));
    const pending = Math.max(1, Math.floor(total / 8));
    this.#seen = {
      newHeads: new SeenKeys({ capacity: heads, ttlNs }),
      newPendingTransactions: new SeenKeys({ capacity: pending, ttlNs }),
      logs: new SeenKeys({ capacity: total - heads - pending, ttlNs }),
    };
    this.#logs = new RecentResults(this.#seen.logs.capacity);
    this.#lanes = new Lanes(options.maxProviders ?? 8);
    this.#races = new Races(
      {
        windowNs: (options.deduplicationWindowMs ?? 2_000) * nsPerMs,
        entrantAgeNs: (options.entrantAgeMs ?? 5_000) * nsPerMs,
        silentAfterNs: (options.silentAfterMs ?? 10_000) * nsPerMs,
        pendingGapNs: 1e9 / (options.pendingRacesPerSec ?? 10),
        maxOpen: Math.max(16, Math.floor(total / 10)),
      },
      this.#lanes,
    );
  }

  /** The lane of a provider: ask once per connection and pass it to `arrive`. */
  lane(provider: ProviderId): number {
    return this.#lanes.of(provider);
  }

  /** A provider's subscription went live; false when it only deduplicates (`max_providers`). */
  live(provider: ProviderId, event: RaceEvent, atNs: number): boolean {
    return this.#lanes.live(provider, event, atNs);
  }

  /** A provider's subscription ended. */
  gone(provider: ProviderId, event: RaceEvent): void {
    this.#lanes.gone(provider, event);
  }

  /** A provider left the chain. */
  forget(provider: ProviderId): void {
    this.#lanes.forget(provider);
  }

  /** Judges one arrival; `frame` is read for the height only when a race begins. */
  arrive(
    event: RaceEvent,
    key: string,
    lane: number,
    atNs: number,
    frame: SubscriptionFrame | undefined,
  ): Arrival {
    this.#lanes.delivered(lane, eventIndex[event], atNs);
    const seen = this.#seen[event];
    const verdict = seen.arrive(key, lane, atNs);
    if (event === "logs") {
      if (verdict === "first") this.#logs.began(lane, seen.slot);
      else this.#logs.moved(lane, seen.slot);
    }
    if (verdict === "first") return this.#first(event, key, lane, atNs, frame);
    this.#races.arrive(event, key, lane, atNs);
    if (verdict === "duplicate") this.#duplicates++;
    else this.#repeats++;
    return verdict;
  }

  /** The result of the log that arrived last, which was a first: its copies are told by it. */
  keep(result: Buffer): void {
    this.#logs.put(this.#seen.logs.slot, result);
  }

  /**
   * Judges a log by its bytes from the result on: when it is a provider's copy of what another brought
   * first, that is noted and its key answered. Anything else has to be read and to `arrive`.
   */
  copied(
    lane: number,
    bytes: Buffer,
    start: number,
    end: number,
    atNs: number,
  ): string | undefined {
    const slot = this.#logs.find(lane, bytes, start, end);
    const key = slot < 0 ? undefined : this.#seen.logs.copied(slot, lane, atNs);
    if (key === undefined) return undefined;
    this.#logs.moved(lane, slot);
    this.#lanes.delivered(lane, eventIndex.logs, atNs);
    this.#races.arrive("logs", key, lane, atNs);
    this.#duplicates++;
    return key;
  }

  /** Ends the races whose window has passed; hand the result to evidence. */
  settle(nowNs: number): SettledRace[] {
    return this.#races.settle(nowNs);
  }

  /** Ends the races under way as far as they have come: whoever held them is gone. */
  interrupt(nowNs: number): SettledRace[] {
    return this.#races.interrupt(nowNs);
  }

  /** Forgets keys out of age, whatever the size; call it about once a second. */
  sweep(nowNs: number): number {
    const seen = this.#seen;
    return (
      seen.newHeads.sweep(nowNs) + seen.logs.sweep(nowNs) + seen.newPendingTransactions.sweep(nowNs)
    );
  }

  /**
   * Forgets which logs came: whoever was told of them is gone and may not have read them, so that what
   * comes of them once more is news. Ends the races over them as far as they have come.
   */
  forgetLogs(nowNs: number): SettledRace[] {
    this.#seen.logs.reset();
    this.#logs.reset();
    return this.#races.interrupt(nowNs, "logs");
  }

  /** Forgets keys, races and counters together; lanes and live subscriptions stay. */
  reset(): void {
    for (const seen of Object.values(this.#seen)) seen.reset();
    this.#logs.reset();
    this.#races.reset();
    this.#firsts = 0;
    this.#duplicates = 0;
    this.#repeats = 0;
  }

  /** Counters and sizes now. */
  stats(): EventRacerStats {
    const memories = Object.values(this.#seen);
    const sum = (pick: (seen: SeenKeys) => number): number =>
      memories.reduce((total, seen) => total + pick(seen), 0);
    return {
      size: sum((seen) => seen.size),
      capacity: sum((seen) => seen.capacity),
      firsts: this.#firsts,
      duplicates: this.#duplicates,
      repeats: this.#repeats,
      evictions: sum((seen) => seen.evictions),
      expiries: sum((seen) => seen.expiries),
      openRaces: this.#races.size,
      refusedRaces: this.#races.refused,
    };
  }

  #first(
    event: RaceEvent,
    key: string,
    lane: number,
    atNs: number,
    frame: SubscriptionFrame | undefined,
  ): Arrival {
    if (this.#races.isOpen(event, key)) {
      // Evicted from the seen keys while its race runs: still the same race, not news.
      this.#races.arrive(event, key, lane, atNs);
      this.#duplicates++;
      return "duplicate";
    }
    this.#firsts++;
    if (this.#races.wants(event, key, lane, atNs)) {
      this.#races.begin(event, key, lane, atNs, frame && blockNumberOf(event, frame));
    }
    return "first";
  }
}
