/** The host process, its actors, its Redis and what it tells operators. */
import { one, type Samplers } from "./sampler.ts";

/** By name without `paceline_`. */
export const hostSamplers: Samplers = {
  config_info: ({ configHash }, put) => put([configHash()], 1),
  otp_processes: ({ processes }, put) => {
    const { supervisors, workers } = processes();
    put(["supervisor"], supervisors);
    put(["worker"], workers);
  },
  otp_mailbox_messages: one(({ processes }) => processes().mailboxMessages),
  otp_mailbox_max_messages: one(({ processes }) => processes().mailboxMaxMessages),
  info: ({ version, region }, put) => put([version, region], 1),
  host_uptime_seconds: one(({ host }) => host().uptimeMs / 1_000),
  host_cpu_seconds_total: ({ host }, put) => {
    const { cpuUserMs, cpuSystemMs } = host();
    put(["user"], cpuUserMs / 1_000);
    put(["system"], cpuSystemMs / 1_000);
  },
  host_memory_bytes: ({ host }, put) => {
    const view = host();
    put(["rss"], view.rssBytes);
    put(["heap_used"], view.heapUsedBytes);
    put(["heap_total"], view.heapTotalBytes);
    put(["heap_limit"], view.heapLimitBytes);
    put(["external"], view.externalBytes);
  },
  host_event_loop_lag_seconds: ({ host }, put) => {
    const { loopLagP50Ms, loopLagP99Ms, loopLagMaxMs } = host();
    put(["0.5"], loopLagP50Ms / 1_000);
    put(["0.99"], loopLagP99Ms / 1_000);
    put(["1"], loopLagMaxMs / 1_000);
  },
  host_event_loop_utilization_ratio: one(({ host }) => host().loopUtilization),
  host_gc_seconds_total: ({ host }, put) => {
    for (const { kind, durationMs } of host().gc) put([kind], durationMs / 1_000);
  },
  host_gc_runs_total: ({ host }, put) => {
    for (const { kind, count } of host().gc) put([kind], count);
  },
  host_open_fds: ({ host }, put) => {
    const { openFds } = host();
    if (openFds >= 0) put([], openFds);
  },
  redis_up: ({ redis }, put) => {
    const view = redis();
    if (view !== undefined) put([], Number(view.isUp));
  },
  redis_commands_total: ({ redis }, put) => {
    for (const [result, count] of Object.entries(redis()?.counters ?? {})) put([result], count);
  },
  log_lines_suppressed_total: one(({ suppressedLogLines }) => suppressedLogLines()),
  alerts_active: ({ alerts }, put) => {
    const active = alerts();
    for (const severity of ["warning", "critical"] as const) {
      put([severity], active.filter((alert) => alert.severity === severity).length);
    }
  },
};
