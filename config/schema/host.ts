/** What concerns the host process as a whole. */
import type { Secret } from "../../src/lib/secret.ts";

/** Where clients connect. */
export interface ListenConfig {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
}

/** The operator's socket. */
export interface AdminConfig {
  /** Path of the Unix socket; its directory also holds the role tokens and the audit log. */
  readonly socket: string;
  /** Admins may replace the state of processes. */
  readonly allowReplaceState: boolean;
}

/** What is logged and how. */
export interface LogConfig {
  /** A level, or levels by subsystem: `info,rpc.breaker=debug`. */
  readonly level: string;
  /** `auto`: pretty on a terminal, JSON otherwise. */
  readonly format: "auto" | "json" | "pretty";
}

/** What is kept across restarts. */
export interface StorageConfig {
  /** Directory of the benchmark snapshots. */
  readonly dir: string;
  readonly snapshotIntervalMs: number;
  readonly snapshotMaxAgeMs: number;
  /** Of one chain. */
  readonly snapshotMaxFiles: number;
  readonly database: DatabaseConfig;
  /** Age from which rankings of the audit trail, and what providers were, are forgotten. */
  readonly retentionMs: number;
}

/** Where providers, policies and rankings are kept. */
export type DatabaseConfig =
  | { readonly engine: "sqlite"; readonly file: string }
  | { readonly engine: "postgres"; readonly url: Secret };

/** What happens between SIGTERM and the exit. */
export interface DrainConfig {
  /** Not ready but still serving, so that load balancers look away first. */
  readonly preDelayMs: number;
  /** WebSocket clients are closed with 1012 spread over this time. */
  readonly closeSpreadMs: number;
  /** Everything after the pre-delay; what is left then is dropped with exit 3. */
  readonly timeoutMs: number;
}

/** Bounds on what one client may ask for. */
export interface LimitsConfig {
  readonly maxBodyBytes: number;
  readonly maxBatchItems: number;
  readonly maxBatchResponseBytes: number;
  /** Items of one batch that run at the same time. */
  readonly batchConcurrency: number;
  readonly maxUpstreamBodyBytes: number;
  readonly wsMaxMessageBytes: number;
  /** Share of memory from which on something is given up for it. */
  readonly memoryHigh: number;
  /** Stateful filters (`eth_newFilter`) of one client. */
  readonly filtersPerClient: number;
  /** A filter that nobody asks for so long is gone. */
  readonly filterIdleMs: number;
  readonly wsMaxInFlight: number;
  readonly wsMaxSubscriptions: number;
  /** Unsent bytes beyond which a client is closed as a slow consumer. */
  readonly wsMaxBufferedBytes: number;
  /** How long an event may wait for a WebSocket client. */
  readonly wsMaxBehindMs: number;
  readonly wsMaxClients: number;
  /** How often a WebSocket client is pinged. */
  readonly wsPingIntervalMs: number;
}

/** The last requests that can still be explained. */
export interface ExplainConfig {
  /** Requests that are kept; 0 keeps none. */
  readonly requests: number;
  /** What they may weigh together, snapshots included. */
  readonly maxMemoryBytes: number;
}

/** The last requests that were slow, and the last that failed. */
export interface SlowLogConfig {
  /** A request that takes longer is slow. */
  readonly thresholdMs: number;
  /** Entries of each list; 0 keeps none. */
  readonly entries: number;
}
