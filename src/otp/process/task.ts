/**
 * Tasks: work of a process that must not block its mailbox, in a process of its own.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, supervisor } from "paceline/otp";
 *
 * const fetcher = defineActor({
 *   name: "demo/fetcher",
 *   init: (_args: undefined, ctx) => {
 *     ctx.task("good", async (signal) => `aborted: ${signal.aborted}`);
 *     ctx.task("slow", () => new Promise<never>(() => {}), { timeoutMs: 100 });
 *     return 0;
 *   },
 *   on: (state, info) => {
 *     if (info.type === "task") console.log(info.key, info.result);
 *     return state;
 *   },
 * });
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("top", { children: [child(fetcher, undefined, { id: "fetcher" })] }),
 * );
 * await node.advance(100);
 * await node.stop();
 * ```
 *
 * ```text
 * good { ok: true, value: 'aborted: false' }
 * slow { ok: false, reason: 'timeout' }
 * ```
 *
 * | option | meaning | default |
 * |---|---|---|
 * | `timeoutMs` | ms until the task is ended and fails with `timeout`; Infinity: never | 5000 ms |
 * | `link` | a failure also exits the owner, as over a link | false |
 * | `supervisor` | task supervisor that holds it: a ref, registered name, path or unique id | none: below its owner |
 *
 * One `task` message tells the outcome, `{ ok: true, value }` or `{ ok: false, reason }`. The task dies
 * with its owner, its signal aborted: hand the signal to whatever can be cancelled. Reusing a running
 * key ends the older task and drops its result. At most 64 run per owner; the next one fails with
 * `overloaded`.
 */
import { reasonOfThrown, type Reason } from "../reason.ts";
import type { SupervisorRef } from "../supervisor/ref.ts";
import type { TaskSpec } from "../supervisor/task-supervisor.ts";
import { Envelope, Kind, type TaskResult } from "./message.ts";
import type { Behaviour, Process, StartOutcome } from "./process.ts";
import { noFacets, RefImpl } from "./ref.ts";

/** The work of a task; the signal aborts when the task ends before the work does. */
export type TaskRun = (signal: AbortSignal) => unknown;

/** Options of one task. */
export interface TaskOptions {
  /** Ms until it is ended and fails with `timeout`; default 5000 ms; Infinity: never. */
  readonly timeoutMs?: number;
  /** True: a failure also exits the owner, as over a link; default false. */
  readonly link?: boolean;
  /** Task supervisor that holds it: a ref, or a registered name, path or unique id; default: none. */
  readonly supervisor?: SupervisorRef<TaskSpec> | string;
}

/** What a task process is started with. */
export interface TaskJob {
  readonly run: TaskRun;
  readonly timeoutMs: number;
  /** Undefined: nobody waits for the outcome. */
  readonly owned: OwnedTask | undefined;
}

/** Default deadline of a task whose owner waits. */
export const TASK_TIMEOUT_MS = 5000;
/** Tasks that may run for one owner at a time. */
export const MAX_TASKS_PER_OWNER = 64;

/** One task as its owner keeps it, under its key. */
export class OwnedTask {
  private readonly owner: Process;
  private readonly key: string;
  private readonly tell: (result: TaskResult) => void;
  private readonly isLinked: boolean;
  private process: Process | undefined = undefined;
  /** The owner has died or has replaced it: it must not begin any more. */
  isCancelled = false;

  constructor(owner: Process, key: string, tell: (result: TaskResult) => void, isLinked: boolean) {
    this.owner = owner;
    this.key = key;
    this.tell = tell;
    this.isLinked = isLinked;
  }

  /** Name of its process. */
  get label(): string {
    return `${this.owner.label}/task/${this.key}`;
  }

  /** Its process is there; the end of it is the outcome. */
  begun(process: Process): void {
    this.process = process;
    process.kernel.onDown(process, (reason) => this.ended(process, reason));
  }

  /** It could not be started. */
  fail(reason: Reason): void {
    if (this.process === undefined && this.release()) this.tell({ ok: false, reason });
  }

