/**
 * Every telemetry event of the product: name, level, fields, meaning.
 *
 * One typed table feeds logs, metrics, the admin socket and docs/telemetry.md. A test reads every
 * `emit("…")` of the sources and fails for a name or a field that is not here, and for an entry
 * that nobody emits: what an operator reads about is what the program says.
 */

/** What a field holds, as the generated page prints it. */
interface FieldSpec {
  readonly type: "string" | "number" | "boolean" | "list";
  readonly meaning: string;
}

const text = (meaning: string): FieldSpec => ({ type: "string", meaning });
const amount = (meaning: string): FieldSpec => ({ type: "number", meaning });
const flag = (meaning: string): FieldSpec => ({ type: "boolean", meaning });
const list = (meaning: string): FieldSpec => ({ type: "list", meaning });

/** The vocabulary of all events: one name, one meaning, everywhere. */
export const EVENT_FIELDS = {
  agree: amount("providers that must give the same answer"),
  alarm: flag("the watchdog saw it while it lasted"),
  ageMs: amount("how old the oldest waiting or last seen thing is, ms"),
  attempt: amount("number of this try, from 1"),
  attempts: amount("attempts dispatched for the request"),
  blocks: amount("how many blocks"),
  bufferedBytes: amount("bytes waiting in the client's socket"),
  by: text("what was cut: range, address or topic"),
  bytes: amount("size of a text or binary argument"),
  category: text("failure category of the breaker: network, server, malformed, timeout, auth"),
  chain: text("configured name of the chain"),
  changes: list("what the reload or the reconciling did, and to which process"),
  child: text("id of the child in its supervisor"),
  childPid: text("pid of the child that ended"),
  client: amount("number of the client connection"),
  clients: amount("client subscriptions concerned"),
  closeCode: amount("WebSocket close code"),
  code: text("error code, or exit code of a worker thread"),
  command: text("what was ordered, e.g. suspend"),
  consecutiveFailures: amount("counted failures in a row"),
  context: text(
    "what the supervisor reports: child_terminated, start_error, shutdown_error, shutdown",
  ),
  cooldownMs: amount("how long the endpoint rests, ms"),
  count: amount("how many in this report"),
  delayMs: amount("time until the next try, ms"),
  depth: amount("blocks taken back by the reorganisation"),
  direction: text("in: the process took the message; out: it sent it"),
  durationMs: amount("how long it took, ms"),
  entries: amount("entries that are held"),
  error: text("the error that was thrown"),
  errorClass: text("class of the answer (docs/errors.md)"),
  event: text("telemetry event that was being handled"),
  file: text("the configuration file"),
  filter: text("selection filter that was relaxed"),
  firstBlock: amount("first block of the range"),
  forced: flag("an operator forced the state"),
  from: text("what it was before"),
  function: text("the function that ran, (unknown) inside native code"),
  generation: amount("admission generation of the breaker"),
  groups: list("who gave the same answer: a short hash of it, and the providers"),
  handler: text("id of the telemetry handler, or the message handler that ran"),
  hash: text("hash of the block, or of the configuration"),
  head: amount("height the provider reported"),
  inWindow: amount("restarts within the period, this one included"),
  intensity: amount("restarts the supervisor allows per period"),
  key: text("id of the API key, or anonymous"),
  kind: text("stream: newHeads, logs or newPendingTransactions; or the kind of the thing"),
  lagBlocks: amount("blocks behind the served tip"),
  lastBlock: amount("last block of the range"),
  length: amount("messages in the mailbox"),
  limit: amount("the bound that was met"),
  log: list("last messages of the process, without arguments; when its log was on"),
  mailbox: amount("messages waiting"),
  marginMs: amount("time behind the winner, ms"),
  max: amount("messages the mailbox may hold"),
  maxAttempts: amount("tries allowed"),
  maxRows: amount("rows the table may hold"),
  method: text("JSON-RPC method"),
  missed: amount("entrants that never brought the event"),
  name: text("registered name"),
  nb_children: amount("children that ended for the same reason"),
  newStatus: text("status after the change"),
  number: amount("height of the new tip"),
  oldNumber: amount("height of the old tip"),
  oldStatus: text("status before the change"),
  of: amount("providers that are asked for the same answer"),
  op: text("operation of code that outlived its process"),
  openMs: amount("time until the breaker lets a probe through, ms"),
  path: list("names of the processes, each waiting for the next"),
  peer: text("pid of the other side, or outside"),
  parts: amount("parts the call is asked for in"),
  pid: text("process id in our tree, e.g. #12"),
  policy: text("what a full mailbox does: reject, drop the oldest, drop the newest"),
  process: text("registered name of the process"),
  provider: text("configured id of the provider"),
  providers: list("configured ids of providers"),
  reason: text("why, in a few words; redacted"),
  reasons: list("how many endpoints each filter refused"),
  reopens: amount("times the breaker reopened without 60 s closed between"),
  requestId: text("id of the request, as in X-Paceline-Request-Id"),
  result: text("how it ended: ok or failed; of a reload or an upgrade: applied, ok or refused"),
  stack: text("where the error was thrown, or what the watchdog saw running"),
  state: text("the process's state as it shows it to operators; redacted"),
  strategy: text("selection strategy; of a supervisor: restart strategy"),
  subscription: text("id of the client subscription"),
  table: text("name of the table"),
  target: text("name or pid the message was for"),
  to: text("what it is now"),
  transport: text("http or ws"),
  ttlMs: amount("age at which a row is gone, ms"),
  turns: amount("messages handled in its life"),
  type: text("type of the message"),
  used: amount("units used in this period"),
  uptimeMs: amount("how long it lived, ms"),
  winner: text("provider whose event arrived first"),
  worker: text("worker thread of an isolated subtree, such as w1"),
} as const satisfies Readonly<Record<string, FieldSpec>>;

