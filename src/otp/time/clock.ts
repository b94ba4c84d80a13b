/**
 * Time and chance as the runtime sees them; both are injected.
 */

/** Monotonic and wall time in ms; fractions allowed. */
export interface Clock {
  monotonicMs(): number;
  wallMs(): number;
}

/** The clock of the host. */
export const realClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};

/** A clock that moves only when told to. */
export class VirtualClock implements Clock {
  private nowMs: number;
  private wallBaseMs: number;

  constructor(startMs = 0, wallBaseMs = 1_700_000_000_000) {
    this.nowMs = startMs;
    this.wallBaseMs = wallBaseMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.wallBaseMs + this.nowMs;
  }

  /** A wall clock may be set, as by an operator or a time server. */
  stepWall(byMs: number): void {
    this.wallBaseMs += byMs;
  }

  moveTo(ms: number): void {
    if (ms > this.nowMs) this.nowMs = ms;
  }
}
