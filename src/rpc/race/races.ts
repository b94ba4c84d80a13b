/**
 * The races under way: who delivered an event first, by how much the others were behind, and who
 * never came.
 *
 * A race lives from its first arrival to its deadline and is not part of the cache of seen keys, so
 * no eviction and no clean-up can change its outcome. One race per head, one per block for logs (its
 * first log), at most ten a second for pending transactions.
 */
import type { ProviderId } from "../ids.ts";
import { Lanes, eventIndex, sharedLane } from "./lanes.ts";
import type { LateArrival, RaceEvent, SettledRace } from "./settled-race.ts";

/** When races begin and end. */
export interface RaceRules {
  /** From the first arrival to the settling, ns. */
  readonly windowNs: number;
  /** How long a subscription must be live before its provider races, ns. */
  readonly entrantAgeNs: number;
  /** A provider silent for longer than this answers for what nobody else corroborates, ns. */
  readonly silentAfterNs: number;
  /** Least time between two races over pending transactions, ns. */
  readonly pendingGapNs: number;
  /** Races under way at most; beyond it new events are forwarded without a race. */
  readonly maxOpen: number;
}

interface OpenRace {
  readonly event: RaceEvent;
  readonly key: string;
  readonly firstNs: number;
  readonly winner: number;
  readonly entrants: number;
  /** Lanes that were not connected when it began. */
  readonly absentees: number;
  /** Lanes that have delivered, the winner included. */
  arrived: number;
  readonly lateLanes: number[];
  readonly lateNs: number[];
  height: number | undefined;
}

const heightRing = 256;

