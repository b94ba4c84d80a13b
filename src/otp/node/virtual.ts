/**
 * A node on virtual time: the same runtime, but its clock moves only when a test moves it.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, supervisor } from "paceline/otp";
 *
 * const clerk = defineActor({
 *   name: "demo/clerk",
 *   init: (_args: undefined, ctx) => {
 *     ctx.after(86_400_000, "tomorrow");
 *     return 0;
 *   },
 *   on: (days, info, ctx) => {
 *     console.log(info.type, ctx.now());
 *     return days + 1;
 *   },
 * });
 *
 * const node = createVirtualNode({ seed: 7 });
 * await node.start(supervisor("top", { children: [child(clerk, undefined, { id: "clerk" })] }));
 * await node.advance(86_399_999);
 * console.log("a millisecond to go");
 * await node.advance(1);
 * await node.stop();
 * ```
 *
 * ```text
 * a millisecond to go
 * timer 86400000
 * ```
 *
 * | option | meaning | default |
 * |---|---|---|
 * | `seed` | of `ctx.random` and all jitter | 1 |
 * | `startMs` | where the monotonic clock starts, ms; its phase within a second matters to restart windows | 0 ms |
 * | `profile` | defaults of the extensions to OTP, as for `createNode` | paceline |
 * | `log` | gets every record of `ctx.log` | dropped |
 * | `onStray` | decides about errors that no process owns | rethrown to the host |
 *
 * | to | use |
 * |---|---|
 * | let all messages, signals and microtasks of this instant run out | `settle()` |
 * | let ms pass, timers firing in order, settling after each instant | `advance(ms)` |
 * | wait for a promise that needs time to move by itself | `drive(promise)` |
 *
 * The same seed gives the same run. Time moves by itself only while a process is blocked inside a turn
 * of its own making (init or terminate sleeping, a supervisor waiting for DOWN), because otherwise such
 * a start or stop could never end. `start` and `stop` settle by themselves. A call that is awaited
 * outside needs no help while its answer takes no time; one whose answer takes virtual time must be
 * started first, then awaited after `advance`.
 *
 * A storm that never rests is cut after 20 000 000 turns: `OTP_NOT_QUIESCENT`.
 */
import { nextTick as hostNextTick } from "node:process";
import { setImmediate as hostImmediate } from "node:timers";
import { DevKernel } from "../process/dev-kernel.ts";
import type { Kernel } from "../process/kernel.ts";
import type { SchedulerHooks } from "../process/scheduler.ts";
import { OtpError, type Reason } from "../reason.ts";
import type { SupervisorRef } from "../supervisor/ref.ts";
import type { SupervisorSpec } from "../supervisor/spec.ts";
import { VirtualClock } from "../time/clock.ts";
import { seededRandom } from "../../lib/random.ts";
import type { LogSink } from "./log.ts";
import { Node } from "./node.ts";
import type { ProfileName } from "./profile.ts";
import type { StrayPolicy } from "./stray.ts";

/** What a virtual node may be given. */
export interface VirtualOptions {
  /** Seed of ctx.random and all jitter; default 1. */
  readonly seed?: number;
  /** Where the monotonic clock starts; default 0 ms. Its phase within a second matters to restart windows. */
  readonly startMs?: number;
  /** Defaults of what specs leave open, as NodeOptions.profile; default "paceline". */
  readonly profile?: ProfileName;
  /** Gets `ctx.log` records; default: dropped. */
  readonly log?: LogSink;
  /** Decides about errors that no process owns; default: the host's verdict. */
  readonly onStray?: StrayPolicy;
}

const VIRTUAL_HOOKS: SchedulerHooks = {
  soon: (run) => queueMicrotask(run),
  afterIo: (run) => queueMicrotask(run),
  isSliced: false,
  // A settle that takes more turns than this is a storm that never ends.
  maxTurns: 5_000_000,
};
const QUIET_ROUNDS = 2;

/** Node with a clock of its own. */
export class VirtualNode extends Node {
  private readonly clock: VirtualClock;

  constructor(kernel: Kernel, clock: VirtualClock, onStray: StrayPolicy | undefined) {
    super(kernel, onStray);
    this.clock = clock;
  }

  override async start<A>(spec: SupervisorSpec<A>): Promise<SupervisorRef<A>> {
    return this.drive(super.start(spec));
  }

  override async stop(timeoutMs?: number, reason?: Reason): Promise<void> {
    return this.drive(super.stop(timeoutMs, reason));
  }

  /** Runs until quiescent: queues empty and two rounds of the host's microtasks add nothing. */
  async settle(): Promise<void> {
    for (;;) {
      await this.rest();
      const nextMs = this.kernel.hasBlocked ? this.kernel.wheel.nextTickMs() : undefined;
      if (nextMs === undefined) return;
      this.fireAt(nextMs);
    }
  }

