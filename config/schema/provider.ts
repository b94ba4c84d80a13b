/** One provider of a chain. */
import type { Secret } from "../../src/lib/secret.ts";
import type { BreakerConfig } from "./chain.ts";
import type { QuotaConfig, RateConfig } from "./clients.ts";

/** One endpoint pair of one vendor on one chain. */
export interface ProviderConfig {
  readonly id: string;
  readonly url: Secret | undefined;
  readonly wsUrl: Secret | undefined;
  /** Lower is preferred. */
  readonly priority: number;
  readonly role: "primary" | "backup";
  readonly weight: number;
  readonly type: "public" | "paid" | "dedicated";
  /** Who sells the service; the id when not given. */
  readonly vendor: string;
  readonly tags: readonly string[];
  readonly region: string | undefined;
  readonly archival: boolean;
  readonly subscribeNewHeads: boolean;
  readonly cost: CostConfig;
  /** Calls that may be sent to it; undefined: any number. */
  readonly rate: RateConfig | undefined;
  /** Units of `cost` that may be used up; undefined: any number. */
  readonly quota: QuotaConfig | undefined;
  readonly http: { readonly pool: number };
  /** Sent with every HTTP request and WebSocket handshake. */
  readonly headers: Readonly<Record<string, Secret>>;
  readonly capabilities: CapabilitiesConfig;
  readonly errorRules: readonly ErrorRuleConfig[];
  /** The chain's breaker with this provider's own figures on top. */
  readonly breaker: BreakerConfig;
  /** Gets copies of this share of reads and serves nobody. */
  readonly shadow: { readonly sample: number } | undefined;
  /** Is asked first for this share of reads, and last for all others. */
  readonly canary: { readonly share: number } | undefined;
  /** Off: no background traffic is spent on this provider. */
  readonly probe: boolean;
  /** Kept connected and shown, never chosen. */
  readonly cordoned: boolean;
}

/** What a call costs. */
export interface CostConfig {
  readonly pricePerMillionUnits: number;
  readonly defaultUnits: number;
  readonly unitsByMethod: Readonly<Record<string, number>>;
}

/** Limits of a provider that are known beforehand. */
export interface CapabilitiesConfig {
  /** Method names, or globs such as `debug_*`. */
  readonly unsupported: readonly string[];
  readonly maxBlockRange: number | undefined;
  /** Blocks below the tip whose state it serves. */
  readonly archiveDepth: number | undefined;
}

/** A vendor's own meaning of an error; all given conditions must hold. */
export interface ErrorRuleConfig {
  readonly code: number | undefined;
  /** Compared without case. */
  readonly messageContains: string | undefined;
  readonly class: ErrorRuleClass;
}

/** Error classes that a rule may assign. */
export const ERROR_RULE_CLASSES = [
  "server",
  "malformed",
  "timeout",
  "auth",
  "rate_limit",
  "capability",
  "block_unavailable",
  "node_syncing",
  "revert",
  "invalid_params",
  "tx_rejected",
  "tx_known",
  "user",
] as const;

/** The class an error rule assigns. */
export type ErrorRuleClass = (typeof ERROR_RULE_CLASSES)[number];
