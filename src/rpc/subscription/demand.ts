/** Which upstream streams the clients of a chain need; they stay on for a while after the last one. */

/** The upstream streams that clients need now; heads always are. */
export interface Demand {
  readonly logs: boolean;
  readonly pending: boolean;
}

/** How long upstream streams are kept after their last client, ms. */
const LINGER_MS = 60_000;

/** Remembers when somebody last needed a stream. */
export class LingeringDemand {
  #logsMs = Number.NEGATIVE_INFINITY;
  #pendingMs = Number.NEGATIVE_INFINITY;

  /** What is needed now and what was a moment ago. */
  after(now: Demand, nowMs: number): Demand {
    if (now.logs) this.#logsMs = nowMs;
    if (now.pending) this.#pendingMs = nowMs;
    return {
      logs: nowMs - this.#logsMs < LINGER_MS,
      pending: nowMs - this.#pendingMs < LINGER_MS,
    };
  }
}
