/**
 * Answers system messages: between turns, in mailbox order, for every process.
 *
 * A suspended process receives only these and its parent's exit; everything else queues.
 */
import type { PendingCall } from "../process/calls.ts";
import { CastType, type Envelope, Kind } from "../process/message.ts";
import type { Process } from "../process/process.ts";
import { reasonOfThrown } from "../reason.ts";
import { type DebugCommand, placeSys, type SysCommand } from "./commands.ts";
import { LOG_SIZE } from "./debug.ts";
import { statusOf } from "./status.ts";
import { debugOf, settleDebug } from "./taps.ts";

/** Answers one system message. */
export function runSys(process: Process, envelope: Envelope): void {
  const from = envelope.origin as PendingCall;
  const command = envelope.arg as SysCommand;
  switch (command.op) {
    case "suspend":
      suspend(process, true);
      resumeLater(process, command.forMs);
      tell(process, command.op);
      answer(process, from, undefined);
      return;
    case "resume":
      suspend(process, false);
      tell(process, command.op);
      answer(process, from, undefined);
      return;
    case "get_state":
      answer(process, from, process.state);
      return;
    case "get_status":
      answer(process, from, statusOf(process));
      return;
    case "replace_state":
      replaceState(process, from, command.replace);
      return;
    case "terminate":
      tell(process, command.op);
      answer(process, from, undefined);
      if (process.behaviour.terminate === undefined) process.kernel.finish(process, command.reason);
      else process.behaviour.terminate(process, command.reason);
      return;
    case "change_code":
      changeCode(process, from, command.next);
      return;
    default:
      runDebug(process, from, command);
  }
}

/** Next message of a process that is suspended or debugged. */
export function takeDetoured(process: Process): Envelope | undefined {
  const extras = process.more();
  const envelope = extras.suspended ? takeWhileSuspended(process) : takeNext(process);
  if (envelope !== undefined && extras.debug !== undefined) {
    process.kernel.taps?.took(process, envelope);
  }
  return envelope;
}

function takeNext({ mailbox }: Process): Envelope | undefined {
  const message = mailbox.first();
  if (message === undefined) return undefined;
  const arg = mailbox.drop();
  return message instanceof CastType ? message.envelope(arg) : message;
}

function takeWhileSuspended(process: Process): Envelope | undefined {
  const { parent } = process;
  return process.mailbox.removeFirst(
    (held) =>
      held.kind === Kind.sys ||
      (held.kind === Kind.exit && parent !== undefined && held.origin === parent) ||
      (held.kind === Kind.internal && held.type === "stop"),
  );
}

function suspend(process: Process, isSuspended: boolean): void {
  const extras = process.more();
  extras.suspended = isSuspended;
  if (extras.resumption !== undefined) process.kernel.wheel.cancel(extras.resumption);
  extras.resumption = undefined;
  process.isDetoured = isSuspended || extras.debug !== undefined;
}

/** A suspension with an end resumes by a message of its own, as an operator's would. */
function resumeLater(process: Process, forMs: number): void {
  if (forMs === Number.POSITIVE_INFINITY) return;
  process.more().resumption = process.kernel.wakeAt(forMs, () => {
    // It may have died meanwhile.
    placeSys(process, process.label, { op: "resume" }).catch(() => {});
  });
}

function replaceState(
  process: Process,
  from: PendingCall,
  replace: (state: unknown) => unknown,
): void {
  try {
    process.state = replace(process.state);
  } catch {
    from.fail("callback_failed");
    return;
  }
  tell(process, "replace_state");
  answer(process, from, process.state);
}

function changeCode(process: Process, from: PendingCall, next: unknown): void {
  const { behaviour, kernel } = process;
  const refusal = !process.suspended
    ? "not_suspended"
    : behaviour.changeCode === undefined
      ? "no_code_change"
      : attempt(() => behaviour.changeCode?.(process, next));
  const result = refusal === undefined ? "ok" : "refused";
  kernel.event("otp.upgrade", process, { result, reason: refusal });
  if (refusal === undefined) answer(process, from, undefined);
  else from.fail(["upgrade_failed", refusal]);
}

function attempt<T>(body: () => T): T | ReturnType<typeof reasonOfThrown> {
  try {
    return body();
  } catch (error) {
    return reasonOfThrown(error);
  }
}

function runDebug(process: Process, from: PendingCall, command: DebugCommand): void {
  let result: unknown = undefined;
  switch (command.op) {
    case "statistics":
      if (command.flag !== "get") debugOf(process).count(process, command.flag === "on");
      result = process.extras?.debug?.statistics(process);
      break;
    case "log":
      if (command.flag !== "get") debugOf(process).keepLog(logSize(command.flag));
      result = [...(process.extras?.debug?.log ?? [])];
      break;
    case "trace":
      debugOf(process).isTracing = command.isOn;
      break;
    case "install":
      if (!debugOf(process).install(command.id, command.fold, command.state)) {
        from.fail("already_installed");
        return;
      }
      break;
    case "remove":
      process.extras?.debug?.uninstall(command.id);
      break;
    case "no_debug":
      process.extras?.debug?.clear();
      break;
    default:
      command satisfies never;
  }
  settleDebug(process);
  answer(process, from, result);
}

function logSize(flag: "on" | "off" | number): number {
  if (flag === "on") return LOG_SIZE;
  return flag === "off" ? 0 : flag;
}

/** An answer of the runtime is no message of the process: no debug function sees it. */
function answer(process: Process, from: PendingCall, value: unknown): void {
  const { taps } = process.kernel;
  if (taps === undefined) from.reply(value);
  else taps.quietly(() => from.reply(value));
}

function tell(process: Process, command: string): void {
  process.kernel.event("otp.sys", process, { command });
}
