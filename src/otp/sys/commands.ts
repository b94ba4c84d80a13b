/**
 * System messages (sys): what a process may be asked whatever it runs.
 */
import { placeCall } from "../process/calls.ts";
import { Kind } from "../process/message.ts";
import type { Process } from "../process/process.ts";
import type { Reason } from "../reason.ts";
import type { DebugFold } from "./debug.ts";

/** Deadline of a system message unless told otherwise. */
export const SYS_TIMEOUT_MS = 5000;

/** One system message. */
export type SysCommand =
  | { readonly op: "resume" | "get_state" | "get_status" }
  | { readonly op: "suspend"; readonly forMs: number }
  | { readonly op: "replace_state"; readonly replace: (state: unknown) => unknown }
  | { readonly op: "terminate"; readonly reason: Reason }
  | { readonly op: "change_code"; readonly next: unknown }
  | DebugCommand;

/** Those that are about debugging. */
export type DebugCommand =
  | { readonly op: "statistics"; readonly flag: "on" | "off" | "get" }
  | { readonly op: "log"; readonly flag: "on" | "off" | "get" | number }
  | { readonly op: "trace"; readonly isOn: boolean }
  | {
      readonly op: "install";
      readonly id: string;
      readonly fold: DebugFold;
      readonly state: unknown;
    }
  | { readonly op: "remove"; readonly id: string }
  | { readonly op: "no_debug" };

/** Sends a system message; resolves with its answer, rejects with ExitError. */
export function placeSys(
  target: Process | undefined,
  label: string,
  command: SysCommand,
  timeoutMs: number = SYS_TIMEOUT_MS,
): Promise<unknown> {
  return placeCall(target, label, Kind.sys, command.op, command, timeoutMs, false);
}
