/**
 * The configuration as the program sees it: parsed once at the door, complete, immutable.
 *
 * Durations are milliseconds (`Ms`), sizes are bytes (`Bytes`), ratios are 0..1, URLs and header
 * values are `Secret`. What an operator may write, with meaning, unit and default of every key, is
 * `config/keys/`; `docs/config.md` and `config/schema.json` are generated from it.
 */
import type { CacheConfig } from "./schema/cache.ts";
import type { ChainConfig } from "./schema/chain.ts";
import type { ClientsConfig, CorsConfig, ProfileConfig } from "./schema/clients.ts";
import type {
  AdminConfig,
  DrainConfig,
  ExplainConfig,
  LimitsConfig,
  ListenConfig,
  LogConfig,
  SlowLogConfig,
  StorageConfig,
} from "./schema/host.ts";
import type { PairingConfig } from "./schema/pairing.ts";
import type { ClusterConfig, RedisConfig } from "./schema/regions.ts";

export * from "./schema/cache.ts";
export * from "./schema/chain.ts";
export type * from "./schema/clients.ts";
export type * from "./schema/host.ts";
export type * from "./schema/pairing.ts";
export * from "./schema/provider.ts";
export * from "./schema/regions.ts";
export * from "./schema/routing.ts";

/** The whole configuration of one host process. */
export interface Config {
  /** Tags every event, metric and log line. */
  readonly region: string;
  readonly listen: ListenConfig;
  readonly admin: AdminConfig;
  readonly log: LogConfig;
  readonly storage: StorageConfig;
  readonly drain: DrainConfig;
  readonly limits: LimitsConfig;
  readonly explain: ExplainConfig;
  readonly slowLog: SlowLogConfig;
  readonly redis: RedisConfig;
  readonly cluster: ClusterConfig;
  readonly clients: ClientsConfig;
  readonly cors: CorsConfig;
  /** By name. */
  readonly profiles: Readonly<Record<string, ProfileConfig>>;
  readonly cache: CacheConfig;
  readonly pairing: PairingConfig;
  /** In the order of the file. */
  readonly chains: readonly ChainConfig[];
}