/** A field that an event may carry. */
export type EventField = keyof typeof EVENT_FIELDS;

/** How loud an event is; `debug` ones are logged only where a subsystem asks for them. */
export type EventLevel = "debug" | "info" | "warn" | "error";

/** One row of the table. */
export interface EventSpec {
  readonly level: EventLevel;
  /** The event is louder, or quieter, when a field says so. */
  readonly unless?: {
    readonly field: EventField;
    readonly equals: string | boolean;
    readonly level: EventLevel;
  };
  /** Fields that are always there. */
  readonly fields: readonly EventField[];
  /** Fields that are there when they are known. */
  readonly optional?: readonly EventField[];
  readonly meaning: string;
}

/** The table: every event that may be emitted anywhere. */
export const EVENTS = {
  // --- requests ---------------------------------------------------------------------------------
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
  // --- breakers ---------------------------------------------------------------------------------
  "circuit_breaker.open": {
    level: "warn",
    fields: ["chain", "provider", "transport", "oldStatus", "newStatus", "consecutiveFailures"],
    optional: ["category", "openMs", "reopens", "generation", "forced", "reason"],
    meaning: "The breaker opened: the endpoint gets no user's request until a probe succeeds.",
  },
  "circuit_breaker.half_open": {
    level: "info",
    fields: ["chain", "provider", "transport", "oldStatus", "newStatus"],
    optional: ["generation", "reopens", "reason"],
    meaning: "The recovery timeout is over; probes may test the endpoint.",
  },
  "circuit_breaker.close": {
    level: "info",
    fields: ["chain", "provider", "transport", "oldStatus", "newStatus"],
    optional: ["generation", "forced", "reason"],
    meaning: "Enough probes succeeded: the endpoint serves again.",
  },
  "circuit_breaker.probe": {
    level: "debug",
    fields: ["chain", "provider", "transport", "result"],
    optional: ["durationMs", "reason"],
    meaning: "A half-open breaker's probe ended.",
  },
  "circuit_breaker.lease_expired": {
    level: "warn",
    fields: ["chain", "provider", "transport"],
    optional: ["durationMs"],
    meaning: "A probe never settled; its permit was taken back and counted as a failure.",
  },
  "circuit_breaker.forced": {
    level: "warn",
    fields: ["chain", "provider", "transport", "to"],
    optional: ["from", "reason"],
    meaning: "An operator opened, closed or reset the breaker.",
  },
  // --- providers --------------------------------------------------------------------------------
  "provider.health_change": {
    level: "info",
    fields: ["chain", "provider", "oldStatus", "newStatus"],
    optional: ["transport", "reason", "consecutiveFailures", "lagBlocks"],
    meaning: "The status of a provider changed.",
  },
  "provider.cooldown.start": {
    level: "info",
    fields: ["chain", "provider", "transport", "cooldownMs"],
    optional: ["reason", "count"],
    meaning: "The provider limits our rate; it rests until the cooldown is over.",
  },
  "provider.cooldown.end": {
    level: "debug",
    fields: ["chain", "provider", "transport"],
    meaning: "The cooldown is over.",
  },
  "provider.capability_learned": {
    level: "info",
    fields: ["chain", "provider", "kind", "limit", "ttlMs"],
    optional: ["method"],
    meaning:
      "An answer showed what the provider cannot serve: a method, a block range (`range`), a number of `results` or `addresses`, `state` or `history` below a block. Such calls go elsewhere for a while.",
  },
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
  // --- filters ----------------------------------------------------------------------------------
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
  // --- transactions -----------------------------------------------------------------------------
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
  "provider.quarantined": {
    level: "error",
    fields: ["chain", "provider", "reason"],
    optional: ["transport"],
    meaning: "The provider serves another chain than configured and is refused until it does.",
  },
  "provider.misbehaviour": {
    level: "warn",
    fields: ["chain", "provider", "method", "kind", "reason"],
    meaning:
      "The provider was caught with a wrong answer: it contradicts the question or the chain (`answer`), others that agreed (`quorum`), or the read of which it got a copy (`shadow`).",
  },
  // --- agreement --------------------------------------------------------------------------------
  "quorum.agree": {
    level: "debug",
    fields: ["chain", "method", "requestId", "agree", "of", "providers"],
    meaning: "Enough providers gave the same answer.",
  },
  "quorum.dispute": {
    level: "warn",
    fields: ["chain", "method", "requestId", "agree", "of", "groups"],
    meaning: "Providers gave different answers to one read, whether or not enough agreed.",
  },
  // --- the race ---------------------------------------------------------------------------------
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
  // --- the head ---------------------------------------------------------------------------------
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
  // --- kept answers ------------------------------------------------------------------------------
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
  // --- client subscriptions ---------------------------------------------------------------------
  "subs.open": {
    level: "debug",
    fields: ["chain", "kind", "subscription"],
    optional: ["client", "clients"],
    meaning: "A client subscribed.",
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
  // --- upstream sockets -------------------------------------------------------------------------
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
    meaning: "The provider did not answer a ping in time; the others cover its stream.",
  },
  "websocket.orphan_event": {
    level: "debug",
    fields: ["chain", "provider"],
    optional: ["subscription", "count"],
    meaning: "An event of an upstream subscription that we do not hold arrived and was dropped.",
  },
  // --- configuration ----------------------------------------------------------------------------
  "config.reload.stop": {
    level: "info",
    fields: ["result", "durationMs"],
    optional: ["hash", "changes", "reason", "code", "file"],
    meaning: "The reload ended; when it failed, the old configuration goes on.",
  },
  // --- the runtime ------------------------------------------------------------------------------
  "otp.init": {
    level: "debug",
    fields: ["pid", "result"],
    meaning: "A process ended its init: ok, ignore, or an error.",
  },
  "otp.exit": {
    level: "debug",
    fields: ["pid", "reason", "uptimeMs", "turns"],
    meaning: "A process is gone.",
  },
  "otp.terminate": {
    level: "debug",
    fields: ["pid", "reason"],
    meaning: "A process runs its terminate handler.",
  },
  "otp.crash": {
    level: "error",
    // Killed is somebody's order, not a failure: a task that is replaced ends so all the time.
    unless: { field: "reason", equals: "killed", level: "debug" },
    fields: ["pid", "reason", "handler", "mailbox"],
    optional: ["stack", "state", "log"],
    meaning: "A process ended with an error; its supervisor decides what follows.",
  },
  "otp.report": {
    level: "debug",
    unless: { field: "context", equals: "shutdown", level: "error" },
    fields: ["pid", "context", "reason", "child"],
    optional: ["childPid", "nb_children"],
    meaning:
      "A supervisor reports about a child; context shutdown: its restart budget is used up and it ends.",
  },
  "otp.restart": {
    level: "warn",
    fields: ["pid", "child", "strategy", "reason", "inWindow", "intensity", "attempt", "delayMs"],
    meaning: "A supervisor starts a child again.",
  },
  "otp.children.full": {
    level: "warn",
    fields: ["pid", "limit"],
    meaning: "A dynamic supervisor holds as many children as it may and refused another.",
  },
  "otp.orphans": {
    level: "warn",
    fields: ["pid", "child", "count", "delayMs"],
    meaning:
      "A child supervisor was killed; its replacement waits until what ran under it is gone, killed after delayMs.",
  },
  "otp.start.timeout": {
    level: "error",
    fields: ["pid", "durationMs"],
    meaning: "An init took longer than it may; the process was killed.",
  },
  "otp.mailbox.high": {
    level: "warn",
    fields: ["pid", "length", "max", "policy"],
    meaning: "A mailbox is 80 % full.",
  },
  "otp.mailbox.dropped": {
    level: "warn",
    fields: ["pid", "count", "length", "policy"],
    meaning: "A mailbox is full; messages are refused or dropped.",
  },
  "otp.call.cycle": {
    level: "warn",
    fields: ["pid", "path", "type"],
    meaning: "Processes wait for each other's answers in a ring; told in dev mode only.",
  },
  "otp.turn.long": {
    level: "warn",
    unless: { field: "alarm", equals: true, level: "error" },
    fields: ["durationMs", "count"],
    optional: ["pid", "handler", "function", "stack", "alarm"],
    meaning:
      "The event loop was held for more than 50 ms; count 1: by this process alone, else it was the last of so many. With alarm the watchdog saw it last for more than 150 ms and wrote a line then; process (none) is code of nobody.",
  },
  "provider.quota_low": {
    level: "warn",
    fields: ["chain", "provider", "used", "limit"],
    meaning: "A provider's quota is used to 90 %; background traffic to it has stopped.",
  },
  "provider.quota_spent": {
    level: "warn",
    fields: ["chain", "provider", "used", "limit"],
    meaning: "A provider's quota is used up; calls go to others until its period ends.",
  },
  "provider.quota_renewed": {
    level: "info",
    fields: ["chain", "provider", "used", "limit"],
    meaning: "A provider's quota is there again: its period has ended, or its limit was raised.",
  },
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
  "redis.up": {
    level: "info",
    fields: ["from"],
    meaning: "Redis answers; from says whether it was connecting or had stalled.",
  },
  "redis.stalled": {
    level: "warn",
    fields: [],
    meaning: "Redis is connected but has stopped answering; nothing is sent until it does.",
  },
  "redis.down": {
    level: "warn",
    fields: ["from", "reason", "delayMs"],
    meaning: "The connection to Redis is lost or cannot be made; it is tried again after delayMs.",
  },
  "otp.sys": {
    level: "info",
    fields: ["pid", "command"],
    meaning:
      "An operator or a test ordered a process about: suspend, resume, replace_state, terminate.",
  },
  "otp.upgrade": {
    level: "info",
    unless: { field: "result", equals: "refused", level: "error" },
    fields: ["pid", "result"],
    optional: ["reason"],
    meaning: "A running process was given other code, or refused it and runs on as it was.",
  },
  "otp.reconcile": {
    level: "info",
    unless: { field: "result", equals: "failed", level: "error" },
    fields: ["pid", "result", "changes"],
    meaning: "A running supervisor was brought in line with new child specs.",
  },
  "otp.trace": {
    level: "debug",
    fields: ["pid", "direction", "kind", "type"],
    optional: ["bytes", "peer"],
    meaning: "A traced process took or sent a message.",
  },
  "otp.unknown": {
    level: "debug",
    fields: ["pid", "type"],
    meaning: "A process got a message that it does not handle.",
  },
  "otp.dead_letter": {
    level: "debug",
    fields: ["target", "type"],
    meaning: "A message was for nobody.",
  },
  "otp.zombie": {
    level: "debug",
    fields: ["process", "op"],
    meaning: "Code of a dead process tried to act; nothing happened.",
  },
  "otp.worker.up": {
    level: "info",
    fields: ["pid", "worker", "durationMs"],
    meaning: "An isolated subtree runs in its worker thread.",
  },
  "otp.worker.down": {
    level: "warn",
    fields: ["pid", "worker", "code", "reason"],
    meaning: "A worker thread has ended, and everything in it with it.",
  },
  "otp.worker.dropped": {
    level: "warn",
    fields: ["worker", "reason", "type", "count"],
    meaning:
      "Messages to or from a worker thread were dropped: they do not clone, or too many wait in the port.",
  },
  "otp.postponed.full": {
    level: "warn",
    fields: ["pid", "type", "limit"],
    meaning: "A machine holds as many postponed events as it may; those that come now are dropped.",
  },
  "otp.scope.resumed": {
    level: "warn",
    fields: ["pid", "op", "stack"],
    meaning:
      "Code of a dead process was resumed and did something, told once a process; in dev mode only.",
  },
  "otp.table.evicted": {
    level: "debug",
    fields: ["table"],
    optional: ["maxRows", "ttlMs"],
    meaning: "A row left its table: the oldest of a full one (maxRows), or one too old (ttlMs).",
  },
  "otp.table.follower_failed": {
    level: "error",
    fields: ["table", "error"],
    meaning: "A follower of a table threw and follows no more.",
  },
  "otp.registry.listener_failed": {
    level: "error",
    fields: ["name", "error"],
    meaning: "A listener of the registry threw at the change of a name.",
  },
  "telemetry.handler.failure": {
    level: "error",
    fields: ["handler", "event", "error"],
    meaning: "A telemetry handler threw and was detached.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;

/** The name of an event in the table. */
export type EventName = keyof typeof EVENTS;

/** The row of an event, or undefined for a name that is not in the table. */
export const eventSpec = (name: string): EventSpec | undefined =>
  Object.hasOwn(EVENTS, name) ? EVENTS[name as EventName] : undefined;

/** A task's failure is an answer to its owner, which decides whether it matters. */
export const isTask = (process: string | undefined): boolean =>
  process?.includes("/task/") === true;

/** How loud this very event is; one that is not in the table is a whisper. */
export function eventLevel(
  name: string,
  fields: Readonly<Record<string, unknown>>,
  process?: string,
): EventLevel {
  const spec = eventSpec(name);
  if (name === "otp.crash" && isTask(process)) return "debug";
  if (spec?.unless !== undefined && fields[spec.unless.field] === spec.unless.equals) {
    return spec.unless.level;
  }
  return spec?.level ?? "debug";
}
