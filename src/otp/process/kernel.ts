/**
 * The kernel of one node: spawns, delivers, ends. Everything a process touches goes through here.
 */
import { withItem } from "../../lib/few.ts";
import type { ProcessEventFields, ProcessEventName } from "../node/events.ts";
import type { LogLevel, LogSink } from "../node/log.ts";
import { type Profile, type ProfileName, PROFILES } from "../node/profile.ts";
import { Telemetry } from "../node/telemetry.ts";
import { Groups } from "../names/groups.ts";
import { PubSub } from "../names/pubsub.ts";
import { Registry } from "../names/registry.ts";
import type { Table } from "../names/table.ts";
import { reasonOfThrown, type Reason } from "../reason.ts";
import { Alarm } from "../time/alarm.ts";
import type { Clock } from "../time/clock.ts";
import { type TimerEntry, TimerWheel } from "../time/wheel.ts";
import { runSys, takeDetoured } from "../sys/run.ts";
import type { Taps } from "../sys/taps.ts";
import { type BirthOptions, spawnProcess, type Starters } from "./birth.ts";
import { createBoard, Slot } from "./board.ts";
import { CastType, type Envelope, Kind } from "./message.ts";
import { PendingCall } from "./calls.ts";
import { CallGraph } from "./cycles.ts";
import { endProcess } from "./death.ts";
import type { Foreign } from "./foreign.ts";
import { makeRoom, tellHigh } from "./overflow.ts";
import { ProcessTable } from "./process-table.ts";
import type { Process, StartOutcome } from "./process.ts";
import { type SchedulerHooks, Scheduler, TURNS_PER_VISIT } from "./scheduler.ts";
import { runFirst, runIn } from "./scope.ts";
import { MonitorRecord, SignalQueue } from "./signals.ts";

/** What a node injects. */
export interface KernelOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly hooks: SchedulerHooks;
  readonly log: LogSink;
  /** Defaults of the extensions; default paceline. */
  readonly profile?: ProfileName | undefined;
  /** Keeps the graph of waiting calls and reports rings. */
  readonly isDev: boolean;
  /** Called after a timer was started. */
  readonly armTimer: (deadlineMs: number) => void;
  /** Shared with the watchdog's thread; default: one of our own. */
  readonly board?: Int32Array | undefined;
  /** True when somebody else tells of this long slice. */
  readonly isToldElsewhere?: ((tookMs: number) => boolean) | undefined;
  /** Worker threads for isolated subtrees; default: cores - 1, at least 1. */
  readonly maxWorkers?: number | undefined;
}

/** Counters of one node. */
export interface KernelCounters {
  deadLetters: number;
  zombieOps: number;
  dropped: number;
  unknown: number;
  spawned: number;
  exited: number;
}

const VISITS_PER_SAMPLE = 16;
const MAX_DELAY_MS = 2 ** 42;

/** Runtime of one node. */
export class Kernel {
  readonly clock: Clock;
  readonly random: () => number;
  readonly profile: Profile;
  readonly processes = new ProcessTable();
  readonly registry = new Registry();
  readonly pubsub = new PubSub();
  readonly groups = new Groups();
  readonly tables = new Map<string, Table<unknown>>();
  /** Live supervisors by id; ids should be unique, see findSupervisor. */
  readonly supervisors = new Map<string, Set<Process>>();
  readonly telemetry: Telemetry;
  readonly signals: SignalQueue;
  readonly callGraph: CallGraph | undefined;
  readonly scheduler: Scheduler;
  readonly wheel: TimerWheel;
  /** There while some process is debugged or traced. */
  taps: Taps | undefined = undefined;
  readonly maxWorkers: number | undefined;
  /** False under virtual time: then isolated subtrees run in this thread. */
  readonly isRealTime: boolean;
  /** Processes of other threads; undefined until a subtree is isolated. */
  foreign: Foreign | undefined = undefined;
  readonly counters: KernelCounters = {
    deadLetters: 0,
    zombieOps: 0,
    dropped: 0,
    unknown: 0,
    spawned: 0,
    exited: 0,
  };
  /** Waiting inside init, terminate or a supervisor's stop. */
  private readonly blockedProcesses = new Set<Process>();
  /** Who hears how an async start ends. */
  readonly starters: Starters = new Map();
  private readonly logSink: LogSink;
  private readonly armTimer: (deadlineMs: number) => void;
  private pidSeq = 0;
  private monitorSeq = 0;
  private readonly board: Int32Array;

