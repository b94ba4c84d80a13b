/**
 * The node's side of the watchdog: beats while the main loop turns, tells the thread who runs, and
 * emits `otp.turn.long` once a block that was an alarm is over (otp.md 4.5).
 *
 * A block cannot be broken: V8 has no safe way to end running code. So the watchdog names process
 * and function while it lasts, and may end the host process when it does not stop.
 *
 * ```ts
 * import { createNode, supervisor } from "paceline/otp";
 *
 * const node = createNode({ watchdog: { alarmMs: 200, exitAfterMs: 10_000 } });
 * node.telemetry.attach("loop", "otp.turn.long", ({ process, fields }) => {
 *   if (fields.alarm === true) console.log(process, fields.function, fields.durationMs);
 * });
 * await node.start(supervisor("demo", { children: [] }));
 * await node.stop();
 * ```
 *
 * | option | meaning | default |
 * |---|---|---|
 * | `alarmMs` | a block of the main loop longer than this is an alarm | 150 ms |
 * | `exitAfterMs` | a block longer than this ends the host by SIGKILL, exit status 137 | never |
 * | `fd` | descriptor of the lines that are written while the loop is blocked | 2 |
 * | `fields` | what each of these lines begins with | none |
 *
 * The line is JSON: level, time, `fields`, event, process, pid, alarm, duration_ms, handler, function,
 * stack, msg. An alarm is told some 50 to 150 ms after `alarmMs` has passed. Code outside any process is
 * `(none)`; inside one long native call nothing can be halted, and the function is `(unknown)`.
 *
 * Silent while an inspector port is open, and not misled by a host that was stopped or suspended. Costs
 * a thread of 10 MB that holds nothing up, ends with the tree, and wakes 20 times a second.
 */
import { setInterval as hostInterval } from "node:timers";
import { isMainThread, Worker } from "node:worker_threads";
import { createBoard, Slot } from "../process/board.ts";
import type { Kernel } from "../process/kernel.ts";
import { currentProcess, runOutside } from "../process/scope.ts";
import {
  type BlockReport,
  type Running,
  type WatchdogPlan,
  watchdogThread,
} from "./watchdog-thread.ts";

/** How a node watches its main loop. */
export interface WatchdogOptions {
  /** A block of the main loop longer than this is an alarm, ms; default 150. */
  readonly alarmMs?: number;
  /**
   * A block longer than this ends the host process by SIGKILL (exit status 137), ms; default: never.
   * Never while an inspector port is open.
   */
  readonly exitAfterMs?: number;
  /** Descriptor that alarms are written to while the loop is blocked, one JSON line each; default 2. */
  readonly fd?: number;
  /** Fields that each of these lines begins with, such as a region; default none. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

const ALARM_MS = 150;
/** Time between two looks at the board, and between two beats. */
const SAMPLE_MS = 50;
/** Reading a stack takes 20 ms, half a second on a crowded host; a native call takes all of it. */
const LOOK_MS = 1_000;
const MAX_FRAMES = 20;
const HOOK = "paceline.otp.running";
/** The thread needs 1 MB; a deep stack arrives as one large message. */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 1 };

/** Watchdog of one node. */
export class Watchdog {
  readonly board = createBoard(true);
  private readonly options: WatchdogOptions;
  private readonly alarmMs: number;
  private worker: Worker | undefined = undefined;
  private beat: ReturnType<typeof hostInterval> | undefined = undefined;
  private beatAtMs = performance.now();
  /** How long the block of the last alarm lasted: its slice, else the time between two beats. */
  private heldMs: number | undefined = undefined;

  constructor(options: WatchdogOptions) {
    this.options = options;
    this.alarmMs = options.alarmMs ?? ALARM_MS;
  }

  /** Begins to watch; the thread is up some 40 ms later and holds nothing up. */
  start(kernel: Kernel): void {
    if (this.worker !== undefined) return;
    runOutside(() => {
      this.beat = hostInterval(() => this.tick(), SAMPLE_MS);
      this.beat.unref();
      this.worker = this.startThread(kernel);
    });
    Object.defineProperty(globalThis, HOOK, { value: running, configurable: true });
    this.tick();
  }

  stop(): void {
    clearInterval(this.beat);
    this.board[Slot.alarm] = -1;
    void this.worker?.terminate();
    this.worker = undefined;
  }

  /** True when a slice is part of an alarm, which will be told by `report`. */
  claims(tookMs: number): boolean {
    const { board } = this;
    if (board[Slot.alarm] !== board[Slot.beat]) return false;
    if (tookMs >= this.alarmMs) this.heldMs = tookMs;
    return true;
  }

  private tick(): void {
    const { board } = this;
    const nowMs = performance.now();
    if (board[Slot.alarm] === board[Slot.beat]) this.heldMs ??= nowMs - this.beatAtMs;
    this.beatAtMs = nowMs;
    board[Slot.debugged] = isDebugged() ? 1 : 0;
    board[Slot.beat] = (board[Slot.beat] as number) + 1;
  }

  private startThread(kernel: Kernel): Worker {
    const { exitAfterMs = 0, fd = 2, fields = {} } = this.options;
    const plan: WatchdogPlan = {
      board: this.board,
      slots: Slot,
      sampleMs: SAMPLE_MS,
      beatMs: SAMPLE_MS,
      alarmMs: this.alarmMs,
      // Of a node inside a worker thread neither the stack nor the end is ours to take.
      exitAfterMs: isMainThread && Number.isFinite(exitAfterMs) ? exitAfterMs : 0,
      hook: isMainThread ? HOOK : "",
      fd,
      fields,
      maxFrames: MAX_FRAMES,
      lookMs: LOOK_MS,
    };
    const worker = new Worker(`(${watchdogThread.toString()})()`, {
      eval: true,
      name: "otp watchdog",
      workerData: plan,
      execArgv: [],
      env: {},
      resourceLimits: THREAD_LIMITS,
      trackUnmanagedFds: false,
    });
    worker.unref();
    worker.on("message", (report: BlockReport) => this.report(kernel, report));
    worker.on("error", (error) => {
      this.stop();
      kernel.log("error", { error }, "the watchdog has failed: blocks are no longer told");
    });
    return worker;
  }

  private report(kernel: Kernel, { id, running: seen, ...block }: BlockReport): void {
    const owner = kernel.processes.get(id);
    const { heldMs } = this;
    this.heldMs = undefined;
    const fields = {
      pid: seen?.pid ?? owner?.pid,
      durationMs: heldMs ?? block.durationMs,
      count: 1,
      handler: seen?.handler ?? owner?.handler,
      function: block.function ?? "(unknown)",
      stack: block.stack.join("\n"),
      alarm: true as const,
    };
    const process = seen === undefined ? owner?.label : seen.process;
    kernel.telemetry.emit("otp.turn.long", fields, process ?? "(none)");
  }
}

/** The watchdog that a node's option asks for. */
export function makeWatchdog(wanted: boolean | WatchdogOptions | undefined): Watchdog | undefined {
  if (wanted === undefined || wanted === false) return undefined;
  return new Watchdog(wanted === true ? {} : wanted);
}

/** Asked by the thread while this one is halted: sync turn, async scope, or nobody. */
function running(): Running {
  const owner = currentProcess();
  if (owner === undefined) return { isDebugged: isDebugged() };
  const { label, pid, handler } = owner;
  return { process: label, pid, handler, isDebugged: isDebugged() };
}

/** Whether somebody attached is unknown; an open port is taken for it. */
function isDebugged(): boolean {
  return process.getBuiltinModule("node:inspector")?.url() !== undefined;
}
