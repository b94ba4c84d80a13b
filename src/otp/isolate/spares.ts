/**
 * Spare threads: one for each isolated child that has been up, with its module loaded, so that a
 * restart takes a message and not the boot of a thread.
 */
import { forgetWatcher } from "../process/death.ts";
import type { Kernel } from "../process/kernel.ts";
import type { Process } from "../process/process.ts";
import type { MonitorRecord } from "../process/signals.ts";
import type { TimerEntry } from "../time/wheel.ts";
import type { Origin } from "./frames.ts";
import type { Thread } from "./thread.ts";

/** A spare whose child does not come back within this time is given up. */
const IDLE_MS = 60_000;

interface Spare {
  readonly thread: Thread;
  readonly owner: MonitorRecord;
  idle: TimerEntry | undefined;
}

/** Spares of one node, by what they would run. */
export class Spares {
  private readonly kernel: Kernel;
  private readonly max: () => number;
  private readonly held = new Map<object, Spare>();

  /** At most `max()` at once. */
  constructor(kernel: Kernel, max: () => number) {
    this.kernel = kernel;
    this.max = max;
  }

  /** Boots a spare for `key`, unless there is one; it goes with `owner`, the supervisor. */
  prepare(key: object, origin: Origin, owner: Process, boot: () => Thread): void {
    if (this.held.has(key) || this.held.size >= this.max()) return;
    const thread = boot();
    thread.post([["warm", origin.module]], []);
    const monitor = this.kernel.onDown(owner, () => this.drop(key));
    const spare: Spare = { thread, owner: monitor, idle: undefined };
    this.held.set(key, spare);
    // One that could not even load its module is no help.
    void thread.ended.then(() => {
      if (this.held.get(key) === spare) this.drop(key);
    });
  }

  /** The spare of `key`, which is the caller's from now on. */
  take(key: object): Thread | undefined {
    const spare = this.held.get(key);
    if (spare !== undefined) this.release(key, spare);
    return spare?.thread;
  }

  /** Nobody runs `key` now: its spare waits for a while only. */
  rest(key: object): void {
    const spare = this.held.get(key);
    if (spare === undefined || spare.idle !== undefined) return;
    spare.idle = this.kernel.wakeAt(IDLE_MS, () => this.drop(key));
  }

  /** Ends the spare of `key`. */
  drop(key: object): void {
    const spare = this.held.get(key);
    if (spare === undefined) return;
    this.release(key, spare);
    spare.thread.terminate();
  }

  private release(key: object, spare: Spare): void {
    this.held.delete(key);
    if (spare.idle !== undefined) this.kernel.wheel.cancel(spare.idle);
    const { owner } = spare;
    owner.active = false;
    forgetWatcher(owner);
  }
}
