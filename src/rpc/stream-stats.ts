/** Counters of the event path, kept in one table so that metrics and views read them without a call. */
import type { ChainName, ProviderId } from "./ids.ts";

/** The table that the processes of the event path write their counters to, about once a second. */
export const statsTable = "rpc/stats";

/** Row of a chain's aggregator. */
export const aggregationRow = (chain: ChainName): string => `${chain}/aggregation`;

/** Row of a chain's client streams. */
export const streamsRow = (chain: ChainName): string => `${chain}/streams`;

/** Row of a provider's WebSocket. */
export const connectionRow = (chain: ChainName, provider: ProviderId): string =>
  `${chain}/connection/${provider}`;

/** What an aggregator counts since its start. */
export interface AggregationStats {
  readonly byKind: Readonly<
    Record<string, { readonly messages: number; readonly duplicates: number }>
  >;
  readonly racesSettled: number;
  readonly missed: number;
  /** Time spent on events, extrapolated from samples, ms. */
  readonly processingMs: number;
  /** The memory of seen events. */
  readonly cache: {
    readonly hits: number;
    readonly misses: number;
    readonly evictions: number;
    readonly entries: number;
    readonly limit: number;
  };
}

/** Client subscriptions of one kind. */
export interface StreamStats {
  readonly kind: string;
  readonly active: number;
  readonly delivered: number;
  /** Events that clients who lag were not sent; only pending transactions may be. */
  readonly dropped: number;
}

/** One WebSocket to a provider. */
export interface ConnectionStats {
  readonly state: string;
  /** Monotonic ms of the last change. */
  readonly sinceMs: number;
  /** Connections that came up after the first. */
  readonly reconnects: number;
  /** Connection attempts since the last one that lasted. */
  readonly attempts: number;
  /** Upstream subscriptions that are open. */
  readonly subscriptions: number;
  /** Upstream subscriptions that should be open. */
  readonly wanted: number;
  readonly lastError: string | undefined;
}
