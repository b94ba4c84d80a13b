/**
 * Bounded traces for operators (otp.md 6.3): messages of one process, a name or a subtree, until
 * a count, a time, a rate or the operator ends it.
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
 * const trace = inspector.trace(
 *   { target: { subtree: "top" }, pattern: { type: "a*" }, maxCount: 2 },
 *   ({ process, direction, type }) => console.log(process, direction, type),
 * );
 * for (const by of [1, 2, 3]) ref.cast.add(by);
 * await node.settle();
 * console.log(await trace.ended, trace.traced);
 * try {
 *   inspector.trace({ target: "demo/part" }, () => {});
 * } catch (error) {
 *   console.log(String(error));
 * }
 * await node.stop();
 * ```
 *
 * ```text
 * demo/part in add
 * demo/part in add
 * count 2
 * OtpError: trace refused: give maxCount (messages), forMs (milliseconds) or both
 * ```
 *
 * | option | meaning | default |
 * |---|---|---|
 * | `target` | a pid: that incarnation; a name or path: whoever holds it; `{ subtree }`: all below, later ones too | none |
 * | `pattern` | `direction`, `kinds`, and `type` with `*` for any text | every message |
 * | `maxCount` | ends after this many messages, at most 10 000 | 10 000, when `forMs` is given |
 * | `forMs` | ends after this time, at most 600 000 ms | 600 000 ms, when `maxCount` is given |
 * | `maxRatePerSec` | messages told in a second, at most 10 000 | 1000 per second |
 * | `onRate` | above the rate: `skip` counts and leaves out, `stop` ends the trace | skip |
 *
 * A trace can be left behind by mistake, so every trace has an end: one without any bound is
 * refused (`OTP_UNBOUNDED_TRACE`), and so is one that asks for more than the limits; 16 may run at
 * once on a node (`OTP_TOO_MANY_TRACES`). The sink runs outside the traced process: when it throws,
 * the trace ends and the process goes on.
 */
import type { Kernel } from "../process/kernel.ts";
import type { MessageKind } from "../process/message.ts";
import type { Process } from "../process/process.ts";
import { runOutside } from "../process/scope.ts";
import { OtpError } from "../reason.ts";
import type { InspectTarget } from "../node/find.ts";
import type { TimerEntry } from "../time/wheel.ts";
import { rowOfEvent, type SysEvent, type SysEventRow } from "./event.ts";
import { debugOf, settleDebug, settleTaps, tapsOf } from "./taps.ts";
import { matcher, type Scope, scopeOf } from "./trace-match.ts";

/** What a trace may ask for at most. */
export const TRACE_LIMITS = {
  maxCount: 10_000,
  forMs: 600_000,
  maxRatePerSec: 10_000,
  /** Traces that may run at once on one node. */
  traces: 16,
} as const;
const DEFAULT_RATE_PER_SEC = 1000;
const SECOND_MS = 1000;

/** Which messages of the covered processes are traced; what is left out matches everything. */
export interface TracePattern {
  /** Received or sent; default both. */
  readonly direction?: "in" | "out";
  /** Kinds of messages; default all. */
  readonly kinds?: readonly (MessageKind | "reply")[];
  /** Name of the message, `*` stands for any text; default any. */
  readonly type?: string;
}

/** What to trace and when to end; at least one of `maxCount` and `forMs` must be given. */
export interface TraceRequest {
  /** A pid: that process. A name or path: whoever holds it. A subtree: all below, later ones too. */
  readonly target: InspectTarget | { readonly subtree: InspectTarget };
  /** Which messages; default all. */
  readonly pattern?: TracePattern;
  /** Ends after this many messages, at most 10 000; default 10 000 when `forMs` is given. */
  readonly maxCount?: number;
  /** Ends after this time, at most 600 000 ms; default 600 000 ms when `maxCount` is given. */
  readonly forMs?: number;
  /** Messages told per second, default 1000, at most 10 000. */
  readonly maxRatePerSec?: number;
  /** What happens above the rate: "skip" (default) counts and leaves out, "stop" ends the trace. */
  readonly onRate?: "skip" | "stop";
}

/** One traced message. */
export interface TraceRow extends SysEventRow {
  readonly pid: string;
  readonly process: string;
}

/** Why a trace ended. */
export type TraceEnd = "count" | "time" | "rate" | "stopped" | "gone" | "sink";

/** A running trace. */
export interface Trace {
  /** Messages told to the sink. */
  readonly traced: number;
  /** Messages left out because of the rate. */
  readonly skipped: number;
  readonly isRunning: boolean;
  /** Resolves with the reason when it ends. */
  readonly ended: Promise<TraceEnd>;
  stop(): void;
}

/** Receives traced messages; one that throws ends its trace, never the process. */
export type TraceSink = (row: TraceRow) => void;

