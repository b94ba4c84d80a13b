/**
 * Operations of code that outlived its process: counted, then dropped or refused.
 */
import { OtpError } from "../reason.ts";
import type { Process } from "./process.ts";

/** True, and counted, when the process is dead: the operation must be dropped. */
export function isLate(process: Process, op: string): boolean {
  if (process.alive) return false;
  process.kernel.zombie(process, op);
  return true;
}

/** For operations that owe a value: throws OTP_DEAD_PROCESS when the process is dead. */
export function mustLive(process: Process, op: string): void {
  if (isLate(process, op)) {
    throw new OtpError("OTP_DEAD_PROCESS", `${op} by ${process.label} after its death`);
  }
}
