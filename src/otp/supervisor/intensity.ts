/**
 * The restart budget: how many restarts lie inside the window.
 *
 * Profile "second" is OTP's: whole monotonic seconds, so the true window is [period, period + 1).
 * (second, count) buckets make it exact and O(1) however large the intensity. Profile "ms" keeps
 * exact stamps.
 */

interface Bucket {
  readonly at: number;
  count: number;
}

/** Restart window of one supervisor. */
export class IntensityWindow {
  intensity: number;
  periodSec: number;
  private unitMs: number;
  private buckets: Bucket[] = [];
  private total = 0;

  constructor(intensity: number, periodSec: number, clock: "second" | "ms" = "second") {
    this.intensity = intensity;
    this.periodSec = periodSec;
    this.unitMs = clock === "second" ? 1000 : 1;
  }

  /** Other limits from now on; restarts counted so far stay, unless the clock is another. */
  change(intensity: number, periodSec: number, clock: "second" | "ms" = "second"): void {
    const unitMs = clock === "second" ? 1000 : 1;
    if (unitMs !== this.unitMs) {
      this.buckets = [];
      this.total = 0;
    }
    this.intensity = intensity;
    this.periodSec = periodSec;
    this.unitMs = unitMs;
  }

  /** Counts one restart at `nowMs`; false when that is one too many. */
  add(nowMs: number): boolean {
    const at = Math.floor(nowMs / this.unitMs);
    this.expire(at);
    const last = this.buckets.at(-1);
    if (last !== undefined && last.at === at) last.count += 1;
    else this.buckets.push({ at, count: 1 });
    this.total += 1;
    return this.total <= this.intensity;
  }

  /** Restarts inside the window at `nowMs`. */
  count(nowMs: number): number {
    this.expire(Math.floor(nowMs / this.unitMs));
    return this.total;
  }

  private expire(at: number): void {
    const oldest = at - (this.periodSec * 1000) / this.unitMs;
    let gone = 0;
    for (const bucket of this.buckets) {
      if (bucket.at >= oldest) break;
      this.total -= bucket.count;
      gone += 1;
    }
    if (gone > 0) this.buckets = this.buckets.slice(gone);
  }
}
