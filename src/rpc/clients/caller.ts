/**
 * Who calls: the holder of one API key, or everybody without one. Holds the rights and what is left
 * of the limits; the row stays the same over a reload, so sessions keep it and nothing is given out
 * anew. A call is charged once, before it is served, whatever becomes of it.
 */
import type { ClientKeyConfig, ClientLimitsConfig } from "../../../config/schema.ts";
import { type RateBucket, renewBucket } from "../../lib/rate-bucket.ts";
import type { CalendarPeriod } from "../../lib/calendar.ts";
import { NameGlobs } from "../../lib/name-globs.ts";
import type { OwnReason } from "../errors/codes.ts";
import { type Quota, type QuotaLimit, renewQuota } from "../quota.ts";

/** Why a call is not served. */
export interface CallRefusal {
  readonly reason: OwnReason;
  readonly message: string;
  /** Time after which the same call may be served; undefined where waiting does not help. */
  readonly retryAfterMs?: number;
}

/** The limits that callers without a key, or with one, are under. */
type CallerConfig = ClientLimitsConfig & Partial<Omit<ClientKeyConfig, "id" | "hash">>;

/** What a caller holds for as long as it likes. */
export type Held = "connections" | "subscriptions";

const REFUSED_HELD = {
  connections: "too_many_connections",
  subscriptions: "too_many_subscriptions",
} as const satisfies Readonly<Record<Held, OwnReason>>;

/** How long a caller waits whose calls are too many at once: until one of them ends, ms. */
const BUSY_RETRY_MS = 100;

/** One caller. */
export class Caller {
  readonly id: string;
  /** The key is gone from the configuration: whoever still holds it is refused. */
  isRevoked = false;
  inFlight = 0;
  readonly held: Record<Held, number> = { connections: 0, subscriptions: 0 };
  /** Until then other hosts have used up what all share, monotonic ms. */
  sharedUntilMs = 0;
  /** Calls and units that the shared store has not heard of. */
  unsharedCalls = 0;
  unsharedUnits = 0;
  calls = 0;
  units = 0;
  readonly refused = { rate: 0, quota: 0, concurrent: 0, denied: 0, held: 0 };
  rate: RateBucket | undefined;
  unitRate: RateBucket | undefined;
  day: Quota | undefined;
  month: Quota | undefined;
  #config: CallerConfig = NO_LIMITS;
  #chains: NameGlobs | undefined;
  #allow: NameGlobs | undefined;
  #deny: NameGlobs | undefined;
  #origins: NameGlobs | undefined;
  #markets: NameGlobs | undefined;

  constructor(id: string, config: CallerConfig, wallMs: number) {
    this.id = id;
    this.configure(config, wallMs);
  }

  get config(): CallerConfig {
    return this.#config;
  }

  /** Other rights and limits; what was used counts on. */
  configure(config: CallerConfig, wallMs: number): void {
    this.#config = config;
    const { rate, units, chains, methods, origins, markets } = config;
    const { perSecond, perDay, perMonth } = units;
    this.rate = renewBucket(this.rate, rate && { perSec: rate.rps, burst: rate.burst });
    this.unitRate = renewBucket(
      this.unitRate,
      perSecond === undefined ? undefined : { perSec: perSecond, burst: perSecond },
    );
    this.day = renewQuota(this.day, quotaLimit(perDay, "day"));
    this.month = renewQuota(this.month, quotaLimit(perMonth, "month"));
    this.turn(wallMs);
    this.#chains = globs(chains);
    this.#allow = globs(methods?.allow);
    this.#deny = globs(methods?.deny);
    this.#markets = globs(markets);
    this.#origins = globs(origins?.map((origin) => origin.toLowerCase()));
  }

  /** Begins the day and the month of `wallMs`, if they are others. */
  turn(wallMs: number): void {
    this.day?.turn(wallMs);
    this.month?.turn(wallMs);
  }

  get profile(): string | undefined {
    return this.#config.profile;
  }

  /** Its callers may say how they want to be served. */
  get mayDirect(): boolean {
    return this.#config.directives !== false;
  }

  /** Counts how many of its calls run. */
  get isCounted(): boolean {
    return this.#config.concurrent !== undefined;
  }

