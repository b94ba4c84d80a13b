/**
 * A timer of a process: its expiry is a message, its life ends with the process.
 */
import { Envelope, Kind } from "../process/message.ts";
import type { Process } from "../process/process.ts";
import { TimerEntry } from "./wheel.ts";

/** `after` and `every`; with `to` the message goes to whoever holds that name at expiry. */
export class ProcessTimer extends TimerEntry {
  private readonly process: Process;
  readonly key: string;
  private readonly payload: unknown;
  readonly intervalMs: number;
  private readonly to: string | undefined;
  /** A tick of an interval lies in the mailbox: the next one is skipped. */
  isQueued = false;

  constructor(
    process: Process,
    key: string,
    payload: unknown,
    intervalMs: number,
    to: string | undefined,
  ) {
    super();
    this.process = process;
    this.key = key;
    this.payload = payload;
    this.intervalMs = intervalMs;
    this.to = to;
  }

  expire(): void {
    const { process, key } = this;
    const { kernel } = process;
    const target = this.to === undefined ? process : kernel.registry.get(this.to);
    const info = { type: "timer", key, payload: this.payload };
    // The origin lets the mailbox owner tell this timer from a newer one with the same key.
    const envelope = new Envelope(Kind.timer, key, info, this as never);
    if (target === undefined) {
      kernel.deadLetter(this.to ?? process.label, envelope);
      return;
    }
    if (this.intervalMs > 0) {
      // The next deadline is counted from the last one, so that intervals do not drift.
      const behindMs = kernel.now() - this.deadlineMs;
      const skipped = Math.floor(behindMs / this.intervalMs) * this.intervalMs;
      kernel.startTimer(this, this.deadlineMs + skipped + this.intervalMs - kernel.now());
      if (this.isQueued) return;
      this.isQueued = true;
    } else if (this.to === undefined) {
      process.extras?.timers?.delete(key);
    }
    kernel.send(target, envelope);
  }
}

/** A timer message has left the mailbox: the next tick of its interval may come. */
export function timerTaken(envelope: Envelope): void {
  const timer = envelope.origin as unknown;
  if (timer instanceof ProcessTimer) timer.isQueued = false;
}
