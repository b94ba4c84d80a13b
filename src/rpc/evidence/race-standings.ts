/** Race evidence of one chain: credit, wins, losses and misses by provider x event. */
import type { DecayClock } from "../../lib/decay-clock.ts";
import type { ProviderId } from "../ids.ts";
import type { RaceEvent, SettledRace } from "../race/settled-race.ts";
import type { RaceSummary } from "../selection/snapshot.ts";
import { paceScore, raceCredit, raceScore } from "./scores.ts";

/** Outcome of a race for one provider. */
export type RaceResult = "win" | "loss" | "missed" | "neutral";

/** Streams by code, as raw rows store them. */
export const raceEvents: readonly RaceEvent[] = ["newHeads", "logs", "newPendingTransactions"];

/** Results by code, as raw rows store them. */
export const raceResults: readonly RaceResult[] = ["win", "loss", "missed", "neutral"];

/** Share of an event in a provider's pace score; pending transactions are too noisy to count. */
const paceShares: Readonly<Record<RaceEvent, number>> = {
  newHeads: 0.6,
  logs: 0.4,
  newPendingTransactions: 0,
};

/** The standing of one provider on one stream; `credit` and `weight` are decayed sums. */
export interface RaceCell {
  credit: number;
  weight: number;
  wins: number;
  losses: number;
  misses: number;
  marginSumMs: number;
  misbehaviour: number;
}

const newCell = (): RaceCell => ({
  credit: 0,
  weight: 0,
  wins: 0,
  losses: 0,
  misses: 0,
  marginSumMs: 0,
  misbehaviour: 0,
});

type ProviderStanding = Record<RaceEvent, RaceCell>;

/** Takes one provider's result of a race, for the raw rows. */
export type RaceSink = (provider: ProviderId, result: RaceResult, marginMs: number) => void;

/** Holds the standings of one chain. */
export class RaceStandings {
  readonly #clock: DecayClock;
  readonly #standings = new Map<ProviderId, ProviderStanding>();

  constructor(clock: DecayClock) {
    this.#clock = clock;
  }

  /** Counts a settled race. */
  record(race: SettledRace, nowMs: number, sink: RaceSink): void {
    const weight = this.#clock.weightAt(nowMs);
    const { event, winner } = race;
    const winnerCell = this.cell(winner, event);
    if (race.isCorroborated) {
      winnerCell.wins++;
      winnerCell.credit += weight;
      winnerCell.weight += weight;
      sink(winner, "win", 0);
    } else {
      // Nobody else saw it: inventing events must not pay.
      if (race.isSuspicious) winnerCell.misbehaviour++;
      sink(winner, "neutral", 0);
    }
    for (const { provider, marginMs } of race.losers) {
      const cell = this.cell(provider, event);
      cell.losses++;
      cell.marginSumMs += marginMs;
      cell.credit += weight * raceCredit(marginMs);
      cell.weight += weight;
      sink(provider, "loss", marginMs);
    }
    for (const provider of race.missed) {
      const cell = this.cell(provider, event);
      cell.misses++;
      cell.weight += weight;
      sink(provider, "missed", 0);
    }
    for (const provider of race.neutral) sink(provider, "neutral", 0);
  }

  /** The standing of a provider over all streams. */
  summary(provider: ProviderId, nowMs: number): RaceSummary & { readonly misbehaviour: number } {
    const standing = this.#standings.get(provider);
    const sum = newCell();
    let pace = 0;
    let shares = 0;
    for (const event of raceEvents) {
      const cell = standing?.[event];
      if (cell === undefined) continue;
      sum.wins += cell.wins;
      sum.losses += cell.losses;
      sum.misses += cell.misses;
      sum.marginSumMs += cell.marginSumMs;
      sum.misbehaviour += cell.misbehaviour;
      const share = cell.weight > 0 ? paceShares[event] : 0;
      pace += share * this.#pace(cell, nowMs);
      shares += share;
    }
    const races = sum.wins + sum.losses + sum.misses;
    const winRate = races > 0 ? sum.wins / races : 0;
    const avgMarginMs = sum.losses > 0 ? sum.marginSumMs / sum.losses : 0;
    return {
      raceScore: raceScore(winRate, avgMarginMs, races),
      paceScore: shares > 0 ? pace / shares : undefined,
      wins: sum.wins,
      races,
      winRate,
      missRate: races > 0 ? sum.misses / races : 0,
      avgMarginMs,
      misbehaviour: sum.misbehaviour,
    };
  }

  /** The cell of a provider and stream, made when absent. */
  cell(provider: ProviderId, event: RaceEvent): RaceCell {
    const known = this.#standings.get(provider);
    if (known !== undefined) return known[event];
    const made = { newHeads: newCell(), logs: newCell(), newPendingTransactions: newCell() };
    this.#standings.set(provider, made);
    return made[event];
  }

  /** Providers that ever raced. */
  providers(): ProviderId[] {
    return [...this.#standings.keys()];
  }

  /** Multiplies the decayed sums, when the clock's weights are rescaled. */
  rescale(factor: number): void {
    for (const standing of this.#standings.values()) {
      for (const cell of Object.values(standing)) {
        cell.credit *= factor;
        cell.weight *= factor;
      }
    }
  }

  /** Forgets a provider that left the chain. */
  forget(provider: ProviderId): void {
    this.#standings.delete(provider);
  }

  #pace(cell: RaceCell, nowMs: number): number {
    return paceScore(
      Math.min(1, cell.credit / cell.weight),
      cell.weight * this.#clock.scaleAt(nowMs),
    );
  }
}
