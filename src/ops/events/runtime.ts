/** Events of the runtime (`src/otp`). */
import type { EventSpec } from "./spec.ts";

/** Processes: their lives, supervisors, mailboxes and turns. */
export const processEvents = {
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
} as const satisfies Readonly<Record<string, EventSpec>>;

/** What is done to processes, and what the system around them meets. */
export const systemEvents = {
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
} as const satisfies Readonly<Record<string, EventSpec>>;