/** Holds the open races of one chain. */
export class Races {
  readonly #rules: RaceRules;
  readonly #lanes: Lanes;
  /** By stream: a transaction whose hash is said to be a block's must not touch that block's race. */
  readonly #open: Readonly<Record<RaceEvent, Map<string, OpenRace>>> = {
    newHeads: new Map(),
    logs: new Map(),
    newPendingTransactions: new Map(),
  };
  /** Blocks whose log race has begun, by block hash; two generations bound it. */
  #blocks = new Set<string>();
  #olderBlocks = new Set<string>();
  #lastBlock = "-";
  #nextPendingNs = Number.NEGATIVE_INFINITY;
  /** Which lanes delivered anything at a height: per event a ring of heights with a mask. */
  readonly #heights = new Float64Array(heightRing * 2).fill(-1);
  readonly #heightMasks = new Uint32Array(heightRing * 2);
  #refused = 0;

  constructor(rules: RaceRules, lanes: Lanes) {
    this.#rules = rules;
    this.#lanes = lanes;
  }

  /** True when the key's race is under way. */
  isOpen(event: RaceEvent, key: string): boolean {
    const open = this.#open[event];
    return open.size > 0 && open.has(key);
  }

  /** Races under way. */
  get size(): number {
    const { newHeads, logs, newPendingTransactions } = this.#open;
    return newHeads.size + logs.size + newPendingTransactions.size;
  }

  /** Races that were not held because too many were under way. */
  get refused(): number {
    return this.#refused;
  }

  /** True when a first arrival would begin a race: only then is its height worth reading. */
  wants(event: RaceEvent, key: string, lane: number, atNs: number): boolean {
    if (lane === sharedLane) return false;
    if (event === "newHeads") return true;
    if (event === "newPendingTransactions") return atNs >= this.#nextPendingNs;
    if (key.startsWith(this.#lastBlock)) return false;
    const block = key.slice(0, 66);
    return !this.#blocks.has(block) && !this.#olderBlocks.has(block);
  }

  /** Begins a race with its first arrival, unless fewer than two providers are in it. */
  begin(
    event: RaceEvent,
    key: string,
    lane: number,
    atNs: number,
    height: number | undefined,
  ): boolean {
    if (event === "logs") this.#rememberBlock(key.slice(0, 66));
    this.noteHeight(event, height, lane);
    const entrants = this.#lanes.entrants(eventIndex[event], atNs, this.#rules.entrantAgeNs);
    const bit = 1 << lane;
    // A winner that has only just come is nobody's measure; below two entrants there is no race.
    if ((entrants & bit) === 0 || (entrants & (entrants - 1)) === 0) return false;
    if (this.size >= this.#rules.maxOpen) {
      this.#refused++;
      return false;
    }
    if (event === "newPendingTransactions") this.#nextPendingNs = atNs + this.#rules.pendingGapNs;
    this.#open[event].set(key, {
      event,
      key,
      firstNs: atNs,
      winner: lane,
      entrants,
      // Heads are wanted of everybody at all times; other streams are given back by demand.
      absentees: event === "newHeads" ? this.#lanes.absentees(eventIndex[event]) : 0,
      arrived: bit,
      lateLanes: [],
      lateNs: [],
      height,
    });
    return true;
  }

  /** A further arrival. Only an entrant's first copy counts. */
  arrive(event: RaceEvent, key: string, lane: number, atNs: number): void {
    const open = this.#open[event];
    if (open.size === 0) return;
    const race = open.get(key);
    if (race === undefined) return;
    const bit = 1 << lane;
    if ((race.arrived & bit) !== 0 || (race.entrants & bit) === 0) return;
    // Past the deadline is missed, also when nobody has settled the race yet.
    if (atNs - race.firstNs >= this.#rules.windowNs) return;
    race.arrived |= bit;
    race.lateLanes.push(lane);
    race.lateNs.push(atNs);
    this.noteHeight(race.event, race.height, lane);
  }

  /** Notes that a lane delivered some event of a block height, whichever block it was. */
  noteHeight(event: RaceEvent, height: number | undefined, lane: number): void {
    if (height === undefined || event === "newPendingTransactions") return;
    const at = eventIndex[event] * heightRing + (height % heightRing);
    if (this.#heights[at] !== height) {
      this.#heights[at] = height;
      this.#heightMasks[at] = 0;
    }
    this.#heightMasks[at] = (this.#heightMasks[at] as number) | (1 << lane);
  }

  /** Ends every race whose deadline has passed, stream by stream, oldest first. */
  settle(nowNs: number): SettledRace[] {
    const settled: SettledRace[] = [];
    for (const open of Object.values(this.#open)) {
      for (const race of open.values()) {
        // In order of first arrival, and all deadlines are equally long.
        if (nowNs - race.firstNs < this.#rules.windowNs) break;
        open.delete(race.key);
        settled.push(this.#outcome(race, nowNs));
      }
    }
    return settled;
  }

  /** Ends all races before their time, or those over one stream: who has not come yet is not judged. */
  interrupt(nowNs: number, event?: RaceEvent): SettledRace[] {
    const ended = event === undefined ? Object.values(this.#open) : [this.#open[event]];
    const cut = ended.flatMap((open) => [...open.values()]);
    for (const open of ended) open.clear();
    return cut.map((race) => this.#outcome(race, nowNs, true));
  }

  /** Forgets all races without an outcome. */
  reset(): void {
    for (const open of Object.values(this.#open)) open.clear();
    this.#blocks.clear();
    this.#olderBlocks.clear();
    this.#lastBlock = "-";
    this.#nextPendingNs = Number.NEGATIVE_INFINITY;
    this.#heights.fill(-1);
    this.#refused = 0;
  }

  #outcome(race: OpenRace, nowNs: number, isCut = false): SettledRace {
    const losers: LateArrival[] = race.lateLanes.flatMap((lane, i) => {
      const provider = this.#lanes.provider(lane);
      const marginMs = ((race.lateNs[i] ?? race.firstNs) - race.firstNs) / 1e6;
      return provider === undefined ? [] : [{ provider, marginMs: Math.max(0, marginMs) }];
    });
    const isCorroborated = race.lateLanes.length > 0;
    const missed: string[] = [];
    const neutral: string[] = [];
    let bystanders = 0;
    const absent = race.entrants & ~race.arrived;
    for (let lane = 0; lane < sharedLane; lane++) {
      const provider = this.#lanes.provider(lane);
      if ((absent & (1 << lane)) === 0 || provider === undefined) continue;
      const verdict = isCut ? "neutral" : this.#judgeAbsent(race, lane, isCorroborated);
      if (verdict === "missed") missed.push(provider);
      else neutral.push(provider);
      if (verdict === "bystander") bystanders++;
    }
    return {
      event: race.event,
      key: race.key,
      ageMs: (nowNs - race.firstNs) / 1e6,
      winner: this.#lanes.provider(race.winner) ?? "",
      losers,
      missed,
      neutral,
      absent: this.#providersOf(race.absentees),
      isCorroborated,
      isSuspicious: !isCorroborated && bystanders > 0,
    };
  }

  #providersOf(mask: number): ProviderId[] {
    const providers: ProviderId[] = [];
    for (let lane = 0; mask >>> lane !== 0; lane++) {
      const provider = (mask & (1 << lane)) === 0 ? undefined : this.#lanes.provider(lane);
      if (provider !== undefined) providers.push(provider);
    }
    return providers;
  }

  /**
   * A provider on a competing block, or cut off since, is not to be judged. Where nobody confirms
   * the event, a provider that keeps delivering other events is a bystander of what may be an
   * invention; one that has been silent for long has simply missed it.
   */
  #judgeAbsent(
    race: OpenRace,
    lane: number,
    isCorroborated: boolean,
  ): "missed" | "neutral" | "bystander" {
    const event = eventIndex[race.event];
    if (Number.isNaN(this.#lanes.liveSinceNs(lane, event))) return "neutral";
    if (this.#deliveredAt(race, lane)) return "neutral";
    if (isCorroborated) return "missed";
    const silentNs = race.firstNs - this.#lanes.lastNs(lane, event);
    return silentNs >= this.#rules.silentAfterNs ? "missed" : "bystander";
  }

  #deliveredAt(race: OpenRace, lane: number): boolean {
    if (race.height === undefined) return false;
    const at = eventIndex[race.event] * heightRing + (race.height % heightRing);
    if (this.#heights[at] !== race.height) return false;
    return ((this.#heightMasks[at] as number) & (1 << lane)) !== 0;
  }

  #rememberBlock(block: string): void {
    if (this.#blocks.size >= heightRing) {
      this.#olderBlocks = this.#blocks;
      this.#blocks = new Set();
    }
    this.#blocks.add(block);
    this.#lastBlock = block;
  }
}
