/**
 * Debugging of one process: statistics, a log of its last messages, a trace to telemetry, debug
 * functions, and the operators' traces that cover it.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, keyFor, reply, supervisor } from "paceline/otp";
 *
 * const part = defineActor({
 *   name: "demo/part",
 *   init: (_args: undefined) => 0,
 *   calls: { get: (state) => reply(state, state) },
 *   casts: { add: (state, by: number) => state + by },
 * });
 * const partKey = keyFor(part);
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("top", { children: [child(part, undefined, { register: partKey() })] }),
 * );
 * const ref = node.via(partKey());
 * const { inspector } = node;
 * await inspector.statistics("demo/part", "on");
 * await inspector.log("demo/part", 2);
 * await inspector.installDebug("demo/part", "sum", 0, (sum, event) => {
 *   if (event.type !== "add" || event.direction !== "in") return sum;
 *   console.log("added so far:", sum + Number(event.arg));
 *   return sum + Number(event.arg);
 * });
 * for (const by of [1, 2, 3]) ref.cast.add(by);
 * await node.settle();
 * const log = await inspector.log("demo/part", "get");
 * console.log(log.map(({ direction, kind, type, arg }) => `${direction} ${kind} ${type} ${arg}`));
 * console.log((await inspector.getStatus("demo/part")).debug);
 * await inspector.noDebug("demo/part");
 * await node.stop();
 * ```
 *
 * ```text
 * added so far: 1
 * added so far: 3
 * added so far: 6
 * [ 'in cast add 2', 'in cast add 3' ]
 * {
 *   trace: false,
 *   statistics: true,
 *   log: 2,
 *   functions: [ 'sum' ],
 *   sessions: 0
 * }
 * ```
 *
 * A debug function folds every message, in and out, into a state of its own; it is removed when it
 * returns "done" or throws. A log keeps the last 10 events, or as many as asked for, at most 1000,
 * with their arguments: not redacted, so not for a screen. A process without any has no `Debug` at
 * all and takes its messages the fast way.
 */
import type { Process } from "../process/process.ts";
import { rowOfEvent, type SysEvent, type SysEventRow } from "./event.ts";
import type { TraceSession } from "./trace.ts";

/** Events that a log keeps unless told otherwise. */
export const LOG_SIZE = 10;
/** Most events that a log may keep. */
export const MAX_LOG_SIZE = 1000;

/** Folds a debugged process's events; "done", or a throw, removes it. */
export type DebugFold<S = unknown> = (state: S, event: SysEvent, process: string) => S | "done";

/** What a process did since its statistics were switched on. */
export interface Statistics {
  /** Monotonic ms. */
  readonly startedAtMs: number;
  readonly nowMs: number;
  readonly turns: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
}

/** Which debugging is on. */
export interface DebugList {
  readonly trace: boolean;
  readonly statistics: boolean;
  /** Events that the log keeps; 0 when it is off. */
  readonly log: number;
  readonly functions: readonly string[];
  /** Bounded traces of operators that cover the process. */
  readonly sessions: number;
}

interface Installed {
  readonly fold: DebugFold;
  state: unknown;
}

interface Counts {
  readonly startedAtMs: number;
  readonly turnsBefore: number;
  in: number;
  out: number;
}

/** Debugging of one process. */
export class Debug {
  isTracing = false;
  readonly sessions = new Set<TraceSession>();
  private readonly functions = new Map<string, Installed>();
  private counts: Counts | undefined = undefined;
  private events: SysEvent[] = [];
  private logSize = 0;

  /** Nothing is on: the process may go the fast way again. */
  get isIdle(): boolean {
    const isOff = !this.isTracing && this.counts === undefined && this.logSize === 0;
    return isOff && this.functions.size === 0 && this.sessions.size === 0;
  }

  get list(): DebugList {
    return {
      trace: this.isTracing,
      statistics: this.counts !== undefined,
      log: this.logSize,
      functions: [...this.functions.keys()],
      sessions: this.sessions.size,
    };
  }

  /** Oldest first. */
  get log(): readonly SysEvent[] {
    return this.events;
  }

  get logRows(): readonly SysEventRow[] {
    return this.events.map(rowOfEvent);
  }

  keepLog(size: number): void {
    this.logSize = Math.min(MAX_LOG_SIZE, Math.max(0, Math.floor(size)));
    this.events = this.logSize === 0 ? [] : this.events.slice(-this.logSize);
  }

  count(process: Process, isOn: boolean): void {
    const startedAtMs = process.kernel.now();
    this.counts = isOn ? { startedAtMs, turnsBefore: process.turns, in: 0, out: 0 } : undefined;
  }

  statistics(process: Process): Statistics | undefined {
    const { counts } = this;
    if (counts === undefined) return undefined;
    return {
      startedAtMs: counts.startedAtMs,
      nowMs: process.kernel.now(),
      turns: process.turns - counts.turnsBefore,
      messagesIn: counts.in,
      messagesOut: counts.out,
    };
  }

  /** False when the id is taken. */
  install(id: string, fold: DebugFold, state: unknown): boolean {
    if (this.functions.has(id)) return false;
    this.functions.set(id, { fold, state });
    return true;
  }

  uninstall(id: string): void {
    this.functions.delete(id);
  }

  /** Switches off everything but operators' traces, which have their own ends. */
  clear(): void {
    this.isTracing = false;
    this.counts = undefined;
    this.keepLog(0);
    this.functions.clear();
  }

  /** Tells everybody who is on about one event. */
  note(process: Process, event: SysEvent): void {
    const { counts } = this;
    if (counts !== undefined) counts[event.direction] += 1;
    if (this.logSize > 0) {
      this.events.push(event);
      if (this.events.length > this.logSize) this.events.shift();
    }
    if (this.isTracing) {
      const { atMs: _, ...row } = rowOfEvent(event);
      process.kernel.event("otp.trace", process, row);
    }
    for (const session of this.sessions) session.note(process, event);
    for (const [id, installed] of this.functions) this.fold(process, id, installed, event);
  }

  private fold(process: Process, id: string, installed: Installed, event: SysEvent): void {
    try {
      const state = installed.fold(installed.state, event, process.label);
      if (state === "done") this.functions.delete(id);
      else installed.state = state;
    } catch {
      // As in sys: a debug function that fails is removed, the process goes on.
      this.functions.delete(id);
    }
  }
}