  cancel(): void {
    const { owner, process } = this;
    this.isCancelled = true;
    if (process !== undefined) owner.kernel.signals.exit(owner, process, "kill");
  }

  private ended(process: Process, reason: Reason): void {
    if (!this.release()) return;
    const result = (process.state as TaskResult | undefined) ?? { ok: false, reason };
    this.tell(result);
    const { owner } = this;
    if (this.isLinked && !result.ok) owner.kernel.signals.exit(process, owner, reason);
  }

  /** Frees the key; false when nobody waits any more. */
  private release(): boolean {
    const { owner, key } = this;
    const tasks = owner.extras?.tasks;
    if (tasks?.get(key) !== this) return false;
    tasks.delete(key);
    return owner.alive;
  }
}

/** Starts the process of a claimed task below its owner; nothing to do for an overloaded one. */
export function startBelow(
  owner: Process,
  run: TaskRun,
  options: TaskOptions,
  owned: OwnedTask | undefined,
): void {
  if (owned === undefined) return;
  const job: TaskJob = { run, timeoutMs: options.timeoutMs ?? TASK_TIMEOUT_MS, owned };
  // The init of a task waits for nothing.
  void owner.kernel.spawn({
    behaviour: taskBehaviour,
    args: job,
    parent: owner,
    childId: owned.label,
  });
}

/** Takes `key` for a new task, from an older one if need be; undefined: none may start. */
export function claimTask(
  owner: Process,
  key: string,
  tell: (result: TaskResult) => void,
  options: TaskOptions,
): OwnedTask | undefined {
  // A dead owner would never end it.
  if (!owner.alive) return undefined;
  const more = owner.more();
  more.tasks ??= new Map();
  const { tasks } = more;
  const old = tasks.get(key);
  if (old !== undefined) {
    tasks.delete(key);
    old.cancel();
  }
  if (tasks.size >= MAX_TASKS_PER_OWNER) {
    tell({ ok: false, reason: "overloaded" });
    return undefined;
  }
  const owned = new OwnedTask(owner, key, tell, options.link === true);
  tasks.set(key, owned);
  return owned;
}

/** Tells an outcome by a `task` message. */
export function mailTo(owner: Process, key: string): (result: TaskResult) => void {
  return (result) =>
    owner.kernel.send(
      owner,
      new Envelope(Kind.task, key, { type: "task", key, result }, undefined),
    );
}

/** What every task process runs. */
export const taskBehaviour: Behaviour = {
  name: "task",
  kind: "task",
  trapExit: false,
  maxMailbox: 0,
  highWater: -1,
  overflow: "reject",
  hasCall: () => false,
  makeRef: (process) => new RefImpl(process.kernel, process, undefined, noFacets),
  init: (process, args): StartOutcome => {
    const job = args as TaskJob;
    if (job.owned?.isCancelled === true) return { ok: false, ignored: true };
    begin(process, job);
    return { ok: true, process };
  },
  receive: (_process, envelope) => void (envelope.arg as () => Promise<void>)(),
  format: () => undefined,
};

/** Arms the deadline and mails the process its work: init itself runs none of it. */
function begin(task: Process, job: TaskJob): void {
  const { kernel } = task;
  const abort = new AbortController();
  const more = task.more();
  more.abort = abort;
  const settle = (result: TaskResult, reason: Reason): void => {
    if (!task.alive) return;
    kernel.finish(task, reason);
    task.state = result;
  };
  if (job.timeoutMs !== Number.POSITIVE_INFINITY) {
    const fault = { ok: false, reason: "timeout" } as const;
    // Among the sleeps: they are cancelled with the process.
    more.sleeps = new Set([kernel.wakeAt(job.timeoutMs, () => settle(fault, "timeout"))]);
  }
  const body = async (): Promise<void> => {
    try {
      settle({ ok: true, value: await job.run(abort.signal) }, "normal");
    } catch (error) {
      const reason = reasonOfThrown(error);
      settle({ ok: false, reason }, reason);
    }
  };
  job.owned?.begun(task);
  kernel.send(task, new Envelope(Kind.internal, "run", body, undefined));
}
