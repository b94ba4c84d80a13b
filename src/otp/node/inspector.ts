/**
 * What operators see. Reads the runtime's records directly and sends no message, so that it is safe
 * to poll and works while processes hang.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, keyFor, supervisor } from "paceline/otp";
 *
 * const vault = defineActor({
 *   name: "demo/vault",
 *   init: (token: string, ctx) => {
 *     ctx.every(1_000, "tick");
 *     return { token, opened: 0 };
 *   },
 * });
 * const vaultKey = keyFor(vault);
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("top", { children: [child(vault, "s3cret", { register: vaultKey() })] }),
 * );
 * const { inspector } = node;
 * const info = inspector.info("demo/vault");
 * console.log(info?.path, info?.status, info?.timers, info?.state);
 * console.log(
 *   await inspector.replaceState("demo/vault", (state) => ({ ...(state as object), opened: 1 })),
 * );
 * inspector.exit("demo/vault", "kill");
 * await node.settle();
 * const [row] = inspector.tree()?.children ?? [];
 * console.log(row?.name, row?.pid, row?.restarts, row?.last_exit);
 * await node.stop();
 * ```
 *
 * ```text
 * top/demo/vault running [ { key: 'tick', inMs: 1000 } ] { token: '***', opened: 0 }
 * { token: 's3cret', opened: 1 }
 * demo/vault #3 { count: 1, intensity: 1, period_ms: 5000 } killed
 * ```
 *
 * A target is a pid such as `"#12"`, a registered name, a supervisor's id, a path of ids from the root
 * joined by `/`, or a ref. Unknown targets give undefined or false.
 *
 * Looking (`tree`, `processes`, `info`, `names`, `tables`, `counters`) is synchronous and free of side
 * effects. Acting on a process from outside is either a signal (`exit`) or a system message, answered
 * between turns in mailbox order within 5000 ms, else the promise rejects with `timeout`: `suspend`,
 * `resume`, `getState`, `replaceState`. A process that hangs in a turn answers none of them, but can
 * still be looked at and killed. `state` in `info` is `formatState`'s view, or a bounded copy in which
 * everything named like a secret is `***`; `getState` gives the state itself.
 */
import { countItems, itemsOf } from "../../lib/few.ts";
import type { Kernel } from "../process/kernel.ts";
import { idText, type Process } from "../process/process.ts";
import type { ProcessRef } from "../process/ref.ts";
import { placeSys, type SysCommand } from "../process/sys.ts";
import { reasonText, type Reason } from "../reason.ts";
import type { Child } from "../supervisor/child.ts";
import { pathOf } from "../supervisor/ref.ts";
import { SupervisorBehaviour } from "../supervisor/supervisor.ts";

const SYS_TIMEOUT_MS = 5000;

/** Restarts against their budget. */
export interface RestartView {
  /** A supervisor: restarts inside its window. A worker: times it was restarted. */
  readonly count: number;
  /** Restarts allowed inside the window. */
  readonly intensity: number;
  /** The window, ms. */
  readonly period_ms: number;
}

/** One node of the tree, as the admin socket prints it. */
export interface TreeNode {
  /** Registered name, else the id under which its supervisor keeps it. */
  readonly name: string;
  /** Null while it does not run. */
  readonly pid: string | null;
  readonly kind: "supervisor" | "worker";
  /** starting, running, busy, suspended, stopping, restarting or undefined. */
  readonly status: string;
  /** Of a supervisor. */
  readonly strategy?: string;
  /** Restarts against the budget they count in. */
  readonly restarts: RestartView;
  /** Reason of its last end as text; absent when it never ended. */
  readonly last_exit?: string;
  /** In start order; empty for a worker. */
  readonly children: readonly TreeNode[];
}

/** One live process. */
export interface ProcessRow {
  /** Such as "#12". */
  readonly pid: string;
  /** Registered name, else the id under which its supervisor keeps it. */
  readonly name: string;
  readonly kind: "supervisor" | "worker" | "task";
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
  /** Pid of whoever started it. */
  readonly parent: string | undefined;
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

/** A pid such as "#12", a registered name, a supervisor's id or path, or a ref. */
export type InspectTarget = string | ProcessRef;

/** View on one node. */
export class Inspector {
  private readonly kernel: Kernel;
  private readonly roots: () => readonly Process[];

  constructor(kernel: Kernel, roots: () => readonly Process[]) {
    this.kernel = kernel;
    this.roots = roots;
  }

  /** The supervision tree; undefined while nothing is started. */
  tree(): TreeNode | undefined {
    const root = this.roots()[0];
    return root?.alive === true ? this.processNode(root, undefined) : undefined;
  }

  /** Every live process, in pid order. */
  processes(): ProcessRow[] {
    return [...this.kernel.processes.values()].map(rowOf);
  }

  /** Everything about one process; undefined when there is none. */
  info(target: InspectTarget): ProcessInfo | undefined {
    const process = this.find(target);
    if (process === undefined) return undefined;
    const nowMs = this.kernel.now();
    const { extras } = process;
    return {
      ...rowOf(process),
      path: process.behaviour.kind === "supervisor" ? pathOf(process) : workerPath(process),
      parent: process.parent?.pid,
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
      state: stateOf(process),
    };
  }

  /** Pid of a target, or undefined. */
  resolve(target: InspectTarget): string | undefined {
    return this.find(target)?.pid;
  }

  /** Sends an exit signal from outside; "kill" cannot be trapped. False: no such process. */
  exit(target: InspectTarget, reason: Reason): boolean {
    const process = this.find(target);
    if (process === undefined) return false;
    this.kernel.signals.exit(undefined, process, reason);
    return true;
  }

