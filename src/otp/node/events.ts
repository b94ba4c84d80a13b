/**
 * The events that the runtime itself emits: one typed table of names and fields (otp.md 6.1).
 *
 * ```ts
 * import {
 *   child,
 *   createVirtualNode,
 *   defineActor,
 *   keyFor,
 *   reasonText,
 *   type RuntimeEvent,
 *   stop,
 *   supervisor,
 * } from "paceline/otp";
 *
 * const part = defineActor({
 *   name: "demo/part",
 *   init: (_args: undefined) => 0,
 *   casts: { end: (state) => stop(state, "worn_out") },
 * });
 * const key = keyFor(part)();
 *
 * const line = (event: RuntimeEvent): string => {
 *   switch (event.name) {
 *     case "otp.exit":
 *       return `${event.process} ended after ${event.fields.turns} turns: ${reasonText(event.fields.reason)}`;
 *     case "otp.restart":
 *       return `${event.process}: restart ${event.fields.inWindow} of ${event.fields.intensity}`;
 *     default:
 *       return event.name;
 *   }
 * };
 *
 * const node = createVirtualNode();
 * await node.start(supervisor("top", { children: [child(part, undefined, { register: key })] }));
 * node.telemetry.attach("lines", ["otp.exit", "otp.restart"], (event) => console.log(line(event)));
 * node.whereis(key)?.cast.end();
 * await node.settle();
 * node.telemetry.detach("lines");
 * await node.stop();
 * ```
 *
 * ```text
 * demo/part ended after 1 turns: worn_out
 * top: restart 1 of 1
 * ```
 *
 * `attach` types what it hands out by the names it is given: runtime events have the fields below,
 * an application's own events and "*" have open ones. `emit` takes a runtime event with exactly its
 * fields; other names beginning with `otp.` do not compile.
 *
 * | field of every event | meaning |
 * |---|---|
 * | `seq` | grows by one with each event that somebody heard, per node, from 1 |
 * | `atMs` | when, monotonic ms of the node |
 * | `process` | label of the process it is about, where there is one |
 * | `fields.worker` | thread of an isolated subtree that it came from, such as w1; pids are of that thread |
 *
 * Docs for operators, with levels: docs/telemetry.md, made from src/ops/events.ts. A field that may
 * be undefined is not known in every case.
 */
import type { CallFault, Reason } from "../reason.ts";
import type { Overflow } from "../process/process.ts";
import type { ReportContext } from "../supervisor/reports.ts";
import type { RestartStrategy } from "../supervisor/spec.ts";
import type { SysEventRow } from "../sys/event.ts";
import type { TelemetryEvent } from "./telemetry.ts";

