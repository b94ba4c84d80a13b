/**
 * Admin calls over a bridge: pids in commands and answers are each side's own.
 */
import type { Reason } from "../reason.ts";
import type { ChildRow, StartedChild } from "../supervisor/ref.ts";
import type { Bridge } from "./bridge.ts";
import { decodeReason, encodeReason } from "./codec.ts";

/** The command as the supervisor over there understands it. */
export function encodeCommand(bridge: Bridge, command: unknown): unknown {
  const { target } = command as { readonly target?: unknown };
  const prefix = `#${bridge.id}.`;
  if (typeof target !== "string" || !target.startsWith(prefix)) return command;
  return { ...(command as object), target: `#${target.slice(prefix.length)}` };
}

interface Outcome {
  readonly ok: boolean;
  readonly reason?: Reason;
}

/** What a supervisor's answer crosses as: a started child with its ref, a failure without its spec. */
export function encodeAnswer(op: string, value: unknown): unknown {
  if (op !== "start" && op !== "restart") return value;
  const { ok, reason, pid, ref, extra } = value as StartedChild & Outcome;
  if (!ok) return { ok, reason: encodeReason(reason) };
  if (pid === undefined) return value;
  return { ok, pid, ref, ...(extra === undefined ? {} : { extra }) };
}

/** The answer with pids as they read here. */
export function decodeAnswer(bridge: Bridge, op: string, value: unknown): unknown {
  if (op === "start" || op === "restart") {
    const started = value as StartedChild & Outcome;
    if (!started.ok) return { ok: false, reason: decodeReason(started.reason) };
    return started.pid === undefined ? value : { ...started, pid: bridge.pidOf(started.pid) };
  }
  if (op !== "which") return value;
  return (value as readonly ChildRow[]).map((row) =>
    row.pid?.startsWith("#") === true ? { ...row, pid: bridge.pidOf(row.pid) } : row,
  );
}
