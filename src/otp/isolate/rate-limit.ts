/**
 * A budget for each name: a flood of one kind of event must not hide the others.
 */

const WINDOW_MS = 1000;
/** Names with a budget of their own; all others share one. */
const MAX_NAMES = 256;
const OTHERS = "";

/** So many of each name in a second. */
export class RateLimit {
  private readonly perSecond: number;
  private readonly nowMs: () => number;
  private readonly counts = new Map<string, number>();
  private windowMs = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number, nowMs: () => number) {
    this.perSecond = perSecond;
    this.nowMs = nowMs;
  }

  /** Counts one; false when it is one too many. */
  allows(name: string): boolean {
    const nowMs = this.nowMs();
    if (nowMs - this.windowMs >= WINDOW_MS) {
      this.windowMs = nowMs;
      this.counts.clear();
    }
    const key = this.counts.has(name) || this.counts.size < MAX_NAMES ? name : OTHERS;
    const count = this.counts.get(key) ?? 0;
    if (count >= this.perSecond) return false;
    this.counts.set(key, count + 1);
    return true;
  }
}
