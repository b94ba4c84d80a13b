/**
 * When somebody has to be asked for the newest block: nobody has told of the chain, heads may have
 * been lost, or a stream has missed a block that a poll has seen.
 *
 * Where it is known which history to go on from, one answer will do, whoever gives it. Where it is
 * not, every provider is asked, because whoever answers first may be on another chain.
 */
import type { ChainFollower } from "./follower.ts";
import { OPENING_MS } from "./voices/opening.ts";

/** A polled block that no stream brings within this time is looked up, ms. */
const BEHIND_MS = 1_000;
/** Pauses between questions for the newest block that nobody answers, ms. */
const LOOK_PAUSE_MS = 250;
const MAX_LOOK_PAUSE_MS = 30_000;
/** What providers said of a chain that nobody watches is their present word for so long, ms. */
const ORIENTED_MS = 10_000;
/** A client waits no longer for word of a chain that nobody tells of, ms. */
const MAX_ORIENT_MS = 2_000;

/** Who has to be asked for the newest block: anybody, or every provider as well. */
export type Look = "anybody" | "everybody";

/** Decides when a chain's newest block is asked for. */
export class Lookout {
  readonly #follower: ChainFollower;
  #wanted: Look | undefined;
  /** Not before this time, after so many questions without an answer. */
  #lookAtMs = 0;
  #looksFailed = 0;
  /** A provider has a block more than the streams, since then. */
  #behind: { readonly number: number; readonly sinceMs: number } | undefined;

  constructor(follower: ChainFollower) {
    this.#follower = follower;
  }

  /** Somebody has to be asked for the newest block. */
  look(): void {
    this.#wanted ??= "anybody";
  }

  /** It is not known which history is the chain's: all have to be asked. */
  lookAround(): void {
    this.#wanted = "everybody";
  }

  /** Heads may have been lost: whoever watches must know the newest block. */
  lookIfWatched(): void {
    if (this.#follower.isWatched) this.look();
  }

  /** Who has to be asked for the newest block; told once. */
  take(nowMs: number): Look | undefined {
    if (this.#wanted === undefined || nowMs < this.#lookAtMs) return undefined;
    const wanted = this.#wanted;
    this.#wanted = undefined;
    return wanted;
  }

  /** Somebody was asked; without an answer somebody is asked again, after a pause. */
  looked(isAnswered: boolean, nowMs: number): void {
    if (isAnswered) {
      this.#looksFailed = 0;
      this.#lookAtMs = 0;
      return;
    }
    const pauseMs = Math.min(MAX_LOOK_PAUSE_MS, LOOK_PAUSE_MS * 2 ** this.#looksFailed++);
    this.#lookAtMs = nowMs + pauseMs;
    this.lookIfWatched();
  }

  /** A provider was polled for its height; `isStreaming`: some stream tells of heads. */
  heightSeen(number: number, isStreaming: boolean, nowMs: number): void {
    const tip = this.#follower.ring.heightOfTip;
    if (!isStreaming) {
      // The same height again may be another block.
      if (number >= tip) this.look();
    } else if (number > tip + 1) this.look();
    else if (number > tip) this.#behind ??= { number, sinceMs: nowMs };
  }

  /** Time passes: a stream may be a moment behind a poll; one that stays behind has missed the block. */
  tick(nowMs: number): void {
    if (this.#behind === undefined) return;
    const isCaughtUp = this.#follower.ring.heightOfTip >= this.#behind.number;
    if (!isCaughtUp && nowMs - this.#behind.sinceMs < BEHIND_MS) return;
    this.#behind = undefined;
    if (!isCaughtUp) this.look();
  }

  /**
   * False when it is not known what a client that subscribes now has to see: nobody has told of the
   * chain, or nobody has listened for a while. Without `waitedMs` nobody has been asked yet.
   */
  isOriented(nowMs: number, waitedMs = 0): boolean {
    const { tip, isWatched, branches } = this.#follower;
    // Nobody could tell a moment ago.
    if (nowMs < this.#lookAtMs || waitedMs >= MAX_ORIENT_MS) return true;
    if (tip === undefined) return false;
    return isWatched || waitedMs >= OPENING_MS || branches.whereabouts.isBacked(ORIENTED_MS, nowMs);
  }
}