  mayUseChain(name: string): boolean {
    return this.#chains?.has(name) !== false;
  }

  /** It may change the providers of a market; without a name, of every one there is and will be. */
  mayChangeMarket(name: string | undefined): boolean {
    if (name === undefined) return this.#config.markets?.includes(EVERY) === true;
    return this.#markets?.has(name) === true;
  }

  mayUseProfile(name: string | undefined): boolean {
    return this.profile === undefined || name === undefined || name === this.profile;
  }

  /** Requests of no browser have no origin, and whoever forges one is no browser. */
  mayComeFrom(origin: string | undefined): boolean {
    return origin === undefined || this.#origins?.has(origin.toLowerCase()) !== false;
  }

  /** Charges a call of `method`; a refused one costs nothing. */
  charge(method: string, units: number, nowMs: number, wallMs: number): CallRefusal | undefined {
    const refusal = this.#refusal(method, units, nowMs, wallMs);
    if (refusal !== undefined) return refusal;
    this.rate?.spend(nowMs);
    this.unitRate?.spend(nowMs, units);
    this.day?.add(units);
    this.month?.add(units);
    this.unsharedCalls++;
    this.unsharedUnits += units;
    this.calls++;
    this.units += units;
    return undefined;
  }

  /** Why it may not hold one more; `take` follows when it may. */
  crowded(what: Held): CallRefusal | undefined {
    const most = this.#config[what];
    if (most !== undefined && this.held[what] >= most) {
      this.refused.held++;
      const message = `${this.id} holds ${most} ${what}, as many as it may`;
      return { reason: REFUSED_HELD[what], message };
    }
    return undefined;
  }

  /** Holds one more until `give`. */
  take(what: Held): void {
    this.held[what]++;
  }

  /** So many of those that it held are gone. */
  give(what: Held, count = 1): void {
    this.held[what] -= count;
  }

  #refusal(method: string, units: number, nowMs: number, wallMs: number): CallRefusal | undefined {
    if (this.isRevoked) return REVOKED;
    if (this.#deny?.has(method) === true || this.#allow?.has(method) === false) {
      this.refused.denied++;
      return { reason: "method_denied", message: `${method} is not served to ${this.id}` };
    }
    const { concurrent } = this.#config;
    if (concurrent !== undefined && this.inFlight >= concurrent) {
      this.refused.concurrent++;
      const message = `${this.id} has ${concurrent} calls in flight`;
      return { reason: "too_many_in_flight", message, retryAfterMs: BUSY_RETRY_MS };
    }
    const spent = spentOf(this.month) ?? spentOf(this.day);
    if (spent !== undefined) {
      this.refused.quota++;
      const message = `${this.id} has used its ${spent.limit.units} units of this ${spent.limit.per}`;
      const retryAfterMs = Math.max(1, Math.ceil(spent.endsAtMs - wallMs));
      return { reason: "quota_spent", message, retryAfterMs };
    }
    const waitMs = Math.max(
      this.rate?.waitMs(nowMs) ?? 0,
      this.unitRate?.waitMs(nowMs, units) ?? 0,
      this.sharedUntilMs - nowMs,
    );
    if (waitMs <= 0) return undefined;
    this.refused.rate++;
    const message = `${this.id} is over its rate`;
    return { reason: "rate_limited", message, retryAfterMs: Math.ceil(waitMs) };
  }
}

/** No limits at all. */
export const NO_LIMITS: ClientLimitsConfig = {
  rate: undefined,
  units: { perSecond: undefined, perDay: undefined, perMonth: undefined },
  concurrent: undefined,
  connections: undefined,
  subscriptions: undefined,
};

/** The answer to a key that is unknown, or no longer known. */
export const REVOKED: CallRefusal = {
  reason: "unauthorised",
  message: "the API key is not known here",
};

const quotaLimit = (units: number | undefined, per: CalendarPeriod): QuotaLimit | undefined =>
  units === undefined ? undefined : { units, per };

const spentOf = (one: Quota | undefined): Quota | undefined =>
  one?.isSpent === true ? one : undefined;

/** The glob that takes any name. */
const EVERY = "*";

const globs = (patterns: readonly string[] | undefined): NameGlobs | undefined =>
  patterns === undefined || patterns.length === 0 ? undefined : new NameGlobs(patterns);
