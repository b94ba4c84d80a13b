/**
 * Tells a provider whose heads have stopped from a chain that stands still.
 *
 * Without a head for a multiple of the block time the provider is asked for its height. If it, or the
 * chain as others tell it, has gone on, the stream is dead although the socket lives: providers are
 * known to fall silent after days. A question that stays unanswered says the same.
 */
import { staleAfterMs } from "../head/head-truth.ts";

/** Time for the answer to the question for the height, ms. */
const ANSWER_MS = 5_000;
/** One block ahead may be the block that is on its way to us. */
const AHEAD_BLOCKS = 2;

/** Heights that a provider's answer is held against. */
export interface KnownHeights {
  /** The last head that it pushed; -1 when none. */
  readonly pushed: number;
  /** The chain's tip as all providers tell it; -1 when not known. */
  readonly tip: number;
}

/** Watches the heads of one connection. */
export class Silence {
  #headAtMs = 0;
  #askedAtMs: number | undefined;
  /** The height of the last answer in this silence. */
  #height = -1;

  /** When the last head came, or the subscription began, ms. */
  get headAtMs(): number {
    return this.#headAtMs;
  }

  /** A head came, or the stream has just been opened. */
  broken(nowMs: number): void {
    this.#headAtMs = nowMs;
    this.#askedAtMs = undefined;
    this.#height = -1;
  }

  /** Once a second: ask for the height, or conclude that the stream is dead. */
  look(nowMs: number, blockTimeMs: number): "ask" | "silent" | undefined {
    if (this.#askedAtMs !== undefined) {
      if (nowMs - this.#askedAtMs < ANSWER_MS) return undefined;
      this.#askedAtMs = undefined;
      return "silent";
    }
    if (nowMs - this.#headAtMs <= staleAfterMs(blockTimeMs)) return undefined;
    this.#askedAtMs = nowMs;
    return "ask";
  }

  /** The provider has told its height, or `undefined` for no height; true when the stream is dead. */
  told(named: number | undefined, { pushed, tip }: KnownHeights, nowMs: number): boolean {
    if (this.#askedAtMs === undefined) return false;
    this.#askedAtMs = undefined;
    const before = Math.max(pushed, this.#height);
    const height = Math.max(named ?? -1, tip);
    const isFirst = this.#height < 0;
    this.#height = Math.max(height, 0);
    if (before >= 0 && height - before >= (isFirst ? AHEAD_BLOCKS : 1)) return true;
    // The chain itself stands still, as far as is known: a while longer, then asked again.
    this.#headAtMs = nowMs;
    return false;
  }
}