  /** Lets `ms` of virtual time pass, firing timers in order and settling after each instant. */
  async advance(ms: number): Promise<void> {
    await this.settle();
    const untilMs = this.clock.monotonicMs() + ms;
    const { wheel } = this.kernel;
    for (;;) {
      const nextMs = wheel.nextTickMs();
      if (nextMs === undefined || nextMs > untilMs) break;
      this.fireAt(nextMs);
      await this.settle();
    }
    if (this.clock.monotonicMs() < untilMs) await this.jumpTo(untilMs);
  }

  /** When the next timer may fire, virtual ms (never later than it does); undefined without timers. */
  nextTimerMs(): number | undefined {
    return this.kernel.wheel.nextTickMs();
  }

  /**
   * Moves to `atMs` (virtual ms), fires the timers that are due then and settles. For a caller that
   * has settled and knows that nothing comes earlier (`nextTimerMs`): half the cost of `advance`.
   */
  async jumpTo(atMs: number): Promise<void> {
    this.fireAt(atMs);
    await this.settle();
  }

  /** Steps the wall clock by `byMs`, forwards or back; the monotonic clock does not notice. */
  stepWall(byMs: number): void {
    this.clock.stepWall(byMs);
  }

  /**
   * Lets exactly `ms` pass, whoever is blocked: what is still under way afterwards stays so. For
   * looking into the middle of a slow start, a slow stop, or a restart loop that never settles.
   */
  async pass(ms: number): Promise<void> {
    const untilMs = this.clock.monotonicMs() + ms;
    await this.rest();
    for (;;) {
      const nextMs = this.kernel.wheel.nextTickMs();
      if (nextMs === undefined || nextMs > untilMs) break;
      this.fireAt(nextMs);
      await this.rest();
    }
    this.fireAt(untilMs);
    await this.rest();
  }

  /** Lets time pass until `work` is done, and no further. */
  async until<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = (): void => {
      isDone = true;
    };
    work.then(done, done);
    for (;;) {
      await this.rest();
      if (isDone) return work;
      const nextMs = this.kernel.wheel.nextTickMs();
      if (nextMs === undefined) {
        throw new OtpError("OTP_NOT_QUIESCENT", "at rest without a timer: this wait never ends");
      }
      this.fireAt(nextMs);
    }
  }

  /** Settles, moving time where something is blocked, until `work` is done. */
  async drive<T>(work: Promise<T>): Promise<T> {
    // The outcome is read below; until then a rejection has a handler.
    work.catch(() => {});
    await this.settle();
    return work;
  }

  /**
   * Runs what this instant holds; time stands still. The last round is a turn of the host's loop, in
   * which rejections that nobody handled come to light.
   */
  private async rest(): Promise<void> {
    const { scheduler } = this.kernel;
    let quiet = 0;
    let seen = this.activity();
    while (quiet < QUIET_ROUNDS) {
      await (quiet === 0 ? microtasksDone() : hostTurn());
      // Modules of isolated subtrees are read outside any time.
      if (this.kernel.foreign !== undefined) await this.kernel.foreign.quiet();
      const now = this.activity();
      quiet = scheduler.isIdle && now === seen ? quiet + 1 : 0;
      seen = now;
      if (scheduler.isEndless) {
        throw new OtpError("OTP_NOT_QUIESCENT", `no rest after ${VIRTUAL_HOOKS.maxTurns} turns`);
      }
    }
  }

  private fireAt(ms: number): void {
    this.clock.moveTo(ms);
    this.kernel.wheel.advance(ms);
  }

  private activity(): number {
    const { scheduler, counters } = this.kernel;
    return scheduler.slices + scheduler.turns + counters.spawned + counters.exited;
  }
}

/** Creates a node on virtual time; the same seed gives the same run. */
export function createVirtualNode(options: VirtualOptions = {}): VirtualNode {
  const clock = new VirtualClock(options.startMs ?? 0);
  const kernel = new DevKernel({
    clock,
    random: seededRandom(options.seed ?? 1),
    profile: options.profile,
    isDev: true,
    hooks: VIRTUAL_HOOKS,
    log: options.log ?? (() => {}),
    armTimer: () => {},
  });
  return new VirtualNode(kernel, clock, options.onStray);
}

/** Every microtask that was queued has run, and those that they queued: ten times as fast as a turn. */
function microtasksDone(): Promise<void> {
  return new Promise((resolve) => {
    hostNextTick(resolve);
  });
}

/** One turn of the host's loop. */
function hostTurn(): Promise<void> {
  return new Promise((resolve) => {
    hostImmediate(resolve);
  });
}
