/**
 * The timeout of `next(state, { timeoutMs })`: a process that gets no message meanwhile hears `idle`.
 */
import type { Kernel } from "../process/kernel.ts";
import { Envelope, Kind } from "../process/message.ts";
import type { Extras, Process } from "../process/process.ts";
import { TimerEntry } from "../time/wheel.ts";

/** Starts the wait, ms. */
export function startIdle(process: Process, timeoutMs: number): void {
  const timer = new IdleTimer(process);
  process.more().idleTimer = timer;
  process.kernel.startTimer(timer, timeoutMs);
}

/** A message has come. */
export function stopIdle(extras: Extras, kernel: Kernel): void {
  if (extras.idleTimer !== undefined) kernel.wheel.cancel(extras.idleTimer);
  extras.idleTimer = undefined;
}

class IdleTimer extends TimerEntry {
  private readonly process: Process;

  constructor(process: Process) {
    super();
    this.process = process;
  }

  expire(): void {
    const { process } = this;
    if (process.extras !== undefined) process.extras.idleTimer = undefined;
    // Something has arrived and waits for its turn: the process is not idle.
    if (process.mailbox.size > 0) return;
    process.kernel.send(process, new Envelope(Kind.idle, "idle", { type: "idle" }, undefined));
  }
}