  constructor(options: KernelOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.profile = PROFILES[options.profile ?? "paceline"];
    this.logSink = options.log;
    this.armTimer = options.armTimer;
    this.board = options.board ?? createBoard(false);
    this.maxWorkers = options.maxWorkers;
    this.isRealTime = options.hooks.isSliced;
    this.callGraph = options.isDev ? new CallGraph() : undefined;
    this.telemetry = new Telemetry(() => options.clock.monotonicMs());
    this.wheel = new TimerWheel(options.clock.monotonicMs());
    this.signals = new SignalQueue({
      finish: (process, reason) => this.finish(process, reason),
      deliver: (process, envelope) => this.deliver(process, envelope),
      wake: () => this.scheduler.wake(),
    });
    const host = {
      visit: (process: Process) => this.visit(process),
      drainSignals: () => this.signals.drain(),
      hasSignals: () => this.signals.size > 0,
      rest: () => {
        this.board[Slot.pid] = 0;
      },
      tellLong: (process: Process, ms: number, visits: number) => {
        if (options.isToldElsewhere?.(ms) === true) return;
        const { handler } = process;
        this.event("otp.turn.long", process, { durationMs: ms, count: visits, handler });
      },
    };
    this.scheduler = new Scheduler(host, options.hooks, options.clock);
  }

  now(): number {
    return this.clock.monotonicMs();
  }

  /** Inside a slice: when the run queue looked at the clock last, some turns ago. */
  recentMs(): number {
    return this.scheduler.recentMs;
  }

  log(level: LogLevel, fields: Readonly<Record<string, unknown>>, message: string): void {
    this.logSink(level, fields, message);
  }

  // --- life -------------------------------------------------------------------------------------

  nextId(): number {
    this.pidSeq += 1;
    return this.pidSeq;
  }

  /** Makes a process known to the node. */
  admit(process: Process): Process {
    this.counters.spawned += 1;
    this.processes.add(process);
    this.taps?.spawned(process);
    return process;
  }

  /** Creates the process and runs its init; see birth.ts. */
  spawn(options: BirthOptions): StartOutcome | Promise<StartOutcome> {
    return spawnProcess(this, options);
  }

  /** Ends a process now; see death.ts. */
  finish(process: Process, reason: Reason): void {
    endProcess(this, process, reason);
  }

  // --- messages ---------------------------------------------------------------------------------

  /** Enqueues a message, behind the signals already under way. */
  send(process: Process, envelope: Envelope): void {
    if (this.taps !== undefined) this.taps.sent(process, envelope);
    if (this.signals.size > 0) this.signals.message(process, envelope);
    else this.deliver(process, envelope);
  }

  /** Sends a cast without making an envelope, as long as nothing is out of the ordinary. */
  cast(process: Process, cast: CastType, arg: unknown): void {
    const { mailbox, behaviour } = process;
    const isPlain = this.signals.size === 0 && this.taps === undefined && process.alive;
    if (!isPlain || mailbox.size >= behaviour.maxMailbox) {
      this.send(process, cast.envelope(arg));
      return;
    }
    mailbox.push(cast, arg);
    this.arrived(process);
  }

  deliver(process: Process, envelope: Envelope): void {
    if (!process.alive) {
      this.deadLetter(process.label, envelope);
      return;
    }
    if (this.foreign !== undefined && this.foreign.takesMessage(process, envelope)) return;
    const { mailbox } = process;
    if (envelope.kind <= Kind.info && mailbox.size >= process.behaviour.maxMailbox) {
      if (!makeRoom(this, process, envelope)) return;
    }
    mailbox.push(envelope, undefined);
    this.arrived(process);
  }

  /** A message lies in the mailbox: its process gets a visit, unless one is due or cannot be. */
  private arrived(process: Process): void {
    if (process.mailbox.size === process.behaviour.highWater) tellHigh(this, process);
    if (!process.queued && !process.busy && process.status === "running") {
      this.scheduler.enqueue(process);
    }
  }

  /** Counts a message to nobody; a call fails with noproc. */
  deadLetter(target: string, envelope: Envelope): void {
    if (envelope.origin instanceof PendingCall) envelope.origin.fail("noproc");
    this.counters.deadLetters += 1;
    if (this.telemetry.hears("otp.dead_letter")) {
      this.telemetry.emit("otp.dead_letter", { target, type: envelope.type });
    }
  }

  /** Counts an operation of code that outlived its process. */
  zombie(process: Process, op: string): void {
    this.counters.zombieOps += 1;
    if (this.telemetry.hears("otp.zombie")) {
      this.telemetry.emit("otp.zombie", { process: process.label, op });
    }
  }

  // --- turns ------------------------------------------------------------------------------------

