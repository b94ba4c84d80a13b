/**
 * How a process ends: names go first, then everybody who is owed a signal gets one queued.
 */
import { isCleanReason, reasonText, type Reason } from "../reason.ts";
import type { Kernel } from "./kernel.ts";
import type { Process } from "./process.ts";

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
  kernel.registry.release(process);
  kernel.processes.delete(process.id);
  kernel.callGraph?.forget(process);
  releaseExtras(kernel, process);
  kernel.event("otp.exit", process, {
    reason,
    uptimeMs: kernel.now() - process.startedAtMs,
    turns: process.turns,
  });
  if (!isCleanReason(reason)) reportCrash(kernel, process, reason, wasStarting);
  process.behaviour.ended?.();
  while (process.calls !== undefined) process.calls.fail(reason);
  signalDeath(kernel, process, reason);
  const told = kernel.takeStarter(process);
  process.mailbox.clear();
  process.state = undefined;
  process.ctx = undefined;
  process.resource = undefined;
  process.links = undefined;
  told?.({ ok: false, ignored: false, reason });
}

/** A start that fails is told by its outcome, not by an exit signal. */
export function unlinkFromParent(process: Process): void {
  const { parent } = process;
  if (parent === undefined) return;
  process.dropLink(parent);
  parent.dropLink(process);
}

function releaseExtras(kernel: Kernel, process: Process): void {
  const { extras } = process;
  if (extras === undefined) return;
  if (extras.topics !== undefined) kernel.pubsub.release(process);
  if (extras.idleTimer !== undefined) kernel.wheel.cancel(extras.idleTimer);
  for (const timer of extras.timers?.values() ?? []) kernel.wheel.cancel(timer);
  for (const timer of extras.sleeps ?? []) kernel.wheel.cancel(timer);
  for (const task of extras.tasks?.values() ?? []) kernel.signals.exit(process, task, "kill");
  for (const table of extras.tables ?? []) table.ownerDied();
  extras.timers = undefined;
  extras.sleeps = undefined;
  extras.tasks = undefined;
  extras.abort?.abort();
}

function signalDeath(kernel: Kernel, process: Process, reason: Reason): void {
  for (const linked of process.linked()) kernel.signals.linkExit(process, linked, reason);
  const { extras } = process;
  if (extras === undefined) return;
  for (const record of extras.watchers ?? []) kernel.signals.down(record, reason);
  for (const record of extras.watching ?? []) {
    record.active = false;
    record.watched?.extras?.watchers?.delete(record);
  }
  extras.watchers = undefined;
  extras.watching = undefined;
}

function reportCrash(kernel: Kernel, process: Process, reason: Reason, wasStarting: boolean): void {
  if (!kernel.telemetry.hears("otp.crash")) return;
  const stack = typeof reason === "object" && "error" in reason ? reason.error.stack : undefined;
  kernel.event("otp.crash", process, {
    reason: reasonText(reason),
    stack,
    handler: process.handler,
    mailbox: process.mailbox.size,
    state: wasStarting ? undefined : safeFormat(process),
  });
}

function safeFormat(process: Process): unknown {
  try {
    return process.behaviour.format(process);
  } catch {
    return "(formatState failed)";
  }
}
