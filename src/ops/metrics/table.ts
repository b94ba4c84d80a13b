/**
 * Every metric of the product in one table; docs/metrics.md is generated from it.
 *
 * Names are `paceline_<domain>_<thing>_<unit>[_total]` in base units. Labels are bounded twice: a
 * closed label has a list of values, and every family has a cap of series. What is beyond goes to
 * `_OTHER` and is counted, so that no client and no provider can grow the page.
 */

/** Value of a label that did not fit. */
export const OTHER = "_OTHER";

/** Sample lines allowed in one family and in all of them together. */
export const MAX_LINES_PER_FAMILY = 2_000;
export const MAX_LINES = 20_000;

const TRANSPORTS = ["http", "ws"];

/** Labels and what they may hold; a label without values is open and bounded by the family's cap. */
export const METRIC_LABELS: Readonly<
  Record<string, { readonly values?: readonly string[]; readonly meaning: string }>
> = {
  by: { values: ["range", "address", "topic"], meaning: "what was cut" },
  chain: { meaning: "configured name of the chain" },
  code: { meaning: "WebSocket close code" },
  direction: { values: ["user", "system"], meaning: "where CPU time went" },
  filter: { meaning: "selection filter" },
  hedge: { values: ["fired", "won", "denied"], meaning: "what became of a hedge" },
  hash: { meaning: "short hash of the running configuration" },
  key: { meaning: "id of the API key, or anonymous" },
  kind: { meaning: "kind of the thing counted: stream, garbage collection, memory" },
  method: { meaning: "JSON-RPC method, 64 per provider" },
  method_class: {
    values: ["head", "state", "block", "logs", "trace", "write", "subscribe", "other"],
    meaning: "family of JSON-RPC methods",
  },
  metric: { meaning: "name of a metric family" },
  op: { meaning: "what code of a dead process tried" },
  outcome: { values: ["ok", "error", "gone", "failed", "neutral"], meaning: "how it ended" },
  process: { meaning: "base name of the process, e.g. rpc/ws-connection" },
  provider: { meaning: "configured id of the provider" },
  quantile: { values: ["0.5", "0.95", "0.99", "1"], meaning: "quantile, 0..1" },
  reason: { meaning: "reason code" },
  region: { meaning: "region of this instance" },
  result: { meaning: "how it ended" },
  status: { meaning: "status after the change" },
  threshold: { values: ["2s", "4s"], meaning: "how slow" },
  to: { values: ["closed", "open", "half_open"], meaning: "breaker state after the change" },
  transport: { values: TRANSPORTS, meaning: "http or ws" },
  version: { meaning: "version of Paceline" },
};