/** Starts a trace; throws OtpError OTP_UNBOUNDED_TRACE, or ExitError when nobody is there. */
export function startTrace(kernel: Kernel, request: TraceRequest, sink: TraceSink): Trace {
  checkBounds(request);
  if ((kernel.taps?.sessions.size ?? 0) >= TRACE_LIMITS.traces) {
    const text = `${TRACE_LIMITS.traces} traces run already: stop one first`;
    throw new OtpError("OTP_TOO_MANY_TRACES", text);
  }
  const session = new TraceSession(kernel, request, sink);
  tapsOf(kernel).sessions.add(session);
  session.begin();
  return session;
}

function checkBounds(request: TraceRequest): void {
  const { maxCount, forMs, maxRatePerSec } = request;
  const refuse = (what: string): never => {
    throw new OtpError("OTP_UNBOUNDED_TRACE", `trace refused: ${what}`);
  };
  if (maxCount === undefined && forMs === undefined) {
    refuse("give maxCount (messages), forMs (milliseconds) or both");
  }
  const check = (name: "maxCount" | "forMs" | "maxRatePerSec", value: number | undefined): void => {
    if (value === undefined || (value > 0 && value <= TRACE_LIMITS[name])) return;
    refuse(`${name} is ${value}: give a number above 0, at most ${TRACE_LIMITS[name]}`);
  };
  check("maxCount", maxCount);
  check("forMs", forMs);
  check("maxRatePerSec", maxRatePerSec);
}

/** One trace; sits in the `Debug` of every process that it covers. */
export class TraceSession implements Trace {
  traced = 0;
  skipped = 0;
  isRunning = true;
  readonly ended: Promise<TraceEnd>;
  private readonly kernel: Kernel;
  private readonly request: TraceRequest;
  private readonly sink: TraceSink;
  private readonly scope: Scope;
  private readonly matches: (event: SysEvent) => boolean;
  private readonly processes = new Set<Process>();
  private tellEnded!: (reason: TraceEnd) => void;
  private timer: TimerEntry | undefined = undefined;
  private stopListening: (() => void) | undefined = undefined;
  private second = Number.NEGATIVE_INFINITY;
  private inSecond = 0;

  constructor(kernel: Kernel, request: TraceRequest, sink: TraceSink) {
    this.kernel = kernel;
    this.request = request;
    this.sink = sink;
    this.scope = scopeOf(kernel, request.target);
    this.matches = matcher(request.pattern ?? {});
    this.ended = new Promise((resolve) => {
      this.tellEnded = resolve;
    });
  }

  /** Covers what runs now and arms the ends. */
  begin(): void {
    const { kernel, scope } = this;
    for (const process of kernel.processes.values()) this.consider(process);
    this.timer = kernel.wakeAt(this.request.forMs ?? TRACE_LIMITS.forMs, () => this.end("time"));
    if (scope.name === undefined) return;
    this.stopListening = kernel.registry.listen((change, name, pid) => {
      if (change !== "register" || name !== scope.name) return;
      const process = kernel.processes.get(Number(pid.slice(1)));
      if (process !== undefined) this.consider(process);
    });
  }

  /** Covers a process when it lies in the scope. */
  consider(process: Process): void {
    if (!process.alive || !this.scope.covers(process)) return;
    this.processes.add(process);
    debugOf(process).sessions.add(this);
  }

  /** A covered process is dead. */
  forget(process: Process): void {
    this.processes.delete(process);
    if (this.scope.isOne && this.isRunning) this.end("gone");
  }

  note(process: Process, event: SysEvent): void {
    if (!this.isRunning || !this.matches(event)) return;
    if (!this.isWithinRate(event.atMs)) {
      this.skipped += 1;
      if (this.request.onRate === "stop") this.end("rate");
      return;
    }
    this.traced += 1;
    const row = { ...rowOfEvent(event), pid: process.pid, process: process.label };
    try {
      // What the sink does is the operator's doing, not the process's.
      runOutside(() => this.sink(row));
    } catch {
      this.end("sink");
      return;
    }
    if (this.traced >= (this.request.maxCount ?? TRACE_LIMITS.maxCount)) this.end("count");
  }

  stop(): void {
    this.end("stopped");
  }

  private isWithinRate(atMs: number): boolean {
    const second = Math.floor(atMs / SECOND_MS);
    if (second !== this.second) {
      this.second = second;
      this.inSecond = 0;
    }
    this.inSecond += 1;
    return this.inSecond <= (this.request.maxRatePerSec ?? DEFAULT_RATE_PER_SEC);
  }

  private end(reason: TraceEnd): void {
    if (!this.isRunning) return;
    this.isRunning = false;
    const { kernel, timer } = this;
    if (timer !== undefined) kernel.wheel.cancel(timer);
    this.stopListening?.();
    kernel.taps?.sessions.delete(this);
    for (const process of this.processes) {
      process.extras?.debug?.sessions.delete(this);
      settleDebug(process);
    }
    this.processes.clear();
    settleTaps(kernel);
    this.tellEnded(reason);
  }
}
