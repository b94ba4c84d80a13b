/** Who may call, how much, and how they are served. */
import type { StrategyName } from "./routing.ts";

/** A token bucket. */
export interface RateConfig {
  /** Calls, or units, per second. */
  readonly rps: number;
  /** What a rested caller may take at once. */
  readonly burst: number;
}

/** Units that may be used in a day or a month (UTC). */
export interface QuotaConfig {
  readonly units: number;
  readonly per: "day" | "month";
}

/** Who may call, and how much. */
export interface ClientsConfig {
  readonly keys: readonly ClientKeyConfig[];
  readonly anonymous: AnonymousConfig;
  /** Calls from one address (IPv6: one /64), whatever key they carry. */
  readonly perIp: RateConfig | undefined;
  /** Addresses or CIDR ranges whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** Cost units by method or glob, on top of the built-in table. */
  readonly unitsByMethod: Readonly<Record<string, number>>;
}

/** Limits of one caller; undefined means none. */
export interface ClientLimitsConfig {
  readonly rate: RateConfig | undefined;
  readonly units: ClientUnitsConfig;
  /** Calls at the same time. */
  readonly concurrent: number | undefined;
  /** WebSockets at the same time. */
  readonly connections: number | undefined;
  /** Subscriptions at the same time, over all its WebSockets. */
  readonly subscriptions: number | undefined;
}

/** Limits in cost units of the methods. */
export interface ClientUnitsConfig {
  readonly perSecond: number | undefined;
  readonly perDay: number | undefined;
  readonly perMonth: number | undefined;
}

/** One API key. */
export interface ClientKeyConfig extends ClientLimitsConfig {
  /** What the key is called in metrics and answers; never the key itself. */
  readonly id: string;
  /** `sha256:` and 64 hex digits of the key. */
  readonly hash: string;
  /** Globs of chain names; empty: all. */
  readonly chains: readonly string[];
  /** Globs of pairing markets whose providers it may change; empty: none. */
  readonly markets: readonly string[];
  /** Globs of methods; without `allow` all that are served. */
  readonly methods: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  /** Globs of browser origins; empty: any. */
  readonly origins: readonly string[];
  /** Profile of calls whose path names none; the key may use no other. */
  readonly profile: string | undefined;
  /** Callers with this key may use directives. */
  readonly directives: boolean;
}

/** Callers without a key, all together. */
export interface AnonymousConfig extends ClientLimitsConfig {
  readonly allowed: boolean;
}

/** Which browser pages may read answers. */
export interface CorsConfig {
  /** Globs of origins, or `*`; empty: none. */
  readonly origins: readonly string[];
  /** How long a browser may remember the answer to its preflight. */
  readonly maxAgeMs: number;
}

/** A named way of being served, at `/rpc/profile/:profile/...`. */
export interface ProfileConfig {
  /** Ids or tags of providers; empty: all. */
  readonly providers: readonly string[];
  /** The chain's own when undefined. */
  readonly strategy: StrategyName | undefined;
  /** Asked of every read; none when undefined. */
  readonly quorum: { readonly agree: number; readonly of: number } | undefined;
  readonly rpsLimit: number;
  readonly burstLimit: number;
}
