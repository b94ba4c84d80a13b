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
 *
 * One `task` message tells the outcome, `{ ok: true, value }` or `{ ok: false, reason }`. The task dies
 * with its owner, its signal aborted: hand the signal to whatever can be cancelled. Reusing a running
 * key ends the older task and drops its result. At most 64 run per owner; the next one fails with
 * `overloaded`.
 */
import { reasonOfThrown, type Reason } from "../reason.ts";
import { Envelope, Kind, type TaskResult } from "./message.ts";
import type { Behaviour, Process, StartOutcome } from "./process.ts";
import { noFacets, RefImpl } from "./ref.ts";

/** Options of one task. */
export interface TaskOptions {
  /** Ms until it is ended and fails with `timeout`; default 5000 ms; Infinity: never. */
  readonly timeoutMs?: number;
  /** True: a failure also exits the owner, as over a link; default false. */
  readonly link?: boolean;
}

const TASK_TIMEOUT_MS = 5000;
const MAX_TASKS_PER_OWNER = 64;

/** Starts `run` for `owner`; one `task` message tells the outcome. */
export function startTask(
  owner: Process,
  key: string,
  run: (signal: AbortSignal) => unknown,
  options: TaskOptions = {},
): void {
  const { kernel } = owner;
  const more = owner.more();
  more.tasks ??= new Map();
  const { tasks } = more;
  const old = tasks.get(key);
  if (old !== undefined) {
    tasks.delete(key);
    kernel.signals.exit(owner, old, "kill");
  }
  if (tasks.size >= MAX_TASKS_PER_OWNER) {
    mail(owner, key, { ok: false, reason: "overloaded" });
    return;
  }
  const outcome = kernel.spawn({
    behaviour: taskBehaviour,
    args: undefined,
    parent: owner,
    childId: `${owner.label}/task/${key}`,
  });
  // A task's init only makes its record.
  const task = (outcome as StartOutcome & { readonly process: Process }).process;
  tasks.set(key, task);
  const abort = new AbortController();
  task.more().abort = abort;
  kernel.onDown(task, (reason) => {
    // However it ended: a replaced or killed task must not hold its deadline.
    if (timer !== undefined) kernel.wheel.cancel(timer);
    if (tasks.get(key) !== task) return;
    tasks.delete(key);
    if (!owner.alive) return;
    mail(owner, key, (task.state as TaskResult | undefined) ?? { ok: false, reason });
    if (options.link === true && !isOk(task)) kernel.signals.exit(task, owner, reason);
  });
  const timeoutMs = options.timeoutMs ?? TASK_TIMEOUT_MS;
  const timer =
    timeoutMs === Number.POSITIVE_INFINITY
      ? undefined
      : kernel.wakeAt(timeoutMs, () => settle({ ok: false, reason: "timeout" }, "timeout"));
  const settle = (result: TaskResult, reason: Reason): void => {
    if (!task.alive) return;
    kernel.finish(task, reason);
    task.state = result;
  };
  const body = async (): Promise<void> => {
    try {
      settle({ ok: true, value: await run(abort.signal) }, "normal");
    } catch (error) {
      const reason = reasonOfThrown(error);
      settle({ ok: false, reason }, reason);
    }
  };
  kernel.send(task, new Envelope(Kind.internal, "run", body, undefined));
}

function isOk(task: Process): boolean {
  return (task.state as TaskResult | undefined)?.ok === true;
}

function mail(owner: Process, key: string, result: TaskResult): void {
  owner.kernel.send(owner, new Envelope(Kind.task, key, { type: "task", key, result }, undefined));
}

const taskBehaviour: Behaviour = {
  name: "task",
  kind: "task",
  trapExit: false,
  maxMailbox: 0,
  highWater: -1,
  overflow: "reject",
  hasCall: () => false,
  makeRef: (process) => new RefImpl(process.kernel, process, undefined, noFacets),
  init: (process) => ({ ok: true, process }),
  receive: (_process, envelope) => void (envelope.arg as () => Promise<void>)(),
  format: () => undefined,
};
