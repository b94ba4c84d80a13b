/**
 * Units that may be used in a day or a month (UTC). The request path only compares and adds; a
 * process turns the page when the period is over, because only it knows the wall clock.
 */
import { type CalendarPeriod, periodAt } from "../lib/calendar.ts";

/** How much, and in which time. */
export interface QuotaLimit {
  readonly units: number;
  readonly per: CalendarPeriod;
}

/** What was used in which period, as it is kept across restarts. */
export interface QuotaUse {
  /** `2026-11-28` or `2026-11`. */
  readonly period: string;
  readonly used: number;
}

/** One quota. */
export class Quota {
  #limit: QuotaLimit;
  #period = "";
  #endsAtMs = 0;
  #used = 0;
  #elsewhere = 0;

  constructor(limit: QuotaLimit) {
    this.#limit = limit;
  }

  get limit(): QuotaLimit {
    return this.#limit;
  }

  /** Units used in this period, by other hosts included as far as they are known. */
  get used(): number {
    return this.#used + this.#elsewhere;
  }

  /** Share of the quota that is used; above 1 when the last call cost more than was left. */
  get ratio(): number {
    return this.used / this.#limit.units;
  }

  get isSpent(): boolean {
    return this.used >= this.#limit.units;
  }

  /** Wall-clock ms at which the period ends; 0 before the first `turn`. */
  get endsAtMs(): number {
    return this.#endsAtMs;
  }

  /** The period that is being counted. */
  get period(): string {
    return this.#period;
  }

  add(units: number): void {
    this.#used += units;
  }

  /** What all hosts together have used, as a shared store counts it. */
  learn(total: number): void {
    this.#elsewhere = Math.max(0, total - this.#used);
  }

  /** Another limit; what was used counts on as long as the period is of the same kind. */
  configure(limit: QuotaLimit): void {
    if (limit.per !== this.#limit.per) this.#period = "";
    this.#limit = limit;
  }

  /** Begins the period of `wallMs` if it is another one; true when an old one has ended. */
  turn(wallMs: number): boolean {
    const { name, endMs } = periodAt(this.#limit.per, wallMs);
    this.#endsAtMs = endMs;
    if (name === this.#period) return false;
    const isRenewed = this.#period !== "";
    this.#period = name;
    this.#used = 0;
    this.#elsewhere = 0;
    return isRenewed;
  }

  toUse(): QuotaUse {
    return { period: this.#period, used: this.#used };
  }

  /** Takes up what was used before a restart, if the period is still the same. */
  restore({ period, used }: QuotaUse): void {
    if (period === this.#period) this.#used = Math.max(this.#used, used);
  }
}

/** A kept use as it was written, or undefined for anything else. */
export function quotaUseOf(value: unknown): QuotaUse | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { period, used } = value as { readonly period?: unknown; readonly used?: unknown };
  const isUse = typeof period === "string" && typeof used === "number" && used >= 0;
  return isUse && Number.isFinite(used) ? { period, used } : undefined;
}

/** A quota under another limit, or under none; what was used of a known one counts on. */
export function renewQuota(
  known: Quota | undefined,
  limit: QuotaLimit | undefined,
): Quota | undefined {
  if (limit === undefined) return undefined;
  if (known === undefined) return new Quota(limit);
  known.configure(limit);
  return known;
}
