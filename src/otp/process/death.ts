/**
 * How a process ends: names go first, then everybody who is owed a signal gets one queued.
 */
import { itemsOf, withoutItem } from "../../lib/few.ts";
import { isCleanReason, reasonText, type Reason } from "../reason.ts";
import { formatted } from "../sys/status.ts";
import { dropDebug } from "../sys/taps.ts";
import { takeStarter, unlinkFromParent } from "./birth.ts";
import type { Kernel } from "./kernel.ts";
import { notStarted, type Process } from "./process.ts";
import type { MonitorRecord } from "./signals.ts";

/** Ends a process now; nothing when it is dead already. */
export function endProcess(kernel: Kernel, process: Process, reason: Reason): void {
  if (!process.alive) return;
  const wasStarting = process.status === "starting";
  if (wasStarting) unlinkFromParent(process);
  process.alive = false;
  process.status = "dead";
  process.exitReason = reason;
  kernel.unblock(process);
  kernel.counters.exited += 1;
  if (process.extras !== undefined) kernel.registry.release(process);
  kernel.processes.delete(process.id);
  kernel.callGraph?.forget(process);
  releaseExtras(kernel, process);
  if (kernel.telemetry.hears("otp.exit")) {
    const { pid, turns } = process;
    const uptimeMs = Math.max(0, kernel.recentMs() - process.startedAtMs);
    kernel.telemetry.emit("otp.exit", { pid, reason, uptimeMs, turns }, process.label);
  }
  if (!isCleanReason(reason)) reportCrash(kernel, process, reason, wasStarting);
  if (process.extras?.debug !== undefined) dropDebug(process);
  process.behaviour.ended?.();
  while (process.calls !== undefined) process.calls.fail(reason);
  signalDeath(kernel, process, reason);
  const told = takeStarter(kernel, process);
  process.mailbox.clear();
  process.state = undefined;
  process.ctx = undefined;
  process.resource = undefined;
  process.links = undefined;
  told?.(notStarted(reason));
}

/** Takes a monitor from the process it watches. */
export function forgetWatcher(record: MonitorRecord): void {
  const { watched } = record;
  if (watched === undefined) return;
  watched.watchers = withoutItem(watched.watchers, record);
  watched.kernel.foreign?.dropsMonitor(record);
}

function releaseExtras(kernel: Kernel, process: Process): void {
  const { extras } = process;
  if (extras === undefined) return;
  if (extras.topics !== undefined) kernel.pubsub.release(process);
  if (extras.groups !== undefined) kernel.groups.release(process);
  if (extras.idleTimer !== undefined) kernel.wheel.cancel(extras.idleTimer);
  if (extras.resumption !== undefined) kernel.wheel.cancel(extras.resumption);
  for (const timer of extras.timers?.values() ?? []) kernel.wheel.cancel(timer);
  for (const timer of extras.sleeps ?? []) kernel.wheel.cancel(timer);
  for (const task of extras.tasks?.values() ?? []) task.cancel();
  for (const table of extras.tables ?? []) table.ownerDied();
  extras.timers = undefined;
  extras.sleeps = undefined;
  extras.tasks = undefined;
  extras.abort?.abort();
}

function signalDeath(kernel: Kernel, process: Process, reason: Reason): void {
  const { links, watchers, extras } = process;
  if (links !== undefined) {
    for (const linked of itemsOf(links)) kernel.signals.linkExit(process, linked, reason);
  }
  if (watchers !== undefined) {
    for (const record of itemsOf(watchers)) kernel.signals.down(record, reason);
    process.watchers = undefined;
  }
  if (extras === undefined) return;
  for (const record of itemsOf(extras.watching)) {
    record.active = false;
    forgetWatcher(record);
  }
  extras.watching = undefined;
}

function reportCrash(kernel: Kernel, process: Process, reason: Reason, wasStarting: boolean): void {
  if (!kernel.telemetry.hears("otp.crash")) return;
  const stack = typeof reason === "object" && "error" in reason ? reason.error.stack : undefined;
  const log = process.extras?.debug?.logRows;
  kernel.event("otp.crash", process, {
    reason: reasonText(reason),
    stack,
    handler: process.handler,
    mailbox: process.mailbox.size,
    state: wasStarting ? undefined : formatted(process),
    ...(log === undefined || log.length === 0 ? {} : { log }),
  });
}
