/** Metrics of what providers push and clients follow. */
import { PROVIDER, row, type MetricDef } from "./family.ts";

/** The race of providers. */
export const raceFamilies: readonly MetricDef[] = [
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
];

/** Events, filters, subscriptions and sockets. */
export const streamFamilies: readonly MetricDef[] = [
  row(
    "event",
    "counter",
    "aggregation_uncorroborated_total",
    PROVIDER,
    "Events that nobody else brought.",
  ),
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
];
