/** Metrics of this host: its configuration, its resources, those who watch it. */
import { row, type MetricDef } from "./family.ts";

/** The configuration. */
export const configFamilies: readonly MetricDef[] = [
  row("event", "counter", "config_reloads_total", ["result"], "Reloads by result."),
  row("event", "gauge", "config_reload_success", [], "1 when the last reload worked, else 0."),
  row(
    "sample",
    "gauge",
    "config_info",
    ["hash"],
    "Always 1; the label is the running configuration.",
  ),
];

/** The host process. */
export const hostFamilies: readonly MetricDef[] = [
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
  row("event", "counter", "telemetry_handler_failures_total", [], "Telemetry handlers that threw."),
];

/** Redis, the log, the metrics themselves, alerts. */
export const watcherFamilies: readonly MetricDef[] = [
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
