/** What a link remembers of its own life, for operators: state, since when, how often, and why. */

/** How the last connection ended. */
export interface LastClose {
  readonly code: number | undefined;
  readonly reason: string;
  /** Wall clock, ms. */
  readonly atMs: number;
  readonly uptimeMs: number;
}

/** The book of one link. */
export class Diary {
  state = "connecting";
  /** Monotonic and wall clock of the last change of state, ms. */
  sinceMs: number;
  sinceWallMs: number;
  /** Connections that came up. */
  connects = 0;
  lastClose: LastClose | undefined;
  lastError: string | undefined;
  /** Events of subscriptions that we do not hold. */
  orphans = 0;
  /** Messages that were no JSON-RPC of ours. */
  unread = 0;
  /** Times that wanted and open subscriptions did not come to balance. */
  mismatches = 0;

  constructor(nowMs: number, wallMs: number) {
    this.sinceMs = nowMs;
    this.sinceWallMs = wallMs;
  }

  get reconnects(): number {
    return Math.max(0, this.connects - 1);
  }

  /** Notes the state; false when it is the old one. */
  entered(state: string, nowMs: number, wallMs: number): boolean {
    if (state === this.state) return false;
    this.state = state;
    this.sinceMs = nowMs;
    this.sinceWallMs = wallMs;
    return true;
  }
}
