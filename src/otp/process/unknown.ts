/** Messages that a process does not handle: counted and told, never an error. */
import type { Process } from "./process.ts";

/** Counts one such message and tells of it. */
export function countUnknown(process: Process, type: string): void {
  process.kernel.counters.unknown += 1;
  process.more().unknown += 1;
  process.kernel.event("otp.unknown", process, { type });
}
