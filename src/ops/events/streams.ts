/** Events of a chain as it moves: races, heads, kept answers, subscriptions, sockets. */
import type { EventSpec } from "./spec.ts";

/** The race of providers. */
export const raceEvents = {
  "aggregation.race_settled": {
    level: "debug",
    fields: ["chain", "kind", "winner"],
    optional: ["missed", "marginMs", "count"],
    meaning: "A race is over: the winner and the margins became evidence.",
  },
  "aggregation.evicted": {
    level: "debug",
    fields: ["chain", "count", "limit"],
    optional: ["kind"],
    meaning: "The memory of seen events was full; its oldest tenth left.",
  },
  "aggregation.rows_dropped": {
    level: "debug",
    fields: ["chain", "kind", "count"],
    optional: [],
    meaning: "A table of raw benchmark rows was full; its oldest rows left.",
  },
  "aggregation.uncorroborated": {
    level: "info",
    fields: ["chain", "provider", "kind"],
    optional: ["hash", "count"],
    meaning: "Nobody else brought the event that this provider brought first.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;

/** The head of the chain. */
export const headEvents = {
  "head.tip": {
    level: "debug",
    fields: ["chain", "number"],
    optional: ["hash", "provider", "oldNumber"],
    meaning: "The served tip of the chain moved on.",
  },
  "head.lag": {
    level: "info",
    fields: ["chain", "provider", "lagBlocks"],
    optional: ["head", "limit"],
    meaning: "A provider fell behind the served tip by more than the limit, or came back.",
  },
  "head.velocity_drop": {
    level: "warn",
    fields: ["chain", "provider", "head"],
    optional: ["limit"],
    meaning: "A reported head is ahead of anything the block time allows and was left out.",
  },
  "head.rollback": {
    level: "warn",
    fields: ["chain", "number", "oldNumber"],
    optional: ["hash"],
    meaning: "Most providers agree on a lower head: the served tip went back.",
  },
  "head.stale": {
    level: "warn",
    fields: ["chain", "ageMs"],
    optional: ["provider", "number"],
    meaning: "No new head arrived for three block times.",
  },
  "head.reorg": {
    level: "info",
    fields: ["chain", "number", "depth"],
    optional: ["hash"],
    meaning: "The chain replaced its last blocks.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;

/** Answers that are kept. */
export const answerEvents = {
  "cache.invalidate": {
    level: "debug",
    fields: ["chain", "blocks", "count"],
    meaning: "Blocks were replaced, and the kept answers about them were forgotten.",
  },
  "cache.evict": {
    level: "info",
    fields: ["count", "entries", "bytes", "limit"],
    meaning: "The memory for answers is full: answers were put out; told once a minute.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;

/** Clients' subscriptions. */
export const subscriptionEvents = {
  "subs.open": {
    level: "debug",
    fields: ["chain", "kind", "subscription"],
    optional: ["client", "clients", "resumed"],
    meaning: "A client subscribed; with `resumed` it went on where it was, after so many events.",
  },
  "subs.close": {
    level: "debug",
    fields: ["chain", "kind", "subscription"],
    optional: ["client", "clients", "reason"],
    meaning: "A client subscription ended.",
  },
  "subs.failover": {
    level: "info",
    fields: ["chain", "kind"],
    optional: ["from", "to", "clients", "reason"],
    meaning: "The stream lost a source and goes on with the others.",
  },
  "subs.backfill": {
    level: "info",
    fields: ["chain", "firstBlock", "lastBlock"],
    optional: ["kind", "provider", "durationMs", "blocks"],
    meaning: "Blocks that no stream brought were fetched, so that clients see no hole.",
  },
  "subs.retraction": {
    level: "info",
    fields: ["chain", "blocks"],
    optional: ["count", "number"],
    meaning: "Logs of orphaned blocks were sent again as removed.",
  },
  "subs.slow_consumer": {
    level: "warn",
    fields: ["chain", "client", "bufferedBytes"],
    optional: ["subscription", "kind", "ageMs"],
    meaning: "A client reads too slowly and was closed with 1013 (or pending events were dropped).",
  },
  "subs.degraded": {
    level: "warn",
    fields: ["chain", "kind", "reason"],
    optional: ["clients", "firstBlock", "lastBlock", "delayMs"],
    meaning: "The stream cannot go on without a hole yet and tries again.",
  },
  "subs.ledger_mismatch": {
    level: "warn",
    fields: ["chain", "provider", "wanted", "open"],
    optional: ["kind", "subscription", "reason"],
    meaning:
      "Wanted and open upstream subscriptions did not come to balance within 10 s: a subscribe " +
      "without an answer is repeated later, a subscription that does not end costs the connection.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;

/** WebSockets to providers. */
export const socketEvents = {
  "websocket.connected": {
    level: "info",
    fields: ["chain", "provider"],
    optional: ["durationMs", "attempt"],
    meaning: "The WebSocket to a provider is up and its chain id is right.",
  },
  "websocket.disconnected": {
    level: "warn",
    fields: ["chain", "provider"],
    optional: ["closeCode", "reason", "uptimeMs"],
    meaning: "The WebSocket to a provider is gone.",
  },
  "websocket.reconnect_scheduled": {
    level: "info",
    fields: ["chain", "provider", "attempt", "delayMs"],
    optional: ["maxAttempts", "reason"],
    meaning: "The next connection attempt waits for its backoff.",
  },
  "websocket.suspect": {
    level: "warn",
    fields: ["chain", "provider"],
    optional: ["ageMs", "reason"],
    meaning:
      "The provider did not answer a ping in time, or its heads have stopped; the others cover its " +
      "stream.",
  },
  "websocket.suspended": {
    level: "warn",
    fields: ["chain", "provider", "attempt", "delayMs"],
    optional: ["maxAttempts", "reason"],
    meaning:
      "The WebSocket is given up for now, after too many attempts or because the credentials are " +
      "refused: one attempt follows after the rest, or when the provider's health check recovers.",
  },
  "websocket.orphan_event": {
    level: "debug",
    fields: ["chain", "provider"],
    optional: ["subscription", "count"],
    meaning:
      "Events of an upstream subscription that we do not hold arrived within the last second and " +
      "were dropped; it is given back.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;
