/** Metrics of the runtime (`src/otp`). */
import { row, type MetricDef } from "./family.ts";

/** Processes, restarts and mailboxes. */
export const runtimeFamilies: readonly MetricDef[] = [
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
];
