/** Race evidence of one chain: credit, wins, losses and misses by provider x event. */
import type { DecayClock } from "../../lib/decay-clock.ts";
import type { ProviderId } from "../ids.ts";
import type { RaceEvent, SettledRace } from "../race/settled-race.ts";
import type { RaceSummary } from "../selection/snapshot.ts";
import type { SnapshotRaceCell } from "./evidence-snapshot.ts";
import { paceScore, raceCredit, raceScore } from "./scores.ts";

/** Outcome of a race for one provider; `absent`: it was not connected when the event came. */
export type RaceResult = "win" | "loss" | "missed" | "neutral" | "absent";

/** Streams by code, as raw rows store them. */
export const raceEvents: readonly RaceEvent[] = ["newHeads", "logs", "newPendingTransactions"];

/** Results by code, as raw rows store them. */
export const raceResults: readonly RaceResult[] = ["win", "loss", "missed", "neutral", "absent"];

/** Share of an event in a provider's pace score; pending transactions are too noisy to count. */
const paceShares: Readonly<Record<RaceEvent, number>> = {
  newHeads: 0.6,
  logs: 0.4,
  newPendingTransactions: 0,
};

/** The standing of one provider on one stream; `credit`, `weight` and `away` are decayed sums. */
interface RaceCell {
  credit: number;
  weight: number;
  wins: number;
  losses: number;
  misses: number;
  marginSumMs: number;
  misbehaviour: number;
  /** Races that took place while it was not connected. */
  absences: number;
  away: number;
}

/** What races on one stream have shown of one provider. */
export interface RaceMatrixEntry extends RaceSummary {
  readonly provider: ProviderId;
  readonly event: RaceEvent;
  readonly losses: number;
  readonly misses: number;
  /** Decayed number of races behind `paceScore`. */
  readonly weight: number;
  readonly absences: number;
  /** Share of recent races that it was connected for, 0..1; undefined without any. */
  readonly availability: number | undefined;
  /** Events that only this provider ever saw. */
  readonly misbehaviour: number;
}

const newCell = (): RaceCell => ({
  credit: 0,
  weight: 0,
  wins: 0,
  losses: 0,
  misses: 0,
  marginSumMs: 0,
  misbehaviour: 0,
  absences: 0,
  away: 0,
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
    const winnerCell = this.#cell(winner, event);
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
      const cell = this.#cell(provider, event);
      cell.losses++;
      cell.marginSumMs += marginMs;
      cell.credit += weight * raceCredit(marginMs);
      cell.weight += weight;
      sink(provider, "loss", marginMs);
    }
    for (const provider of race.missed) {
      const cell = this.#cell(provider, event);
      cell.misses++;
      cell.weight += weight;
      sink(provider, "missed", 0);
    }
    for (const provider of race.neutral) sink(provider, "neutral", 0);
    for (const provider of race.absent) {
      const cell = this.#cell(provider, event);
      cell.absences++;
      cell.away += weight;
      sink(provider, "absent", 0);
    }
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
    const paceScore = shares > 0 ? pace / shares : undefined;
    return { ...summaryOf(sum, paceScore), misbehaviour: sum.misbehaviour };
  }

  /** What is known of every provider on every stream that it has raced on or missed. */
  matrix(nowMs: number): readonly RaceMatrixEntry[] {
    const entries: RaceMatrixEntry[] = [];
    for (const [provider, standing] of this.#standings) {
      for (const event of raceEvents) {
        const cell = standing[event];
        const { losses, misses, absences, misbehaviour } = cell;
        const summary = summaryOf(cell, cell.weight > 0 ? this.#pace(cell, nowMs) : undefined);
        if (summary.races + absences + misbehaviour === 0) continue;
        const weight = cell.weight * this.#clock.scaleAt(nowMs);
        const all = cell.weight + cell.away;
        const availability = all > 0 ? cell.weight / all : undefined;
        const counts = { losses, misses, weight, absences, availability, misbehaviour };
        entries.push({ provider, event, ...summary, ...counts });
      }
    }
    return entries;
  }

  /** All cells as of `nowMs`, for a snapshot. */
  toSnapshot(nowMs: number): readonly SnapshotRaceCell[] {
    const scale = this.#clock.scaleAt(nowMs);
    return [...this.#standings].flatMap(([provider, standing]) =>
      raceEvents.map((event) => {
        const cell = standing[event];
        const { credit, weight, away } = cell;
        const decayed = { credit: credit * scale, weight: weight * scale, away: away * scale };
        return { provider, event, ...cell, ...decayed };
      }),
    );
  }

  /** Adds saved cells; `factor` turns their decayed sums into counted weight. */
  restore(saved: readonly SnapshotRaceCell[], factor: number): void {
    for (const { provider, event, credit, weight, away, ...counts } of saved) {
      const cell = this.#cell(provider, event);
      cell.credit += credit * factor;
      cell.weight += weight * factor;
      cell.away += away * factor;
      cell.wins += counts.wins;
      cell.losses += counts.losses;
      cell.misses += counts.misses;
      cell.marginSumMs += counts.marginSumMs;
      cell.misbehaviour += counts.misbehaviour;
      cell.absences += counts.absences;
    }
  }

  /** The cell of a provider and stream, made when absent. */
  #cell(provider: ProviderId, event: RaceEvent): RaceCell {
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
        cell.away *= factor;
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

const summaryOf = (cell: RaceCell, pace: number | undefined): RaceSummary => {
  const { wins, losses, misses } = cell;
  const races = wins + losses + misses;
  const winRate = races > 0 ? wins / races : 0;
  const avgMarginMs = losses > 0 ? cell.marginSumMs / losses : 0;
  return {
    raceScore: raceScore(winRate, avgMarginMs, races),
    paceScore: pace,
    wins,
    races,
    winRate,
    missRate: races > 0 ? misses / races : 0,
    avgMarginMs,
  };
};
