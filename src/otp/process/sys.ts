/**
 * System messages (sys): answered between turns, in mailbox order, by every process.
 *
 * A suspended process receives only these and its parent's exit; everything else queues.
 */
import { placeCall } from "./calls.ts";
import type { PendingCall } from "./calls.ts";
import { type Envelope, Kind } from "./message.ts";
import type { Process } from "./process.ts";

/** What a process may be asked whatever it runs. */
export type SysCommand =
  | { readonly op: "suspend" | "resume" | "get_state" }
  | { readonly op: "replace_state"; readonly replace: (state: unknown) => unknown };

/** Sends a system message; resolves with its answer. */
export function placeSys(
  target: Process | undefined,
  label: string,
  command: SysCommand,
  timeoutMs: number,
): Promise<unknown> {
  return placeCall(target, label, Kind.sys, command.op, command, timeoutMs, false);
}

/** Answers one system message. */
export function runSys(process: Process, envelope: Envelope): void {
  const from = envelope.origin as PendingCall;
  const command = envelope.arg as SysCommand;
  switch (command.op) {
    case "suspend":
      process.suspended = true;
      from.reply(undefined);
      return;
    case "resume":
      process.suspended = false;
      from.reply(undefined);
      return;
    case "get_state":
      from.reply(process.state);
      return;
    case "replace_state":
      try {
        process.state = command.replace(process.state);
      } catch {
        from.fail("callback_failed");
        return;
      }
      from.reply(process.state);
      return;
    default:
      command satisfies never;
  }
}

/** Next message that a suspended process receives. */
export function takeWhileSuspended(process: Process): Envelope | undefined {
  const { parent } = process;
  return process.mailbox.removeFirst(
    (held) =>
      held.kind === Kind.sys ||
      (held.kind === Kind.exit && parent !== undefined && held.origin === parent) ||
      (held.kind === Kind.internal && held.type === "stop"),
  );
}
