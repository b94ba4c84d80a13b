/**
 * Whether the history that is told is that of most providers, and where it goes if it is not.
 *
 * Before there is one it begins where most providers are. While nobody has been told anything, or
 * nobody watches, it moves to where most are, and nobody loses anything. Later most have to be on a
 * branch that does not meet it: nothing more is told of it then, and it is given up once there is no
 * hope that the two will meet.
 */
import type { Block } from "../block.ts";
import type { FollowerLimits } from "../follower.ts";
import type { Need } from "../needs.ts";
import { Opening } from "./opening.ts";
import type { Opinion, Opinions } from "./opinions.ts";
import { pathFrom } from "../pursuit.ts";
import type { Ring } from "../ring.ts";
import { isUnrelated, survey, weigh, type Survey } from "./survey.ts";

/** Where history goes; `isLoss`: what clients have been told leads nowhere. */
export interface Move {
  readonly block: Block;
  readonly isLoss: boolean;
}

/** The place of one chain's history among what its providers say. */
export class Whereabouts {
  /** Nobody has been told anything of this history since somebody watches. */
  isUntold = false;
  limits: FollowerLimits;
  private readonly ring: Ring;
  private readonly opinions: Opinions;
  private readonly opening: Opening;
  private isSomebodyThere = false;
  private views: Survey = NOBODY;
  /** Since when most are below, and since when most are on a branch that does not meet this history. */
  private belowSinceMs: number | undefined;
  private apartSinceMs: number | undefined;

  constructor(ring: Ring, opinions: Opinions, limits: FollowerLimits) {
    this.ring = ring;
    this.opinions = opinions;
    this.limits = limits;
    this.opening = new Opening(ring, opinions);
  }

  /** Somebody watches: whoever is told something must be told all that follows. */
  get isWatched(): boolean {
    return this.isSomebodyThere;
  }

  set isWatched(isWatched: boolean) {
    if (isWatched && !this.isSomebodyThere) this.isUntold = true;
    this.isSomebodyThere = isWatched;
  }

  /** Most are on a branch that does not meet this history. */
  get isDisowned(): boolean {
    return this.apartSinceMs !== undefined;
  }

  /** Blocks that would show sooner where history begins. */
  get missing(): readonly Need[] {
    return this.ring.tip === undefined ? this.opening.missing() : [];
  }

  /** True when most providers are on this history by what they said in the last `ageMs`. */
  isBacked(ageMs: number, nowMs: number): boolean {
    const voices = this.opinions.heard(nowMs).filter(({ atMs }) => nowMs - atMs <= ageMs);
    return this.isMost(survey(this.ring, voices).here);
  }

  /** History has begun anew. */
  restarted(): void {
    this.belowSinceMs = undefined;
    this.apartSinceMs = undefined;
  }

  /** Asks all who speak where they stand; where history has to go, if it has to. */
  look(nowMs: number): Move | undefined {
    if (this.ring.tip === undefined) {
      const block = this.opening.decide(this.limits.voters, nowMs);
      return block && { block, isLoss: false };
    }
    this.views = survey(this.ring, this.opinions.heard(nowMs));
    const { here, above, apart, below } = this.views;
    const isApart = weigh(apart) > here && this.isMost(weigh(apart));
    this.apartSinceMs = isApart ? (this.apartSinceMs ?? nowMs) : undefined;
    const areBelow = weigh(below) > here + weigh(above) + weigh(apart);
    this.belowSinceMs = areBelow ? (this.belowSinceMs ?? nowMs) : undefined;
    if (!this.isWatched) return this.follow([...above, ...apart, ...below]);
    const move = this.isUntold ? this.follow([...apart, ...below]) : undefined;
    return move ?? (isApart || areBelow ? this.giveUp(nowMs) : undefined);
  }

  /** Too far above to be connected, and so are most of those who speak. */
  isLeftBehind(opinion: Opinion): boolean {
    const { here, above } = this.views;
    const far = above.filter((other) => this.isFar(other));
    // Else those who stand here, or a few blocks above, would be left alone with what they know.
    return this.isFar(opinion) && 2 * weigh(far) > here + weigh(above);
  }

  /** Too far above for what lies between to be filled in. */
  isFar({ number }: Opinion): boolean {
    return number - this.ring.heightOfTip - 1 > this.limits.maxBackfillBlocks;
  }

  /** More than half of the providers that may be heard. */
  private isMost(weight: number): boolean {
    return weight * 2 > this.limits.voters;
  }

  /** To where these voices are, if more are there than here; nobody loses anything by it. */
  private follow(voices: readonly Opinion[]): Move | undefined {
    const lead = this.opinions.leading(voices);
    if (lead === undefined) return undefined;
    const { block, weight } = lead;
    const { here } = this.views;
    // Whoever is above has probably missed blocks; with nobody watching they need not be filled in.
    const isAhead = !this.isWatched && block.number > this.ring.heightOfTip && weight >= here;
    const isOutvoted = weight > here && this.isMost(weight);
    return isAhead || isOutvoted ? { block, isLoss: false } : undefined;
  }

  /** What was told is somebody's invention: nothing leads from there to where most providers are. */
  private giveUp(nowMs: number): Move | undefined {
    const { apart, below } = this.views;
    const { witnessMs, backfillTimeoutMs } = this.limits;
    const areBelow = nowMs - (this.belowSinceMs ?? nowMs) > witnessMs;
    const lead = this.opinions.leading(areBelow ? below : apart);
    if (lead === undefined || !(areBelow || this.isDisowned)) return undefined;
    const { block } = lead;
    const lowest = pathFrom(this.ring, block).blocks.at(-1)?.number ?? block.number;
    const isLate = nowMs - (this.apartSinceMs ?? nowMs) > backfillTimeoutMs;
    const isHopeless = areBelow || isLate || isUnrelated(this.ring, lowest);
    return isHopeless ? { block, isLoss: true } : undefined;
  }
}

const NOBODY: Survey = { here: 0, above: [], apart: [], below: [] };