/** Fields of the runtime's events by name; object literals, so that they are records too. */
export interface RuntimeEvents {
  /** A process ended its init. */
  "otp.init": {
    readonly pid: string;
    readonly result: "ok" | "ignore" | readonly ["error", Reason];
  };
  /** A process is gone; its names are free already. Uptime in ms, turns = messages handled. */
  "otp.exit": {
    readonly pid: string;
    readonly reason: Reason;
    readonly uptimeMs: number;
    readonly turns: number;
  };
  /** A process enters its terminate handler, a supervisor begins to stop its children. */
  "otp.terminate": { readonly pid: string; readonly reason: Reason };
  /** A process ended with an error. `state` is redacted, `log` there when its log was on. */
  "otp.crash": {
    readonly pid: string;
    /** One line of at most 200 characters. */
    readonly reason: string;
    readonly stack: string | undefined;
    /** Type of the last message; "" before the first one. */
    readonly handler: string;
    /** Messages that waited. */
    readonly mailbox: number;
    readonly state?: unknown;
    readonly log?: readonly SysEventRow[];
  };
  /** A supervisor reports about a child; `reportText` makes a line of it. */
  "otp.report": {
    readonly pid: string;
    readonly context: ReportContext;
    readonly reason: Reason;
    /** Id of the child: any value. */
    readonly child: unknown;
    /** Its last pid, "restarting:" in front while retrying. */
    readonly childPid: string | undefined;
    /** Children that ended alike, in the parallel stop of a dynamic supervisor. */
    readonly nb_children?: number;
  };
  /** A supervisor starts a child again. */
  "otp.restart": {
    readonly pid: string;
    readonly child: unknown;
    readonly strategy: RestartStrategy | "simple_one_for_one";
    /** Why the child ended, one line. */
    readonly reason: string;
    /** Restarts in the window, this one included, and how many are allowed. */
    readonly inWindow: number;
    readonly intensity: number;
    /** Attempts for this child so far. */
    readonly attempt: number;
    /** Backoff before it starts, ms. */
    readonly delayMs: number;
  };
  /** A dynamic supervisor holds `limit` children and refused another. */
  "otp.children.full": { readonly pid: string; readonly limit: number };
  /** A killed supervisor's processes are waited for, at most `delayMs`. */
  "otp.orphans": {
    readonly pid: string;
    readonly child: string;
    readonly count: number;
    readonly delayMs: number;
  };
  /** An init took longer than its `startTimeoutMs`; the process was killed. */
  "otp.start.timeout": { readonly pid: string; readonly durationMs: number };
  /** A mailbox is 80 % full; one per process and second. Lengths in messages. */
  "otp.mailbox.high": {
    readonly pid: string;
    readonly length: number;
    readonly max: number;
    readonly policy: Overflow;
  };
  /** `count` messages were refused or dropped since the last of these events. */
  "otp.mailbox.dropped": {
    readonly pid: string;
    readonly count: number;
    readonly length: number;
    readonly policy: Overflow;
  };
  /** Processes wait for each other's answers in a ring; dev mode only. */
  "otp.call.cycle": {
    readonly pid: string;
    readonly path: readonly string[];
    readonly type: string;
  };
  /** The event loop was held: by this process (`count` 1), or by it as the last of `count`. */
  "otp.turn.long": {
    readonly pid: string | undefined;
    readonly durationMs: number;
    readonly count: number;
    readonly handler: string | undefined;
    /** What the watchdog saw running. */
    readonly function?: string;
    readonly stack?: string;
    /** The watchdog saw it while it lasted. */
    readonly alarm?: true;
  };
  /** A sys command that changes something: suspend, resume, replace_state, terminate. */
  "otp.sys": { readonly pid: string; readonly command: string };
  /** A running process was given other code, or refused it. */
  "otp.upgrade": {
    readonly pid: string;
    readonly result: "ok" | "refused";
    readonly reason: Reason | undefined;
  };
  /** A running supervisor was brought in line with new child specs; one line a change. */
  "otp.reconcile": {
    readonly pid: string;
    readonly result: "ok" | "failed";
    readonly changes: readonly string[];
  };
  /** A traced process took or sent a message; bytes of a text or binary argument. */
  "otp.trace": {
    readonly pid: string;
    readonly direction: "in" | "out";
    readonly kind: SysEventRow["kind"];
    readonly type: string;
    readonly bytes?: number;
    readonly peer?: string;
  };
  /** A process got a message that it does not handle. */
  "otp.unknown": { readonly pid: string; readonly type: string };
  /** A message was for nobody: a pid that is gone, or a name that nobody holds. */
  "otp.dead_letter": { readonly target: string; readonly type: string };
  /** Code of a dead process tried to act; nothing happened. */
  "otp.zombie": { readonly process: string; readonly op: string };
  /** Code of a dead process was resumed, told once a process; dev mode only. */
  "otp.scope.resumed": { readonly pid: string; readonly op: string; readonly stack: string };
  /** A machine holds as many postponed events as it may: the next ones are dropped. */
  "otp.postponed.full": { readonly pid: string; readonly type: string; readonly limit: number };
  /** An isolated subtree runs in its thread, so many ms after its start was asked for. */
  "otp.worker.up": { readonly pid: string; readonly worker: string; readonly durationMs: number };
  /** A thread has ended, and everything in it with it. */
  "otp.worker.down": {
    readonly pid: string;
    readonly worker: string;
    /** Exit code of the thread. */
    readonly code: number;
    readonly reason: Reason;
  };
  /** `count` messages between threads were dropped since the last of these events. */
  "otp.worker.dropped": {
    readonly worker: string;
    readonly reason: CallFault | Reason;
    readonly type: string;
    readonly count: number;
  };
  /** A row left a full table (`maxRows`), or was too old (`ttlMs`). */
  "otp.table.evicted": {
    readonly table: string;
    readonly maxRows?: number;
    readonly ttlMs?: number;
  };
  /** A follower of a table threw and follows no more. */
  "otp.table.follower_failed": { readonly table: string; readonly error: unknown };
  /** A listener of the registry or a group threw and listens no more. */
  "otp.registry.listener_failed": { readonly name: string; readonly error: unknown };
  /** A telemetry handler threw while it took `event`, and was detached. */
  "telemetry.handler.failure": {
    readonly handler: string;
    readonly event: string;
    readonly error: unknown;
  };
}

/** Name of an event of the runtime. */
export type RuntimeEventName = keyof RuntimeEvents;

/** One event of the runtime as handlers get it. */
interface TypedEvent<N extends RuntimeEventName> extends Omit<TelemetryEvent, "fields"> {
  readonly name: N;
  readonly fields: RuntimeEvents[N] & { readonly worker?: string };
}

/** Any event of the runtime: a union that its `name` tells apart. */
export type RuntimeEvent = { [N in RuntimeEventName]: TypedEvent<N> }[RuntimeEventName];

/** The event of a name: typed fields for the runtime's, open ones for all others and for "*". */
export type EventOf<N extends string> = N extends RuntimeEventName
  ? TypedEvent<N>
  : N extends "*"
    ? TelemetryEvent
    : TelemetryEvent & { readonly name: N };

/** What `emit` takes after the name: a runtime event its own fields, and no other `otp.` name any. */
export type EmitArgs<N extends string> = N extends RuntimeEventName
  ? [fields: RuntimeEvents[N], process?: string]
  : N extends `otp.${string}`
    ? [fields: never]
    : [fields?: Readonly<Record<string, unknown>>, process?: string];

/** Events that name the process they are about by its pid. */
export type ProcessEventName = {
  [N in RuntimeEventName]: RuntimeEvents[N] extends { readonly pid: unknown } ? N : never;
}[RuntimeEventName];

/** Their fields besides the pid, which the kernel adds. */
export type ProcessEventFields<N extends ProcessEventName> = Omit<RuntimeEvents[N], "pid">;
