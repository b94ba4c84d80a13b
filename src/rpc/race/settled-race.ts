/** The record of one finished race: what aggregation hands to evidence. */
import type { ProviderId } from "../ids.ts";

/** The streams on which providers race. */
export type RaceEvent = "newHeads" | "logs" | "newPendingTransactions";

/** One provider that delivered after the winner. */
export interface LateArrival {
  readonly provider: ProviderId;
  /** Behind the first arrival, in ms with a fraction (microseconds are exact). */
  readonly marginMs: number;
}

/**
 * A race after its deadline. It has at least two entrants: providers whose subscription had been
 * live for 5 s when the first arrival came.
 */
export interface SettledRace {
  readonly event: RaceEvent;
  readonly key: string;
  /** How long before the settling the first arrival came, ms. */
  readonly ageMs: number;
  readonly winner: ProviderId;
  readonly losers: readonly LateArrival[];
  /** Entrants that never delivered the event and must answer for it: credit 0. */
  readonly missed: readonly ProviderId[];
  /** Entrants that delivered a competing block of the same height, or are not to be judged. */
  readonly neutral: readonly ProviderId[];
  /** Who races on this stream and was not connected to it then: availability, not a loss. */
  readonly absent: readonly ProviderId[];
  /** False when no other provider delivered the event: the winner earns nothing. */
  readonly isCorroborated: boolean;
  /** The winner alone saw it although others were delivering: counted as misbehaviour. */
  readonly isSuspicious: boolean;
}
