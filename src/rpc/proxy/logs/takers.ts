/**
 * Who takes the next part of a range of logs, and how much of it: parts are spread over the healthy
 * providers, each gets as many blocks as it serves in one call.
 */
import { isAdmissible } from "../../admission.ts";
import type { ProviderId } from "../../ids.ts";
import { MAX_PARTS } from "../../logs/plan.ts";
import type { LogsSlice } from "../../logs/query.ts";
import type { Candidate, EndpointView, Ranking } from "../../selection/snapshot.ts";
import type { ChainView } from "../ports.ts";

/** Somebody for a part. */
export interface Taker {
  readonly provider: ProviderId;
  /** Blocks it serves in one call. */
  readonly limit: number;
}

/** A provider that serves less than this share of what another one does is left out. */
const LEAST_SHARE = 1 / 8;
/** Places of one decade differ by evidence only, not by health or role (`selection/rank.ts`). */
const PLACE_DECADE = 10;

/** The providers of one call. */
export class Takers {
  readonly #ranking: Ranking;
  readonly #chain: ChainView;
  readonly #startBlocks: number;
  /** Limits that refusals of this call have shown. */
  readonly #narrowed = new Map<ProviderId, number>();
  /** Providers that throttled a part of this call, and until when they are spared. */
  readonly #resting = new Map<ProviderId, number>();
  readonly #busy = new Map<ProviderId, number>();
  /** Parts that each has got so far. */
  readonly #given = new Map<ProviderId, number>();

  /** `startBlocks` is asked of a provider of whom nothing is known. */
  constructor(ranking: Ranking, chain: ChainView, startBlocks: number) {
    this.#ranking = ranking;
    this.#chain = chain;
    this.#startBlocks = startBlocks;
  }

  /** Blocks that a provider serves in one call, as far as that is known. */
  limitOf(view: EndpointView, nowMs: number): number {
    const { provider } = view;
    const learned = this.#chain.capabilities?.limit("range", provider, "eth_getLogs", nowMs);
    const known = view.maxBlockRange ?? learned ?? this.#startBlocks;
    return Math.min(known, this.#narrowed.get(provider) ?? known);
  }

  /** The most blocks that a provider of the first choice serves in one call; 0 when there is none. */
  widest(nowMs: number): number {
    const leading = this.#leading(undefined, [], nowMs);
    return leading.reduce((most, { view }) => Math.max(most, this.limitOf(view, nowMs)), 0);
  }

  /** The least burdened of the providers that can serve the slice now and have not failed at it. */
  choose(
    slice: LogsSlice,
    failed: readonly ProviderId[],
    addresses: number,
    nowMs: number,
  ): Taker | undefined {
    const leading = this.#fitting(this.#leading(slice, failed, nowMs), addresses, nowMs);
    const limits = leading.map(({ view }) => this.limitOf(view, nowMs));
    const least = Math.max(...limits) * LEAST_SHARE;
    let best: Taker | undefined;
    let bestLoad = Number.POSITIVE_INFINITY;
    for (const [rank, { view }] of leading.entries()) {
      const limit = limits[rank] as number;
      const load = this.#loadOf(view.provider);
      if (limit < least || load >= bestLoad) continue;
      best = { provider: view.provider, limit };
      bestLoad = load;
    }
    return best;
  }

  /** When somebody who is only throttled may be asked for the slice; `undefined` for nobody. */
  freeAtMs(slice: LogsSlice, failed: readonly ProviderId[], nowMs: number): number | undefined {
    let soonest: number | undefined;
    for (const { row, view } of this.#ranking.candidates) {
      if (failed.includes(view.provider) || !serves(view, slice)) continue;
      if (!row.isUsable || row.state !== "closed" || row.suspect) continue;
      const atMs = Math.max(row.cooldownUntilMs, this.#resting.get(view.provider) ?? 0, nowMs);
      if (soonest === undefined || atMs < soonest) soonest = atMs;
    }
    return soonest;
  }

  /** Whether anybody is left who has not failed at the slice. */
  hasAnother(slice: LogsSlice, failed: readonly ProviderId[]): boolean {
    return this.#ranking.candidates.some(
      ({ view, row }) => row.isUsable && !failed.includes(view.provider) && serves(view, slice),
    );
  }

  /** A provider got a part, or is done with it. */
  occupy(provider: ProviderId, by: 1 | -1): void {
    this.#busy.set(provider, (this.#busy.get(provider) ?? 0) + by);
    if (by > 0) this.#given.set(provider, (this.#given.get(provider) ?? 0) + 1);
  }

  /** A provider refused more than `blocks`. */
  narrow(provider: ProviderId, blocks: number): void {
    this.#narrowed.set(provider, Math.max(1, blocks));
  }

  /** A provider throttles: it is spared until then. */
  rest(provider: ProviderId, untilMs: number): void {
    this.#resting.set(provider, untilMs);
  }

  /** Those that take so many addresses in one filter, as far as that is known; all when nobody does. */
  #fitting(leading: readonly Candidate[], addresses: number, nowMs: number): readonly Candidate[] {
    const { capabilities } = this.#chain;
    if (addresses === 0 || capabilities === undefined || capabilities.isEmpty) return leading;
    const fitting = leading.filter(({ view: { provider } }) => {
      const most = capabilities.limit("addresses", provider, "eth_getLogs", nowMs);
      return most === undefined || most >= addresses;
    });
    return fitting.length === 0 ? leading : fitting;
  }

  /** What is in flight counts most; between equals, who has had fewer parts. */
  #loadOf(provider: ProviderId): number {
    return (this.#busy.get(provider) ?? 0) * MAX_PARTS + (this.#given.get(provider) ?? 0);
  }

  /** Candidates that can serve now, one a provider, none of lesser health or role than the first. */
  #leading(
    slice: LogsSlice | undefined,
    failed: readonly ProviderId[],
    nowMs: number,
  ): readonly Candidate[] {
    const leading: Candidate[] = [];
    for (const candidate of this.#ranking.candidates) {
      const { row, view, tier, place } = candidate;
      if (!isAdmissible(row, nowMs) || failed.includes(view.provider)) continue;
      if ((this.#resting.get(view.provider) ?? 0) > nowMs) continue;
      if (slice !== undefined && !serves(view, slice)) continue;
      const [first] = leading;
      if (first === undefined) leading.push(candidate);
      else if (
        Math.floor(place / PLACE_DECADE) === Math.floor(first.place / PLACE_DECADE) &&
        tier !== "limited" &&
        !leading.some((known) => known.view.provider === view.provider)
      ) {
        leading.push(candidate);
      }
    }
    return leading;
  }
}

/** Whether a provider keeps blocks as old as the slice's. */
const serves = ({ historyFrom }: EndpointView, { fromBlock }: LogsSlice): boolean =>
  historyFrom === undefined || fromBlock >= historyFrom;
