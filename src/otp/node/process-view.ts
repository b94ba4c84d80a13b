/**
 * One process as operators see it, read from the runtime's records without asking the process.
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
 * ref.cast.add(1);
 * await node.settle();
 * const info = inspector.info("demo/part");
 * console.log(info?.path, info?.status, info?.turns, info?.handler, info?.mailbox, info?.state);
 * console.log(inspector.processes().map(({ pid, kind, keys }) => [pid, kind, ...keys]));
 * await node.stop();
 * ```
 *
 * ```text
 * top/demo/part running 1 add 0 1
 * [ [ '#1', 'supervisor' ], [ '#2', 'worker', 'demo/part' ] ]
 * ```
 */
import { countItems, itemsOf } from "../../lib/few.ts";
import type { Kernel } from "../process/kernel.ts";
import type { Process } from "../process/process.ts";
import { reasonText } from "../reason.ts";
import type { Child } from "../supervisor/child.ts";
import { SupervisorBehaviour } from "../supervisor/supervisor.ts";
import { formatted } from "../sys/status.ts";
import { pathOfProcess } from "./find.ts";

/** One live process. */
export interface ProcessRow {
  /** Such as "#12". */
  readonly pid: string;
  /** Registered name, else the id under which its supervisor keeps it. */
  readonly name: string;
  readonly kind: "supervisor" | "worker" | "task";
  /** Pid of whoever started it; undefined for the root. */
  readonly parent: string | undefined;
  /** Registered names. */
  readonly keys: readonly string[];
  /** starting, running, busy (a handler awaits), suspended or stopping. */
  readonly status: string;
  /** Messages waiting. */
  readonly mailbox: number;
  /** Messages lost at the mailbox's bound since its start. */
  readonly dropped: number;
  /** Messages handled since its start. */
  readonly turns: number;
  /** Time spent in handlers since its start, ms: a sampled estimate. */
  readonly handlerMs: number;
  /** Times its supervisor restarted this child. */
  readonly restarts: number;
  /** Reason of the last end of this child as text. */
  readonly lastExit: string | undefined;
  /** Pids. */
  readonly links: readonly string[];
  /** Names of those it monitors. */
  readonly monitors: readonly string[];
  /** Monitors held on it. */
  readonly monitoredBy: number;
  /** Handler of the present or last turn. */
  readonly handler: string;
}

/** Everything about one process. */
export interface ProcessInfo extends ProcessRow {
  /** Ids from the root, joined by "/". */
  readonly path: string;
  /** Ms since its start. */
  readonly uptimeMs: number;
  readonly trapExit: boolean;
  /** Running timers with the ms that are left. */
  readonly timers: readonly { readonly key: string; readonly inMs: number }[];
  /** Keys of running tasks. */
  readonly tasks: readonly string[];
  /** Names of tables it owns. */
  readonly tables: readonly string[];
  /** Topics it subscribed to. */
  readonly topics: readonly string[];
  /** Messages that no handler took. */
  readonly unknownMessages: number;
  /** formatState, or the redacted state where there is none. */
  readonly state: unknown;
}

/** Row of a process. */
export function rowOf(process: Process): ProcessRow {
  const { extras } = process;
  const child = childOf(process);
  return {
    pid: process.pid,
    name: process.label,
    kind: process.behaviour.kind,
    parent: process.parent?.pid,
    keys: extras?.names ?? [],
    status: statusWord(process),
    mailbox: process.mailbox.size,
    dropped: extras?.dropped ?? 0,
    turns: process.turns,
    handlerMs: process.handlerUs / 1000,
    restarts: child?.restarts ?? 0,
    lastExit: child?.lastExit === undefined ? undefined : reasonText(child.lastExit),
    links: [...process.linked()].map((linked) => linked.pid),
    monitors: [...itemsOf(extras?.watching)].map((record) => record.target),
    monitoredBy: countItems(process.watchers),
    handler: process.handler,
  };
}

/** Everything about a process. */
export function infoOf(kernel: Kernel, process: Process): ProcessInfo {
  const nowMs = kernel.now();
  const { extras } = process;
  return {
    ...rowOf(process),
    path: pathOfProcess(process),
    uptimeMs: nowMs - process.startedAtMs,
    trapExit: process.trapExit,
    timers: [...(extras?.timers ?? [])].map(([key, timer]) => ({
      key,
      inMs: Math.max(0, timer.deadlineMs - nowMs),
    })),
    tasks: [...(extras?.tasks?.keys() ?? [])],
    tables: [...(extras?.tables ?? [])].map((table) => (table as { name?: string }).name ?? "?"),
    topics: extras?.topics ?? [],
    unknownMessages: extras?.unknown ?? 0,
    state: formatted(process),
  };
}

/** Where a process is, in one word. */
export function statusWord(process: Process): string {
  if (process.suspended) return "suspended";
  if (process.status === "running" && process.busy) return "busy";
  return process.status;
}

function childOf(process: Process): Child | undefined {
  const owner = process.parent?.behaviour;
  return owner instanceof SupervisorBehaviour ? owner.childOf(process) : undefined;
}
