/**
 * Task supervisors: tasks that hang below a supervisor of their own instead of below who wants them.
 *
 * ```ts
 * import {
 *   child,
 *   createVirtualNode,
 *   defineActor,
 *   supervisor,
 *   task,
 *   type TaskSpec,
 *   taskSupervisor,
 * } from "paceline/otp";
 *
 * const asker = defineActor({
 *   name: "demo/asker",
 *   init: (_args: undefined, ctx) => {
 *     ctx.task("square", async () => 6 * 7, { supervisor: "demo/jobs" });
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
 *   supervisor("demo", {
 *     children: [taskSupervisor("demo/jobs"), child(asker, undefined, { id: "asker" })],
 *   }),
 * );
 * await node.settle();
 *
 * let tries = 0;
 * const warmUp = () => {
 *   tries += 1;
 *   if (tries === 1) throw new Error("cold");
 *   console.log("warm after", tries, "tries");
 * };
 * await node.supervisor<TaskSpec>("demo/jobs")?.startChild(task(warmUp, { restart: "transient" }));
 * await node.settle();
 * await node.stop();
 * ```
 *
 * ```text
 * square { ok: true, value: 42 }
 * warm after 2 tries
 * ```
 *
 * | option of `taskSupervisor` | meaning | default |
 * |---|---|---|
 * | `maxChildren` | tasks at a time; the next fails with `max_children` | 10 000; no bound in profile "otp" |
 * | flags and policy | as of any dynamic supervisor | intensity 1 in 5 s, permanent |
 *
 * | option of `task` | meaning | default |
 * |---|---|---|
 * | `restart` | transient runs it again after a failure, permanent after every end | temporary: never |
 * | `timeoutMs` | one run may take this long, ms | Infinity |
 * | `id` | names it in the tree and in reports | task |
 *
 * A task with an owner (`ctx.task`) is always temporary: its outcome is one `task` message, and the
 * death of the owner kills it. The tasks show in the tree and are stopped with their supervisor, at
 * once, because a task traps no exits; its signal aborts. Without such a supervisor the task fails
 * with `noproc`, under a supervisor of other children with `no_task_supervisor`.
 */
import type { Process } from "../process/process.ts";
import { processOf } from "../process/ref.ts";
import {
  claimTask,
  mailTo,
  type OwnedTask,
  startBelow,
  TASK_TIMEOUT_MS,
  taskBehaviour,
  type TaskJob,
  type TaskOptions,
  type TaskRun,
} from "../process/task.ts";
import type { TaskResult } from "../process/message.ts";
import { findSupervisor } from "./ref.ts";
import {
  type ChildPolicy,
  type ChildSpec,
  dynamicSupervisor,
  type RestartType,
  type SupervisorFlags,
  type SupervisorSpec,
} from "./spec.ts";
import { SupervisorBehaviour } from "./supervisor.ts";

/** What `taskSupervisor` takes: the flags of a dynamic supervisor without its template. */
export interface TaskSupervisorOptions extends SupervisorFlags, ChildPolicy {
  /** A task beyond this fails with max_children; default 10 000 (profile "otp": no bound). */
  readonly maxChildren?: number;
}

/** Options of a task that nobody waits for. */
export interface LooseTaskOptions {
  /** Default temporary; transient runs it again after a failure, permanent for ever. */
  readonly restart?: RestartType;
  /** One run may take this long, ms; default Infinity. */
  readonly timeoutMs?: number;
  /** Names it in reports; default "task". */
  readonly id?: string;
}

/** A task to be started by `startChild` of a task supervisor; made by `task`. */
export class TaskSpec {
  /** For the runtime. */
  readonly job: TaskJob;
  readonly id: string;
  readonly restart: RestartType;

  constructor(job: TaskJob, id: string, restart: RestartType) {
    this.job = job;
    this.id = id;
    this.restart = restart;
  }
}

const TASK_SHUTDOWN_MS = 5000;

/** A supervisor of tasks; its `startChild` takes what `task` makes. */
export function taskSupervisor(
  id: string,
  options: TaskSupervisorOptions = {},
): SupervisorSpec<TaskSpec> {
  return dynamicSupervisor(id, { ...options, template: specOf });
}

/** Work for a task supervisor that nobody waits for: `ref.startChild(task(run))`. */
export function task(run: TaskRun, options: LooseTaskOptions = {}): TaskSpec {
  const timeoutMs = options.timeoutMs ?? Number.POSITIVE_INFINITY;
  const job: TaskJob = { run, timeoutMs, owned: undefined };
  return new TaskSpec(job, options.id ?? "task", options.restart ?? "temporary");
}

/** Starts `run` for `owner` where the options say; `tell` hears its outcome once. */
export function launchTask(
  owner: Process,
  key: string,
  run: TaskRun,
  options: TaskOptions = {},
  tell: (result: TaskResult) => void = mailTo(owner, key),
): void {
  const owned = claimTask(owner, key, tell, options);
  if (options.supervisor === undefined) startBelow(owner, run, options, owned);
  else if (owned !== undefined) startUnder(owner, run, options, owned);
}

/** The admin call is the supervisor's to answer; that the task began is told by its init. */
function startUnder(owner: Process, run: TaskRun, options: TaskOptions, owned: OwnedTask): void {
  const { supervisor } = options;
  const ref =
    typeof supervisor === "string"
      ? findSupervisor<TaskSpec>(owner.kernel, supervisor)
      : supervisor;
  const holder = ref === undefined ? undefined : processOf(ref);
  if (ref === undefined || holder === undefined) {
    owned.fail("noproc");
    return;
  }
  if (!holdsTasks(holder)) {
    owned.fail(["no_task_supervisor", holder.label]);
    return;
  }
  const job: TaskJob = { run, timeoutMs: options.timeoutMs ?? TASK_TIMEOUT_MS, owned };
  void ref.startChild(new TaskSpec(job, owned.label, "temporary")).then((result) => {
    if (!result.ok) owned.fail(result.reason);
  });
}

function holdsTasks({ behaviour }: Process): boolean {
  return behaviour instanceof SupervisorBehaviour && behaviour.setup.template === specOf;
}

function specOf(spec: TaskSpec): ChildSpec {
  if (!(spec instanceof TaskSpec)) return spec;
  return {
    id: spec.id,
    type: "worker",
    restart: spec.restart,
    shutdown: TASK_SHUTDOWN_MS,
    significant: false,
    backoff: undefined,
    startTimeoutMs: undefined,
    name: undefined,
    start: { behaviour: taskBehaviour, args: spec.job },
  };
}
