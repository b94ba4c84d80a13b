/** The store that hosts share, and what regions do over it. */
import type { Secret } from "../../src/lib/secret.ts";

/** A host and its port. */
export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

/** The store that hosts share; without a `url` there is none. */
export interface RedisConfig {
  readonly url: Secret | undefined;
  /** With any of them the URL's host is the name of the master that they watch. */
  readonly sentinels: readonly RedisHost[];
  readonly sentinelPassword: Secret | undefined;
  /** With any of them it is a Redis Cluster; they stand beside the URL's own host. */
  readonly clusterNodes: readonly RedisHost[];
  /** PEM: whom to trust instead of the system's authorities, and this client's certificate. */
  readonly tlsCa: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: Secret | undefined;
  /** Stands before every key. */
  readonly keyPrefix: string;
  /** A command without a reply for this long counts as unanswered. */
  readonly timeoutMs: number;
}

/** The most that operators of other regions may do here. */
export const GRANTS = ["none", "viewer", "operator", "admin"] as const;

/** One of them: nothing, or a role. */
export type Grant = (typeof GRANTS)[number];

/** What regions share over Redis; without a `secret` nothing. */
export interface ClusterConfig {
  readonly secret: Secret | undefined;
  /** A region that is silent for so long is gone. */
  readonly leaseMs: number;
  /** The most that operators of other regions may do here. */
  readonly grants: Grant;
  /** Where other regions reach this one; its listening address when undefined. */
  readonly url: string | undefined;
  /** Helped calls at once: that one chain passes on to one region, and that this region takes. */
  readonly helpMaxInFlight: number;
  /** Round trip to other regions by name; measured where it is not given. */
  readonly distancesMs: Readonly<Record<string, number>>;
}
