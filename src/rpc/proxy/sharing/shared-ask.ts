/**
 * One question to the shared level of the cache, before a provider is asked: whatever comes of it
 * comes within its deadline, and then it is forgotten.
 */
import type { SharedLevel } from "../../cache/shared-level.ts";
import { SHARED_DEADLINE_MS } from "../../cache/shared-level.ts";
import type { SharedAnswer } from "../../cache/shared-value.ts";
import type { Expirable } from "../attempt/deadline-wheel.ts";
import type { Engine } from "../engine.ts";
import type { Running } from "../service.ts";

/** A question that waits for its answer. */
export class SharedAsk implements Running, Expirable {
  expiresAtMs = 0;
  wheelNext: Expirable | undefined = undefined;
  wheelPrevious: Expirable | undefined = undefined;
  readonly #engine: Engine;
  readonly #level: SharedLevel;
  readonly #done: (found: SharedAnswer | undefined) => void;
  #isOver = false;

  constructor(engine: Engine, level: SharedLevel, done: (found: SharedAnswer | undefined) => void) {
    this.#engine = engine;
    this.#level = level;
    this.#done = done;
  }

  /** Asks; the answer may be there at once. */
  start(key: string): void {
    const { wheel, now } = this.#engine;
    this.#engine.countWaiting(1);
    wheel.add(this, now() + SHARED_DEADLINE_MS);
    this.#level.get(key, (found) => {
      if (this.#end()) this.#done(found);
    });
  }

  /** Nobody needs the answer. */
  cancel(): void {
    this.#end();
  }

  /** Nothing of it streams. */
  resume(): void {}

  onExpire(nowMs: number): void {
    if (!this.#end()) return;
    this.#level.wasLate(nowMs);
    this.#done(undefined);
  }

  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#engine.wheel.remove(this);
    this.#engine.countWaiting(-1);
    return true;
  }
}
