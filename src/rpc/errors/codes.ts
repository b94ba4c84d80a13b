/**
 * The JSON-RPC errors that Paceline itself answers with: one row per reason. docs/errors.md is
 * generated from this table.
 */

/** One reason: what the client gets and when. */
export interface OwnError {
  readonly code: number;
  /** HTTP status of a single call; a batch is always 200. */
  readonly status: number;
  readonly meaning: string;
}

/** Every reason, the token of `data.reason`. */
export const OWN_ERRORS = {
  parse_error: { code: -32700, status: 400, meaning: "The body is not JSON in valid UTF-8." },
  invalid_request: {
    code: -32600,
    status: 400,
    meaning: "The envelope is not JSON-RPC 2.0: version, id, method, a duplicate member.",
  },
  empty_batch: { code: -32600, status: 200, meaning: "The batch holds no call." },
  batch_too_large: {
    code: -32600,
    status: 200,
    meaning: "The batch holds more calls than allowed.",
  },
  invalid_params: { code: -32602, status: 400, meaning: "`params` is neither array nor object." },
  subscription_params: {
    code: -32602,
    status: 200,
    meaning: "The subscription names no kind, or its filter or cursor is not understood.",
  },
  subscription_kind: {
    code: -32601,
    status: 200,
    meaning: "There are no subscriptions of this kind.",
  },
  filter_params: { code: -32602, status: 200, meaning: "The log filter is not understood." },
  filter_not_found: {
    code: -32000,
    status: 200,
    meaning: "The client has no such filter, or it was idle for too long.",
  },
  too_many_filters: {
    code: -32005,
    status: 200,
    meaning: "The client, or the gateway, holds as many filters as it may.",
  },
  no_pending_stream: {
    code: -32004,
    status: 200,
    meaning: "No provider of the chain streams pending transactions now.",
  },
  gap: {
    code: -32002,
    status: 200,
    meaning: "What a filter would have to tell is lost: open a new one.",
  },
  invalid_transaction: {
    code: -32602,
    status: 200,
    meaning: "The raw transaction is no bytes in hex, or longer than any pool takes.",
  },
  body_too_large: { code: -32600, status: 413, meaning: "The request body is over the limit." },
  not_json: { code: -32600, status: 415, meaning: "The content type is not JSON." },
  bad_encoding: {
    code: -32600,
    status: 415,
    meaning: "The content encoding is unknown, or the compressed body is broken.",
  },
  method_not_post: { code: -32600, status: 405, meaning: "JSON-RPC calls are POST requests." },
  unknown_chain: { code: -32001, status: 404, meaning: "No chain has this name, alias or id." },
  unknown_provider: { code: -32001, status: 404, meaning: "The chain has no such provider." },
  unknown_strategy: { code: -32001, status: 404, meaning: "No selection strategy has this name." },
  unknown_profile: { code: -32001, status: 404, meaning: "No profile has this name." },
  unauthorised: {
    code: 4100,
    status: 401,
    meaning: "The API key is unknown or was revoked, or none was sent where one is needed.",
  },
  not_allowed: {
    code: 4100,
    status: 401,
    meaning: "The API key may not be used for this chain or profile, or from this origin.",
  },
  rate_limited: {
    code: -32005,
    status: 429,
    meaning:
      "The key, the address or the profile is over its rate; `data.retry_after_ms` says how long.",
  },
  quota_spent: {
    code: -32005,
    status: 429,
    meaning: "The key has used its units of the day or month; `data.retry_after_ms` says how long.",
  },
  too_many_in_flight: {
    code: -32005,
    status: 429,
    meaning: "The key has as many calls in flight as it may.",
  },
  unknown_route: { code: -32001, status: 404, meaning: "The path names no chain." },
  bad_directive: { code: -32602, status: 400, meaning: "A directive has a value it cannot take." },
  logs_range: {
    code: -32602,
    status: 200,
    meaning:
      "The range of `eth_getLogs` is over the chain's `logs.max_range`, or would take too many parts.",
  },
  directives_off: {
    code: -32602,
    status: 400,
    meaning: "The chain takes no directives by header or query (`allow_client_directives`).",
  },
  exhausted: {
    code: -32002,
    status: 200,
    meaning: "Every provider that could be tried failed; `data.attempts` lists them.",
  },
  deadline: { code: -32002, status: 200, meaning: "The time for this call ran out." },
  no_provider: {
    code: -32002,
    status: 503,
    meaning: "No provider may be tried now (breakers open, cooling down, none configured).",
  },
  pairing_exhausted: {
    code: -32002,
    status: 503,
    meaning:
      "Nobody of the caller's pairing list may be tried now, or nobody is on it; `data.pairing` names it.",
  },
  no_pairing_list: {
    code: -32001,
    status: 403,
    meaning: "The caller has no pairing list for this chain, and only those who have are served.",
  },
  method_unsupported: {
    code: -32601,
    status: 200,
    meaning: "No provider implements the method, as configured or learned from their answers.",
  },
  quorum_failed: {
    code: -32002,
    status: 200,
    meaning: "Too few providers agreed; `data.groups` says who answered alike.",
  },
  out_of_reach: {
    code: -32002,
    status: 200,
    meaning: "No provider can serve such a call: its block range, its old state, its method.",
  },
  overloaded: { code: -32002, status: 503, meaning: "Too many requests are in flight." },
  draining: { code: -32002, status: 503, meaning: "This instance is shutting down." },
  help_refused: {
    code: 4100,
    status: 403,
    meaning:
      "The call says that another region has passed it on, but its ticket is not good, or it is none that may be passed on.",
  },
  help_apart: {
    code: -32002,
    status: 503,
    meaning:
      "The region that has passed the call on was not heard lately, or has not heard this one.",
  },
  too_many_helped: {
    code: -32005,
    status: 429,
    meaning: "This region serves as many calls of other regions as it may.",
  },
  unknown_fate: {
    code: -32002,
    status: 200,
    meaning:
      "A transaction was sent but no provider confirmed it; `data.transactionHash` names it.",
  },
  unknown_method: {
    code: -32601,
    status: 200,
    meaning: "The method does not exist: the namespace `rpc.` is the protocol's own.",
  },
  method_denied: { code: -32004, status: 200, meaning: "The method is not served." },
  ws_only: {
    code: -32004,
    status: 200,
    meaning: "Subscriptions need a WebSocket; `data.websocket_url` says where.",
  },
  too_many_subscriptions: {
    code: -32005,
    status: 200,
    meaning: "This connection, or the key, holds as many subscriptions as it may.",
  },
  too_many_connections: {
    code: -32005,
    status: 429,
    meaning: "The key has as many WebSockets open as it may.",
  },
  subscription_not_found: {
    code: -32000,
    status: 200,
    meaning: "No subscription of this id is remembered: subscribe anew, with the cursor.",
  },
  cursor_too_old: {
    code: -32002,
    status: 200,
    meaning:
      "Too much has happened since the cursor: subscribe anew and read what is missing (docs/subscriptions.md).",
  },
  cursor_unknown: {
    code: -32002,
    status: 200,
    meaning: "No provider told in time of the blocks since the cursor.",
  },
  response_too_large: { code: -32008, status: 200, meaning: "The answer is over the size limit." },
  internal: {
    code: -32603,
    status: 500,
    meaning: "A bug of ours; the request id finds it in the log.",
  },
} as const satisfies Readonly<Record<string, OwnError>>;

/** A reason token. */
export type OwnReason = keyof typeof OWN_ERRORS;