/** One row of the table. */
export interface MetricDef {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
  /** Most series of the family; further label sets go to `_OTHER`. Default: see `maxSeriesOf`. */
  readonly maxSeries?: number;
  /** Upper bounds of a histogram, in the unit of the name. */
  readonly buckets?: readonly number[];
  /** `event`: counted as telemetry arrives; `sample`: copied from live cells at scrape time. */
  readonly from: "event" | "sample";
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

const row = (
  from: MetricDef["from"],
  type: MetricDef["type"],
  name: string,
  labels: readonly string[],
  help: string,
  more: Pick<MetricDef, "maxSeries" | "buckets"> = {},
): MetricDef => ({ name: `paceline_${name}`, type, help, labels, from, ...more });

const ENDPOINT = ["chain", "provider", "transport"];
const PROVIDER = ["chain", "provider"];

/** The table. */
export const METRICS: readonly MetricDef[] = [
  // requests and attempts
  row(
    "sample",
    "counter",
    "rpc_requests_total",
    ["chain", "transport", "outcome"],
    "Requests of clients, by how they ended (ok, error, gone).",
    { maxSeries: 400 },
  ),
  row(
    "sample",
    "counter",
    "rpc_request_errors_total",
    ["chain", "reason"],
    "Requests answered with an error, by our token or the class of the relayed error.",
    { maxSeries: 400 },
  ),
  row(
    "sample",
    "histogram",
    "rpc_request_duration_seconds",
    ["chain", "method_class"],
    "Time from the request's last byte to the answer's first, by method class.",
    { buckets: SECONDS, maxSeries: 120 },
  ),
  row(
    "sample",
    "counter",
    "rpc_attempts_total",
    [...ENDPOINT, "result"],
    "Attempts at providers, by class of the answer.",
    { maxSeries: 1_200 },
  ),
  row(
    "sample",
    "histogram",
    "rpc_attempt_duration_seconds",
    ENDPOINT,
    "Duration of attempts: the provider's latency as users feel it.",
    { buckets: SECONDS, maxSeries: 120 },
  ),
  row(
    "sample",
    "counter",
    "rpc_method_attempts_total",
    ["chain", "provider", "method", "outcome"],
    "Attempts by method: ok (any usable answer), failed (counts against the provider), neutral.",
    { maxSeries: 1_200 },
  ),
  row(
    "event",
    "counter",
    "rpc_slow_requests_total",
    ["chain", "threshold"],
    "Requests that took longer than the threshold.",
  ),
  row(
    "event",
    "counter",
    "rpc_admission_rejected_total",
    ["chain", "reason"],
    "Requests refused before any attempt.",
  ),
  row(
    "event",
    "counter",
    "rpc_selection_failures_total",
    ["chain"],
    "Requests for which no endpoint could be chosen.",
  ),
  row(
    "event",
    "counter",
    "rpc_selection_relaxed_total",
    ["chain", "filter"],
    "Times a health filter was set aside because nobody passed it.",
  ),
  row(
    "event",
    "counter",
    "rpc_selection_switches_total",
    ["chain"],
    "Changes of the leading provider.",
  ),
  row(
    "event",
    "counter",
    "rpc_failovers_total",
    ["chain", "provider", "reason"],
    "Attempts that failed and went on to another provider.",
    { maxSeries: 400 },
  ),
  row(
    "event",
    "counter",
    "getlogs_planned_total",
    ["chain"],
    "Ranges of logs that were asked for in parts.",
  ),
  row(
    "event",
    "counter",
    "getlogs_splits_total",
    ["chain", "provider", "by"],
    "Parts of ranges of logs that a provider refused as too much, by what was cut.",
    { maxSeries: 600 },
  ),
  row(
    "event",
    "counter",
    "getlogs_limits_learned_total",
    ["chain", "provider"],
    "Refusals that showed how many blocks of logs a provider serves at once.",
  ),
  row(
    "event",
    "counter",
    "rpc_hedges_total",
    ["chain", "hedge"],
    "Slow requests that were sent to a second provider, won by it, or denied it for want of budget.",
  ),
  row(
    "event",
    "counter",
    "rpc_failover_exhausted_total",
    ["chain"],
    "Requests of which every attempt failed.",
  ),
  row(
    "event",
    "counter",
    "rpc_panic_total",
    ["chain"],
    "Requests let through while all breakers of the chain were open.",
  ),
  row(
    "event",
    "counter",
    "write_broadcasts_total",
    ["chain", "result"],
    "Transactions that were sent, by what came of it.",
  ),
  row(
    "event",
    "counter",
    "write_known_total",
    ["chain"],
    "Copies of transactions that a provider had already.",
  ),
  // endpoints
  row(
    "sample",
    "gauge",
    "circuit_breaker_state",
    ENDPOINT,
    "State of the breaker: 0 closed, 1 half-open, 2 open.",
  ),
  row(
    "event",
    "counter",
    "circuit_breaker_transitions_total",
    [...ENDPOINT, "to"],
    "Changes of breaker state.",
    { maxSeries: 400 },
  ),
  row(
    "event",
    "counter",
    "circuit_breaker_probes_total",
    [...ENDPOINT, "result"],
    "Probes of half-open breakers.",
    { maxSeries: 400 },
  ),
  row(
    "event",
    "counter",
    "circuit_breaker_leases_expired_total",
    ENDPOINT,
    "Probes that never settled.",
  ),
  row(
    "event",
    "gauge",
    "circuit_breaker_consecutive_failures",
    ENDPOINT,
    "Counted failures in a row when the breaker last opened; 0 since it closed.",
  ),
  row(
    "sample",
    "gauge",
    "endpoint_usable",
    ENDPOINT,
    "1 when the endpoint may serve users now, else 0.",
  ),
  row("sample", "gauge", "endpoint_in_flight", ENDPOINT, "Attempts waiting for an answer."),
  row("sample", "counter", "endpoint_completed_total", ENDPOINT, "Attempts that ended in any way."),
  row("sample", "gauge", "provider_head_block", PROVIDER, "Last head the provider reported."),
  row("sample", "gauge", "provider_lag_blocks", PROVIDER, "Blocks behind the served tip."),
  row(
    "sample",
    "gauge",
    "provider_latency_seconds",
    [...PROVIDER, "quantile"],
    "Latency of successful calls over the last 5 minutes.",
    { maxSeries: 400 },
  ),
  row(
    "sample",
    "gauge",
    "provider_failure_ratio",
    PROVIDER,
    "Failed and timed out calls over all judged ones, decayed, 0..1.",
  ),
  row("sample", "gauge", "provider_score_ratio", PROVIDER, "Score in the leaderboard, 0..1."),
  row("sample", "gauge", "provider_race_win_ratio", PROVIDER, "Races won over races run, 0..1."),
  row(
    "sample",
    "gauge",
    "provider_race_miss_ratio",
    PROVIDER,
    "Races in which the event never came, 0..1.",
  ),
  row(
    "sample",
    "gauge",
    "provider_race_margin_seconds",
    PROVIDER,
    "Average time behind the winner in lost races.",
  ),
  row(
    "event",
    "counter",
    "provider_status_changes_total",
    [...PROVIDER, "status"],
    "Changes of provider status.",
    { maxSeries: 400 },
  ),
  row("event", "counter", "provider_cooldowns_total", ENDPOINT, "Rests after a rate limit."),
  row(
    "event",
    "counter",
    "provider_quarantined_total",
    PROVIDER,
    "Times the provider served a wrong chain.",
  ),
  row(
    "event",
    "counter",
    "provider_misbehaviour_total",
    [...PROVIDER, "kind"],
    "Wrong answers that the provider was caught with, by how: answer, quorum, shadow.",
  ),
  row(
    "sample",
    "gauge",
    "provider_misbehaviour",
    PROVIDER,
    "Wrong answers that still count against the provider, halved every half_life.",
  ),
  row(
    "event",
    "counter",
    "quorum_agreements_total",
    ["chain"],
    "Reads that enough providers agreed on.",
  ),
  row(
    "event",
    "counter",
    "quorum_disputes_total",
    ["chain"],
    "Reads that providers answered differently.",
  ),
  row("sample", "gauge", "chain_tip_block", ["chain"], "Height of the served tip."),
  row("sample", "gauge", "chain_tip_age_seconds", ["chain"], "Time since the tip last moved."),
  row(
    "sample",
    "gauge",
    "chain_usable_providers",
    ["chain"],
    "Providers that may serve users now.",
  ),
  row("sample", "gauge", "chain_providers", ["chain"], "Providers configured and running."),
  row("sample", "gauge", "chain_down", ["chain"], "1 when nobody can serve the chain, else 0."),
  row("event", "counter", "head_reorgs_total", ["chain"], "Reorganisations seen."),
  row("event", "counter", "head_rollbacks_total", ["chain"], "Times the served tip went back."),
  row(
    "event",
    "counter",
    "head_stale_total",
    ["chain"],
    "Times no head came for three block times.",
  ),
  row("event", "counter", "head_velocity_drops_total", PROVIDER, "Impossible heads left out."),
  // the race
  row(
    "sample",
    "counter",
    "aggregation_messages_total",
    ["chain", "kind"],
    "Events received from providers.",
  ),
  row(
    "sample",
    "counter",
    "aggregation_duplicates_total",
    ["chain", "kind"],
    "Events that another provider had brought first.",
  ),
  row("sample", "counter", "aggregation_races_settled_total", ["chain"], "Races that ended."),
  row(
    "sample",
    "counter",
    "aggregation_missed_total",
    ["chain"],
    "Entrants that never brought a raced event.",
  ),
  row(
    "sample",
    "counter",
    "aggregation_processing_seconds_total",
    ["chain"],
    "Time spent on keys, duplicates and races.",
  ),
  row("sample", "counter", "cache_hits_total", ["chain", "kind"], "Look-ups that found the key."),
  row("sample", "counter", "cache_misses_total", ["chain", "kind"], "Look-ups that did not."),
  row(
    "sample",
    "counter",
    "cache_evictions_total",
    ["chain", "kind"],
    "Entries put out when full.",
  ),
  row("sample", "gauge", "cache_entries", ["chain", "kind"], "Entries held."),
  row("sample", "gauge", "cache_limit_entries", ["chain", "kind"], "Entries allowed."),
  // answers that are kept and shared
  row(
    "sample",
    "counter",
    "answers_found_total",
    ["chain", "result"],
    "Look-ups of calls whose answers may be kept: hit or miss.",
  ),
  row(
    "sample",
    "counter",
    "answers_coalesced_total",
    ["chain"],
    "Calls that shared the attempt of an equal one.",
  ),
  row("sample", "counter", "answers_kept_total", ["chain"], "Answers that were kept."),
  row(
    "sample",
    "counter",
    "answers_removed_total",
    ["chain", "reason"],
    "Answers that left: full, expired, reorg, replaced by newer ones, stale when looked up.",
    { maxSeries: 400 },
  ),
  row("sample", "gauge", "answers_entries", ["chain"], "Answers held."),
  row("sample", "gauge", "answers_bytes", ["chain"], "Bytes that the answers take."),
  row(
    "sample",
    "gauge",
    "answers_limit_bytes",
    [],
    "Bytes that the answers of all chains may take.",
  ),
  row(
    "event",
    "counter",
    "aggregation_uncorroborated_total",
    PROVIDER,
    "Events that nobody else brought.",
  ),
  // clients and streams
  row("sample", "gauge", "rpc_filters_open", ["kind"], "Stateful filters of clients, by kind.", {
    maxSeries: 8,
  }),
  row("sample", "gauge", "clients", ["kind"], "Connected clients, by kind of connection."),
  row("sample", "gauge", "subs_active", ["chain", "kind"], "Client subscriptions."),
  row("sample", "counter", "subs_delivered_total", ["chain", "kind"], "Events sent to clients."),
  row(
    "event",
    "counter",
    "subs_failovers_total",
    ["chain", "kind"],
    "Times a stream lost a source and went on.",
  ),
  row("event", "counter", "subs_backfills_total", ["chain"], "Holes filled."),
  row(
    "event",
    "counter",
    "subs_backfilled_blocks_total",
    ["chain"],
    "Blocks fetched to fill holes.",
  ),
  row(
    "event",
    "counter",
    "subs_retractions_total",
    ["chain"],
    "Reorganisations told to log clients.",
  ),
  row("event", "counter", "subs_slow_consumers_total", ["chain"], "Clients that read too slowly."),
  row(
    "event",
    "counter",
    "subs_degraded_total",
    ["chain"],
    "Streams that could not go on at once.",
  ),
  row("event", "counter", "websocket_connects_total", PROVIDER, "WebSockets to providers opened."),
  row(
    "event",
    "counter",
    "websocket_disconnects_total",
    [...PROVIDER, "code"],
    "WebSockets to providers lost, by close code.",
    { maxSeries: 400 },
  ),
  row(
    "event",
    "counter",
    "websocket_reconnects_total",
    PROVIDER,
    "Reconnection attempts scheduled.",
  ),
  row("event", "counter", "websocket_suspects_total", PROVIDER, "Pings not answered in time."),
  row("event", "gauge", "websocket_connected", PROVIDER, "1 while the WebSocket is up, else 0."),
  // configuration
  row("event", "counter", "config_reloads_total", ["result"], "Reloads by result."),
  row("event", "gauge", "config_reload_success", [], "1 when the last reload worked, else 0."),
  row(
    "sample",
    "gauge",
    "config_info",
    ["hash"],
    "Always 1; the label is the running configuration.",
  ),
  // the runtime
  row(
    "event",
    "counter",
    "otp_crashes_total",
    ["process"],
    "Processes that ended with an error of their own.",
  ),
  row("event", "counter", "otp_restarts_total", ["process"], "Processes started again."),
  row(
    "event",
    "counter",
    "otp_supervisors_gave_up_total",
    [],
    "Supervisors that used up their restart budget.",
  ),
  row(
    "event",
    "counter",
    "otp_mailbox_drops_total",
    ["process"],
    "Reports of a full mailbox, at most one a second each.",
  ),
  row(
    "event",
    "counter",
    "otp_long_turns_total",
    ["process"],
    "Blocks of the event loop of more than 50 ms.",
  ),
  row(
    "event",
    "counter",
    "otp_loop_alarms_total",
    [],
    "Blocks of the event loop that the watchdog saw last for more than 150 ms.",
  ),
  row(
    "event",
    "counter",
    "otp_zombie_operations_total",
    ["op"],
    "Operations of code that outlived its process; dropped.",
  ),
  row("sample", "gauge", "otp_processes", ["kind"], "Living processes: supervisors and workers."),
  row("sample", "gauge", "otp_mailbox_messages", [], "Messages waiting in all mailboxes."),
  row(
    "sample",
    "gauge",
    "otp_mailbox_max_messages",
    [],
    "Messages waiting in the longest mailbox.",
  ),
  // the host process
  row("sample", "gauge", "info", ["version", "region"], "Always 1; which program this is."),
  row("sample", "gauge", "host_uptime_seconds", [], "Time since the start."),
  row("sample", "counter", "host_cpu_seconds_total", ["direction"], "CPU time used."),
  row(
    "sample",
    "gauge",
    "host_memory_bytes",
    ["kind"],
    "Memory: rss, heap_used, heap_total, heap_limit, external.",
  ),
  row(
    "sample",
    "gauge",
    "host_event_loop_lag_seconds",
    ["quantile"],
    "How late the event loop was in the last 15 s.",
  ),
  row(
    "sample",
    "gauge",
    "host_event_loop_utilization_ratio",
    [],
    "Share of the last 15 s in which the event loop was busy, 0..1.",
  ),
  row("sample", "counter", "host_gc_seconds_total", ["kind"], "Time spent collecting garbage."),
  row("sample", "counter", "host_gc_runs_total", ["kind"], "Garbage collections."),
  row("sample", "gauge", "host_open_fds", [], "Open file descriptors; counted every 15 s."),
  // the watchers themselves
  row("event", "counter", "telemetry_handler_failures_total", [], "Telemetry handlers that threw."),
  row(
    "sample",
    "counter",
    "client_calls_total",
    ["key"],
    "Calls served to the holder of an API key.",
    {
      maxSeries: 200,
    },
  ),
  row("sample", "counter", "client_units_total", ["key"], "Cost units of those calls.", {
    maxSeries: 200,
  }),
  row(
    "sample",
    "counter",
    "client_refused_total",
    ["key", "reason"],
    "Calls that were refused for the rate, the quota, too many at once or the rights of an API key.",
    { maxSeries: 400 },
  ),
  row(
    "sample",
    "gauge",
    "provider_quota_used_ratio",
    PROVIDER,
    "Share of a provider's quota that is used, 0..1.",
    { maxSeries: 100 },
  ),
  row("sample", "gauge", "redis_up", [], "1 while the configured Redis answers."),
  row(
    "sample",
    "counter",
    "redis_commands_total",
    ["result"],
    "Commands for Redis: ok, failed (an error of the server, or the connection lost), timeout, refused (not sent).",
    { maxSeries: 8 },
  ),
  row(
    "sample",
    "counter",
    "log_lines_suppressed_total",
    [],
    "Log lines left out because equal ones came more than 10 times a second.",
  ),
  row(
    "event",
    "counter",
    "metrics_series_dropped_total",
    ["metric"],
    "Label sets that went to _OTHER because the family was full.",
  ),
  row(
    "sample",
    "gauge",
    "metrics_render_seconds",
    [],
    "Time the last rendering of this page took.",
  ),
  row(
    "sample",
    "gauge",
    "alerts_active",
    ["kind"],
    "Conditions that need the operator, by severity.",
  ),
];

/** Most series of a family: its own cap, or room for 400 endpoints, 200 providers, 64 of others. */
export const maxSeriesOf = (def: MetricDef): number => {
  if (def.maxSeries !== undefined) return def.maxSeries;
  if (def.labels.length === 0) return 1;
  if (def.labels.includes("transport") && def.labels.includes("provider")) return 400;
  if (def.labels.includes("provider")) return 150;
  return 64;
};

/** Sample lines of one series: a histogram has its buckets, +Inf, sum and count. */
export const linesPerSeries = (def: MetricDef): number =>
  def.type === "histogram" ? (def.buckets?.length ?? 0) + 3 : 1;

/** Series kept free for `_OTHER`: one for each combination of the closed labels. */
export const reservedSeriesOf = (def: MetricDef): number =>
  def.labels.every((label) => METRIC_LABELS[label]?.values !== undefined)
    ? 0
    : def.labels.reduce(
        (product, label) => product * ((METRIC_LABELS[label]?.values?.length ?? 0) + 1),
        1,
      );