  private visit(process: Process): number {
    if (!process.alive || process.busy) {
      if (process.alive) process.extras?.farewell?.();
      return 0;
    }
    const { board } = this;
    const visits = (board[Slot.visit] as number) + 1;
    board[Slot.visit] = visits;
    board[Slot.pid] = process.id;
    const enter = process.turns === 0 ? runFirst : runIn;
    if (visits % VISITS_PER_SAMPLE !== 0) return enter(process, this.takeTurns);
    const startMs = this.now();
    const turns = enter(process, this.takeTurns);
    process.handlerUs += Math.round((this.now() - startMs) * VISITS_PER_SAMPLE * 1000);
    return turns;
  }

  private readonly takeTurns = (process: Process): number => {
    const { mailbox } = process;
    let { behaviour } = process;
    let turns = 0;
    while (turns < TURNS_PER_VISIT) {
      const { isDetoured } = process;
      const message = isDetoured ? takeDetoured(process) : mailbox.first();
      if (message === undefined) return turns;
      const arg = isDetoured ? undefined : mailbox.drop();
      turns += 1;
      process.turns += 1;
      process.handler = message.type;
      if (message instanceof CastType) {
        if (behaviour.receiveCast === undefined) behaviour.receive(process, message.envelope(arg));
        else behaviour.receiveCast(process, message, arg);
      } else if (message.kind === Kind.sys) {
        runSys(process, message);
        behaviour = process.behaviour;
      } else behaviour.receive(process, message);
      if (!process.alive || process.busy) return turns;
      // Signals caused by this turn act before the next one.
      if (this.signals.size > 0) break;
    }
    if (mailbox.size > 0) this.scheduler.enqueue(process);
    return turns;
  };

  /** True while virtual time has to move by itself for somebody. */
  get hasBlocked(): boolean {
    return this.blockedProcesses.size > 0;
  }

  /** Marks a process as waiting inside a turn until it ends or `unblock` is called. */
  block(process: Process): void {
    this.blockedProcesses.add(process);
  }

  unblock(process: Process): void {
    if (this.blockedProcesses.size > 0) this.blockedProcesses.delete(process);
  }

  /** Lets whoever is in the run queue go first; then `farewell` is the last that is done for it. */
  giveWay(process: Process, farewell: () => void): void {
    process.busy = true;
    process.more().farewell = farewell;
    this.scheduler.enqueue(process);
  }

  /** Ends a wait inside a turn. */
  resume(process: Process): void {
    process.busy = false;
    if (process.alive && process.mailbox.size > 0) this.scheduler.enqueue(process);
  }

  /** Charges a stray error to its process. */
  crash(process: Process, thrown: unknown): void {
    if (!process.alive) {
      this.zombie(process, "error");
      return;
    }
    this.finish(process, reasonOfThrown(thrown));
  }

  // --- monitors and timers ----------------------------------------------------------------------

  monitor(owner: Process, watched: Process | undefined, label: string | undefined): MonitorRecord {
    this.monitorSeq += 1;
    const record = new MonitorRecord(this.monitorSeq, label, watched, owner);
    const more = owner.more();
    more.watching = withItem(more.watching, record);
    this.signals.monitor(record);
    return record;
  }

  /** Calls back once when `watched` has ended; at once (queued) when it already has. */
  onDown(watched: Process, callback: (reason: Reason) => void): MonitorRecord {
    this.monitorSeq += 1;
    const record = new MonitorRecord(this.monitorSeq, undefined, watched, undefined, callback);
    this.signals.monitor(record);
    return record;
  }

  startTimer(entry: TimerEntry, delayMs: number): void {
    // Also maps NaN to 0 and Infinity to a date nobody sees.
    const deadlineMs = this.now() + (delayMs > 0 ? Math.min(delayMs, MAX_DELAY_MS) : 0);
    this.wheel.start(entry, deadlineMs);
    this.armTimer(deadlineMs);
  }

  /** Runs `body` after `delayMs`; for the runtime itself. */
  wakeAt(delayMs: number, body: () => void): TimerEntry {
    const entry = new Alarm(body);
    this.startTimer(entry, delayMs);
    return entry;
  }

  /** Notes a waiting call in dev mode and tells of a ring that it closes. */
  noteCall(caller: Process, callee: Process, request: string): void {
    const ring = this.callGraph?.add(caller, callee);
    if (ring === undefined) return;
    const path = [caller, ...ring].map((process) => process.label);
    this.event("otp.call.cycle", caller, { path, type: request });
  }

  /** Emits a runtime event about a process when somebody listens. */
  event<N extends ProcessEventName>(name: N, process: Process, fields: ProcessEventFields<N>): void;
  event(name: string, process: Process, fields: Readonly<Record<string, unknown>>): void {
    if (!this.telemetry.hears(name)) return;
    this.telemetry.emit(name, { pid: process.pid, ...fields }, process.label);
  }
}