  /** Holds a process: it receives only system messages and its parent's exit. */
  async suspend(target: InspectTarget): Promise<void> {
    await this.sys(target, { op: "suspend" });
  }

  /** Lets a suspended process go on. */
  async resume(target: InspectTarget): Promise<void> {
    await this.sys(target, { op: "resume" });
  }

  /** The state itself, not redacted: for tests and debugging. */
  getState(target: InspectTarget): Promise<unknown> {
    return this.sys(target, { op: "get_state" });
  }

  /** Replaces the state; rejects with callback_failed and changes nothing when `replace` throws. */
  replaceState(target: InspectTarget, replace: (state: unknown) => unknown): Promise<unknown> {
    return this.sys(target, { op: "replace_state", replace });
  }

  private sys(target: InspectTarget, command: SysCommand): Promise<unknown> {
    const label = typeof target === "string" ? target : target.name;
    return placeSys(this.find(target), label, command, SYS_TIMEOUT_MS);
  }

  /** Registered names that begin with `prefix`. */
  names(prefix = ""): { readonly name: string; readonly pid: string }[] {
    return this.kernel.registry.select(prefix);
  }

  /** Open tables with their sizes. */
  tables(): { readonly name: string; readonly rows: number; readonly owner: string | undefined }[] {
    return [...this.kernel.tables.values()].map((table) => ({
      name: table.name,
      rows: table.size,
      owner: table.ownerPid,
    }));
  }

  /** Counters of the runtime itself. */
  counters(): Readonly<Record<string, number>> {
    const { kernel } = this;
    return {
      ...kernel.counters,
      processes: kernel.processes.size,
      names: kernel.registry.size,
      timers: kernel.wheel.size,
      runQueue: kernel.scheduler.length,
      turns: kernel.scheduler.turns,
      slices: kernel.scheduler.slices,
    };
  }

  private find(target: InspectTarget): Process | undefined {
    const text = typeof target === "string" ? target : target.id;
    if (/^#\d+$/.test(text)) return this.kernel.processes.get(Number(text.slice(1)));
    const named = this.kernel.registry.get(text);
    if (named !== undefined) return named;
    const peers = this.kernel.supervisors.get(text);
    if (peers?.size === 1) for (const only of peers) return only;
    for (const process of this.kernel.processes.values()) {
      const path = process.behaviour.kind === "supervisor" ? pathOf(process) : workerPath(process);
      if (path === text) return process;
    }
    return undefined;
  }

  private processNode(process: Process, child: Child | undefined): TreeNode {
    const { behaviour } = process;
    const own = childView(process, child);
    if (!(behaviour instanceof SupervisorBehaviour)) {
      return { ...own, kind: "worker", children: [] };
    }
    const children: TreeNode[] = [];
    for (const inner of behaviour.children) children.push(this.childNode(inner, behaviour));
    return {
      ...own,
      kind: "supervisor",
      strategy: behaviour.setup.strategy,
      restarts: budget(behaviour, behaviour.window.count(this.kernel.now())),
      children,
    };
  }

  private childNode(child: Child, owner: SupervisorBehaviour): TreeNode {
    const { process, spec } = child;
    const restarts = budget(owner, child.restarts);
    if (process !== undefined) {
      const node = this.processNode(process, child);
      return node.kind === "supervisor" ? node : { ...node, restarts };
    }
    return {
      name: spec.name ?? idText(spec.id),
      pid: null,
      kind: spec.type,
      status: child.isRestarting ? "restarting" : "undefined",
      restarts,
      ...(child.lastExit === undefined ? {} : { last_exit: reasonText(child.lastExit) }),
      children: [],
    };
  }
}

function childView(
  process: Process,
  child: Child | undefined,
): Omit<TreeNode, "kind" | "children"> {
  const lastExit = child?.lastExit;
  return {
    name: process.label,
    pid: process.pid,
    status: statusOf(process),
    restarts: { count: child?.restarts ?? 0, intensity: 0, period_ms: 0 },
    ...(lastExit === undefined ? {} : { last_exit: reasonText(lastExit) }),
  };
}

function budget(owner: SupervisorBehaviour, count: number): RestartView {
  const { intensity, period } = owner.setup;
  return { count, intensity, period_ms: period * 1000 };
}

function statusOf(process: Process): string {
  if (process.suspended) return "suspended";
  if (process.status === "running" && process.busy) return "busy";
  return process.status;
}

function rowOf(process: Process): ProcessRow {
  const { extras } = process;
  const child = childOf(process);
  return {
    pid: process.pid,
    name: process.label,
    kind: process.behaviour.kind,
    keys: extras?.names ?? [],
    status: statusOf(process),
    mailbox: process.mailbox.size,
    dropped: extras?.dropped ?? 0,
    turns: process.turns,
    handlerMs: process.handlerMs,
    restarts: child?.restarts ?? 0,
    lastExit: child?.lastExit === undefined ? undefined : reasonText(child.lastExit),
    links: [...process.linked()].map((linked) => linked.pid),
    monitors: [...itemsOf(extras?.watching)].map((record) => record.target),
    monitoredBy: countItems(process.watchers),
    handler: process.handler,
  };
}

function childOf(process: Process): Child | undefined {
  const owner = process.parent?.behaviour;
  return owner instanceof SupervisorBehaviour ? owner.childOf(process) : undefined;
}

function workerPath(process: Process): string {
  const own = process.childId === undefined ? process.behaviour.name : idText(process.childId);
  return process.parent === undefined ? own : `${pathOf(process.parent)}/${own}`;
}

function stateOf(process: Process): unknown {
  try {
    return process.behaviour.format(process);
  } catch (error) {
    return { formatState: `failed: ${String(error)}` };
  }
}
