/** Events of clients and their calls. */
import type { EventSpec } from "./spec.ts";

/** Calls on their way: admission, choice, failover, hedges. */
export const requestEvents = {
  "rpc.request.slow": {
    level: "info",
    fields: ["chain", "method", "durationMs"],
    optional: ["requestId", "provider", "attempts"],
    meaning: "A request took more than 2 s.",
  },
  "rpc.request.very_slow": {
    level: "warn",
    fields: ["chain", "method", "durationMs"],
    optional: ["requestId", "provider", "attempts"],
    meaning: "A request took more than 4 s.",
  },
  "rpc.admission.rejected": {
    level: "debug",
    fields: ["chain", "reason"],
    optional: ["method", "requestId"],
    meaning: "A request was refused before any attempt: draining, overloaded or no provider.",
  },
  "rpc.memory.relief": {
    level: "warn",
    fields: ["from", "to", "share"],
    meaning:
      "Memory is scarce, or no more; `to` says what is given up now, with all before it: none, cache, subscriptions, batches, requests.",
  },
  "rpc.coalesce.overflow": {
    level: "warn",
    fields: ["chain", "method", "reason"],
    meaning:
      "Equal calls go alone: 1,000 follow one attempt (followers), or 10,000 attempts are shared (flights); told once a second.",
  },
  "rpc.selection.failure": {
    level: "warn",
    fields: ["chain", "method", "reasons"],
    optional: ["strategy", "transport", "requestId"],
    meaning: "No endpoint of the chain could be chosen; the reasons say what each filter refused.",
  },
  "rpc.selection.relaxed": {
    level: "info",
    fields: ["chain", "filter"],
    optional: ["method", "strategy"],
    meaning: "Every endpoint failed a health filter, so that filter was set aside.",
  },
  "rpc.selection.switch": {
    level: "info",
    fields: ["chain", "from", "to"],
    optional: ["strategy", "method", "reason"],
    meaning:
      "Another provider leads a ranking now; the reason names it: strategy/transport/kind of method.",
  },
  "rpc.failover.triggered": {
    level: "debug",
    fields: ["chain", "provider", "method", "errorClass", "attempt"],
    optional: ["requestId", "transport"],
    meaning: "An attempt failed and the request went to the next provider.",
  },
  "rpc.hedge.fired": {
    level: "debug",
    fields: ["chain", "method", "provider", "from"],
    optional: ["requestId"],
    meaning: "A slow request went to a second provider; `from` is the slow one.",
  },
  "rpc.hedge.won": {
    level: "debug",
    fields: ["chain", "method", "provider"],
    optional: ["requestId"],
    meaning: "The second provider answered before the slow one.",
  },
  "rpc.hedge.budget_exhausted": {
    level: "debug",
    fields: ["chain", "method"],
    optional: ["requestId"],
    meaning: "A slow request got no hedge: the chain's budget was spent.",
  },
  "rpc.failover.exhausted": {
    level: "warn",
    fields: ["chain", "method", "attempts"],
    optional: ["requestId", "reason", "durationMs"],
    meaning: "Every attempt of a request failed; the client got an error.",
  },
  "rpc.failover.panic": {
    level: "warn",
    fields: ["chain", "provider"],
    optional: ["transport", "method"],
    meaning: "All breakers of the chain are open; one request per second goes to the nearest one.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;

/** Ranges of logs that are asked for in parts. */
export const logRangeEvents = {
  "getlogs.planned": {
    level: "debug",
    fields: ["chain", "firstBlock", "lastBlock", "parts", "requestId"],
    meaning: "A range of logs is more than anybody serves at once and is asked for in parts.",
  },
  "getlogs.split": {
    level: "debug",
    fields: ["chain", "provider", "by", "firstBlock", "lastBlock", "requestId"],
    meaning: "A provider refused a part of a range of logs as too much; the part was cut.",
  },
  "getlogs.limit_learned": {
    level: "info",
    fields: ["chain", "provider", "limit", "requestId"],
    meaning: "A provider refused a range of logs; parts for it have at most `limit` blocks now.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;

/** Stateful filters. */
export const filterEvents = {
  "filters.open": {
    level: "debug",
    fields: ["chain", "kind", "count"],
    meaning:
      "A client opened a filter: blocks, logs or pending; the count is of all that are open.",
  },
  "filters.close": {
    level: "debug",
    fields: ["chain", "kind", "count", "reason"],
    meaning: "A filter is gone: uninstalled, idle, or a gap that it could not tell.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;

/** Transactions. */
export const writeEvents = {
  "write.broadcast": {
    level: "debug",
    fields: ["chain", "method", "hash", "result", "attempts"],
    optional: ["durationMs"],
    meaning: "A transaction was sent; the result is accepted, refused, not_taken or unknown.",
  },
  "write.known": {
    level: "debug",
    fields: ["chain", "provider", "hash"],
    meaning: "The provider had the transaction already, which is a success.",
  },
  "write.unknown_fate": {
    level: "warn",
    fields: ["chain", "hash", "attempts"],
    optional: ["durationMs"],
    meaning: "A transaction was sent and nobody can say whether the chain has it.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;

/** Who may call, and how much. */
export const clientEvents = {
  "rpc.client.refused": {
    level: "info",
    fields: ["key", "count"],
    meaning:
      "Calls of this API key were refused for its limits or rights since it was last told, 10 s ago at the soonest.",
  },
  "rpc.client.unauthorised": {
    level: "warn",
    fields: ["count"],
    meaning:
      "Requests were refused for an unknown API key, none at all, or a wrong origin since it was last told.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;
