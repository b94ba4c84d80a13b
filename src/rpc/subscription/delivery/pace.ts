/**
 * How fast missed logs are read for the clients: a fill brings them faster than most clients read, and
 * a client is not slow for that. So it waits while somebody has much unread, but not for long: who does
 * not read at all is not waited for.
 */

/** Part of what a client may leave unread; the rest is room for the answers that are on their way. */
const CROWDED = 0.25;
/** How long a fill waits for whoever reads slowest, ms. */
const MAX_WAIT_MS = 1_000;

/** The pace of one chain's fills. */
export class Pace {
  /** Unread bytes from which on a client is waited for. */
  readonly crowdedBytes: number;
  #sinceMs: number | undefined;

  constructor(maxBufferedBytes: number) {
    this.crowdedBytes = maxBufferedBytes * CROWDED;
  }

  /** True when a fill has to wait; `isCrowded`: some client has so much unread. */
  mustWait(isCrowded: boolean, nowMs: number): boolean {
    if (!isCrowded) this.#sinceMs = undefined;
    else this.#sinceMs ??= nowMs;
    return this.#sinceMs !== undefined && nowMs - this.#sinceMs < MAX_WAIT_MS;
  }
}
