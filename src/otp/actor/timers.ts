/**
 * The timers of one process: by key, at most one each, and the sleeps of its handlers.
 */
import type { Process } from "../process/process.ts";
import { ProcessTimer } from "../time/process-timer.ts";
import { TimerEntry } from "../time/wheel.ts";

/** Starts a timer, ms; with `to` it is nobody's and finds the holder of that name at expiry. */
export function startTimer(
  process: Process,
  delayMs: number,
  intervalMs: number,
  key: string,
  payload: unknown,
  to: string | undefined,
): void {
  const { kernel } = process;
  const timer = new ProcessTimer(process, key, payload, intervalMs, to);
  if (to === undefined) {
    const more = process.more();
    more.timers ??= new Map();
    const old = more.timers.get(key);
    if (old !== undefined) kernel.wheel.cancel(old);
    more.timers.set(key, timer);
  }
  kernel.startTimer(timer, delayMs);
}

/** Milliseconds that were left, or false when no such timer runs. */
export function cancelTimer(process: Process, key: string): number | false {
  const { kernel } = process;
  const timers = process.extras?.timers;
  const timer = timers?.get(key);
  if (timer === undefined) return false;
  timers?.delete(key);
  if (!kernel.wheel.cancel(timer)) return false;
  return Math.max(0, timer.deadlineMs - kernel.now());
}

/** Resolves after `delayMs`, never after the death of the process. */
export function sleep(process: Process, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = new Sleep(process, resolve);
    const more = process.more();
    more.sleeps ??= new Set();
    more.sleeps.add(timer);
    process.kernel.startTimer(timer, delayMs);
  });
}

class Sleep extends TimerEntry {
  private readonly process: Process;
  private readonly wake: () => void;

  constructor(process: Process, wake: () => void) {
    super();
    this.process = process;
    this.wake = wake;
  }

  expire(): void {
    this.process.extras?.sleeps?.delete(this);
    if (this.process.alive) this.wake();
  }
}
