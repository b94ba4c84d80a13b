/**
 * The sliced run queue: one FIFO of processes, drained in bounded slices.
 *
 * A slice is a microtask while the budget since the last loop tick lasts, else a setImmediate,
 * which refills it; while the tick is young, it is refilled at once. Sequential calls thus finish
 * inside the current tick, and a storm of messages cannot starve timers or sockets for longer than
 * one slice.
 */
import type { AsyncResource } from "node:async_hooks";
import { setImmediate as hostImmediate } from "node:timers";
import type { Clock } from "../time/clock.ts";
import type { Process } from "./process.ts";
import { Ring } from "./ring.ts";
import { outsideResource } from "./scope.ts";

/** Turns one process may take before the next process in the queue gets its visit. */
export const TURNS_PER_VISIT = 100;
const TURNS_PER_TICK = 128;
/** The budget is renewed while the loop's tick is younger: light turns are not worth a setImmediate. */
const FRESH_MS = 0.5;
const SLICE_MS = 5;
/** A slice that took longer blocked timers and sockets: `otp.turn.long`. */
const LONG_MS = 50;
/** Turns between two looks at the clock: heavy handlers end a slice early, light ones pay 3 ns. */
const TURNS_PER_CLOCK_READ = 16;
/** Slices that look at the clock after every visit once a long one had several suspects. */
const PRECISE_SLICES = 10_000;

/** How slices get onto the host's event loop. */
export interface SchedulerHooks {
  soon(run: () => void): void;
  afterIo(run: () => void): void;
  /** False: no budget and no setImmediate, for virtual time. */
  readonly isSliced: boolean;
  /** Turns after which an unsliced run is called endless. */
  readonly maxTurns: number;
}

/** Microtasks and setImmediate of the host. */
export const realHooks: SchedulerHooks = {
  soon: (run) => queueMicrotask(run),
  afterIo: (run) => void hostImmediate(run),
  isSliced: true,
  maxTurns: Number.POSITIVE_INFINITY,
};

/** What the scheduler asks the kernel to do. */
export interface SchedulerHost {
  /** One visit; returns the number of turns taken. */
  visit(process: Process): number;
  drainSignals(): void;
  hasSignals(): boolean;
  /** A slice ended: nobody runs. */
  rest(): void;
  /** A slice took too long; `last` was visited last, alone when `visits` is 1. */
  tellLong(last: Process, tookMs: number, visits: number): void;
}

/** Run queue of one node. */
export class Scheduler {
  private readonly queue = new Ring<Process>();
  private readonly host: SchedulerHost;
  private readonly hooks: SchedulerHooks;
  private readonly clock: Clock;
  private readonly scope: AsyncResource = outsideResource();
  private budget = TURNS_PER_TICK;
  private tickStartMs = Number.NEGATIVE_INFINITY;
  private lastReadMs = 0;
  private isArmed = false;
  private isRunning = false;
  private preciseSlices = 0;
  /** Turns since start; also tells a virtual node whether anything happened. */
  turns = 0;
  slices = 0;
  /** A storm that never ends was cut off. */
  isEndless = false;

  constructor(host: SchedulerHost, hooks: SchedulerHooks, clock: Clock) {
    this.host = host;
    this.hooks = hooks;
    this.clock = clock;
  }

  /** The time, up to a few turns ago while a slice runs. */
  get recentMs(): number {
    return this.isRunning && this.hooks.isSliced ? this.lastReadMs : this.clock.monotonicMs();
  }

  get length(): number {
    return this.queue.size;
  }

  get isIdle(): boolean {
    return this.queue.size === 0 && !this.isArmed && !this.isRunning && !this.host.hasSignals();
  }

  enqueue(process: Process): void {
    if (process.queued) return;
    process.queued = true;
    this.queue.push(process);
    if (!this.isArmed && !this.isRunning) this.arm();
  }

  /** Makes sure that a slice comes, for signals that concern no queued process. */
  wake(): void {
    if (!this.isArmed && !this.isRunning) this.arm();
  }

  private arm(): void {
    this.isArmed = true;
    if (this.budget > 0) this.hooks.soon(this.microSlice);
    else this.hooks.afterIo(this.macroSlice);
  }

  private readonly microSlice = (): void => {
    this.scope.runInAsyncScope(this.slice);
  };

  private readonly macroSlice = (): void => {
    this.budget = TURNS_PER_TICK;
    this.tickStartMs = this.clock.monotonicMs();
    this.scope.runInAsyncScope(this.slice);
  };

  private readClock(): number {
    this.lastReadMs = this.clock.monotonicMs();
    return this.lastReadMs;
  }

  private readonly slice = (): void => {
    this.isArmed = false;
    this.isRunning = true;
    this.slices += 1;
    const { host, queue } = this;
    const isSliced = this.hooks.isSliced;
    let spent = 0;
    const step = this.preciseSlices > 0 ? 1 : TURNS_PER_CLOCK_READ;
    let nextRead = step;
    let last: Process | undefined;
    /** Since the last look at the clock. */
    let visits = 0;
    const startedMs = isSliced ? this.readClock() : 0;
    try {
      for (;;) {
        if (host.hasSignals()) host.drainSignals();
        const process = queue.shift();
        if (process === undefined) break;
        process.queued = false;
        const turns = host.visit(process);
        last = process;
        visits += 1;
        spent += turns;
        this.turns += turns;
        if (!isSliced) {
          if (spent < this.hooks.maxTurns) continue;
          this.isEndless = true;
          break;
        }
        if (spent >= this.budget) {
          if (this.readClock() - this.tickStartMs > FRESH_MS) break;
          this.budget += TURNS_PER_TICK;
        }
        if (spent >= nextRead) {
          nextRead = spent + step;
          if (this.readClock() - startedMs > SLICE_MS) {
            spent = this.budget;
            break;
          }
          visits = 0;
        }
      }
      if (host.hasSignals()) host.drainSignals();
    } finally {
      this.isRunning = false;
      if (isSliced) {
        this.budget -= spent;
        const tookMs = this.readClock() - startedMs;
        if (this.preciseSlices > 0) this.preciseSlices -= 1;
        if (tookMs > LONG_MS && last !== undefined) {
          if (visits > 1) this.preciseSlices = PRECISE_SLICES;
          host.tellLong(last, tookMs, visits);
        }
      }
      host.rest();
      if ((queue.size > 0 || host.hasSignals()) && !this.isEndless) this.wake();
    }
  };
}
