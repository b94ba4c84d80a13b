/**
 * The kernel's side of processes that live in another thread: a process here stands for each of
 * them, and what is sent to it goes over a port. Undefined in a node that isolates nothing.
 */
import type { Reason } from "../reason.ts";
import type { Envelope } from "./message.ts";
import type { Process } from "./process.ts";
import type { MonitorRecord } from "./signals.ts";

/** Where messages, signals and names go that are not of this thread. */
export interface Foreign {
  /** True: `process` lives elsewhere, and the message is on its way. */
  takesMessage(process: Process, envelope: Envelope): boolean;
  /** True: `to` lives elsewhere, and the signal is on its way. */
  takesSignal(op: string, from: Process | undefined, to: Process, reason: Reason): boolean;
  /** True: who is watched lives elsewhere, and is watched there. */
  takesMonitor(record: MonitorRecord): boolean;
  /** A monitor ends before what it watches. */
  dropsMonitor(record: MonitorRecord): void;
  /** Holder of a name that is held elsewhere. */
  holderOf(name: string): Process | undefined;
  /** Names held elsewhere, with their pids. */
  names(prefix: string): Iterable<{ readonly name: string; readonly pid: string }>;
  /** The process that stands for a pid such as "#w1.12". */
  find(pid: string): Process | undefined;
  /** Resolves when no thread is left. */
  quiet(): Promise<void>;
}
