/**
 * The runtime's one door, exported as `paceline/otp`: supervisors, actors, machines, registry,
 * tables, telemetry and nodes that behave as Erlang/OTP's do.
 *
 * ```ts
 * import { child, createNode, defineActor, keyFor, reply, supervisor } from "paceline/otp";
 *
 * const counter = defineActor({
 *   name: "demo/counter",
 *   init: (start: number) => ({ count: start }),
 *   calls: { get: (state) => reply(state, state.count) },
 *   casts: {
 *     add: (state, by: number) => {
 *       if (!Number.isFinite(by)) throw new RangeError(`not a number: ${by}`);
 *       return { count: state.count + by };
 *     },
 *   },
 * });
 * const counterKey = keyFor(counter);
 *
 * const node = createNode();
 * await node.start(
 *   supervisor("demo", { children: [child(counter, 10, { register: counterKey() })] }),
 * );
 * const ref = node.via(counterKey());
 * ref.cast.add(5);
 * console.log(await ref.call.get());
 * ref.cast.add(Number.NaN);
 * console.log(await ref.try.get().then((answer) => answer.ok));
 * console.log(await ref.call.get());
 * await node.stop();
 * ```
 *
 * ```text
 * 15
 * false
 * 10
 * ```
 *
 * The bad cast ended the process, the call behind it failed with the reason, the supervisor started
 * the process again from its init argument, and the key found the new one.
 *
 * | to | see |
 * |---|---|
 * | define a process | `defineActor` (actor/definition.ts), `defineMachineActor` (actor/machine-actor.ts) |
 * | decide what follows a message | `next`, `stop`, `reply`, `later`, `ignore`, `refuse` (actor/control.ts) |
 * | act from a handler: timers, tasks, links, names, topics | `Ctx` (actor/context.ts) |
 * | say what runs and what restarts it | `child`, `supervisor`, `dynamicSupervisor` (supervisor/spec.ts) |
 * | split, or start on demand | `partitionSupervisor` (supervisor/partitions.ts), `taskSupervisor` (supervisor/task-supervisor.ts) |
 * | run a subtree in a worker thread | `supervisor(id, { isolate: "worker", from })`, `transfer` (isolate/transfer.ts) |
 * | change a running tree | `SupervisorRef` (supervisor/ref.ts), `planReconcile` (supervisor/reconcile.ts) |
 * | find processes | `keyFor`, `Key` (names/key.ts), `groupFor` (names/groups.ts), listeners (names/registry.ts), topics (names/pubsub.ts) |
 * | share rows | `Table` (names/table.ts) |
 * | run it | `createNode` (node/node.ts), in tests `createVirtualNode` (node/virtual.ts) |
 * | look at it, hold it, change its code | `Inspector` (node/inspector.ts), its sys calls (sys/client.ts), traces (sys/trace.ts), `Telemetry` (node/telemetry.ts), `Log` (node/log.ts) |
 * | log what supervisors report | `reportText` (supervisor/report-text.ts) |
 * | understand an end | `Reason`, `ExitError`, `OtpError` (reason.ts) |
 *
 * Guides stand in docs/otp/.
 */
export { ignore, later, next, refuse, reply, stop } from "./actor/control.ts";
export type { Later, Next, NextOptions, Reply, Stop } from "./actor/control.ts";
export type { Ctx, SpawnOptions, Target } from "./actor/context.ts";
export { defineActor } from "./actor/definition.ts";
export type {
  AnyDef,
  ArgsOf,
  Awaitable,
  CallMap,
  CastMap,
  Def,
  MailboxOptions,
  Ref,
  Step,
} from "./actor/definition.ts";
export type { SavedMachine } from "./actor/machine-resume.ts";
export { defineMachineActor } from "./actor/machine-actor.ts";
export type { TaskStreamOptions } from "./actor/task-stream.ts";
export { groupFor } from "./names/groups.ts";
export type { Group, GroupView, Member, OwnGroups } from "./names/groups.ts";
export { transfer } from "./isolate/transfer.ts";
export type { IsolatedFrom } from "./isolate/origin.ts";
export { keyFor } from "./names/key.ts";
export type { Key } from "./names/key.ts";
export { Table } from "./names/table.ts";
export type { RowKey, TableChange, TableOptions, TableTransfer } from "./names/table.ts";
export { createNode } from "./node/node.ts";
export type { Node, NodeOptions } from "./node/node.ts";
export { createVirtualNode } from "./node/virtual.ts";
export type { VirtualNode, VirtualOptions } from "./node/virtual.ts";
export type { Dump, DumpOptions, MailboxRow } from "./node/dump.ts";
export type { InspectTarget } from "./node/find.ts";
export type { Inspector } from "./node/inspector.ts";
export type { ProcessInfo, ProcessRow } from "./node/process-view.ts";
export type { RestartView, TreeNode } from "./node/tree-view.ts";
export type { Log, LogLevel, LogSink } from "./node/log.ts";
export type { ProfileName } from "./node/profile.ts";
export type { WatchdogOptions } from "./node/watchdog.ts";
export type {
  EmitArgs,
  EventOf,
  RuntimeEvent,
  RuntimeEventName,
  RuntimeEvents,
} from "./node/events.ts";
export type { Telemetry, TelemetryEvent, TelemetryHandler } from "./node/telemetry.ts";
export type { CallOptions, CallResult, From } from "./process/calls.ts";
export type { Info, Monitor, TaskResult } from "./process/message.ts";
export type { ProcessRef } from "./process/ref.ts";
export type { TaskOptions, TaskRun } from "./process/task.ts";
export { exit, ExitError, isCleanReason, isShutdown, OtpError, reasonText } from "./reason.ts";
export type { CallFault, Reason } from "./reason.ts";
export type {
  AdminResult,
  ChildCounts,
  ChildRow,
  ChildTarget,
  StartedChild,
  SupervisorRef,
} from "./supervisor/ref.ts";
export { reportText } from "./supervisor/report-text.ts";
export type { ReportTextOptions } from "./supervisor/report-text.ts";
export { partitionOf, partitionSupervisor } from "./supervisor/partitions.ts";
export type { PartitionOptions, PartitionSpec } from "./supervisor/partitions.ts";
export { linesOfPlan, planReconcile } from "./supervisor/reconcile.ts";
export type {
  FlagChange,
  ReconcilePlan,
  ReconcileStep,
  RunningChild,
  RunningSupervisor,
} from "./supervisor/reconcile.ts";
export type { Reconciled, ReconcileFailure } from "./supervisor/reconcile-apply.ts";
export type { Upgraded } from "./sys/client.ts";
export type { DebugFold, DebugList, Statistics } from "./sys/debug.ts";
export type { Restarted } from "./sys/restart.ts";
export type { SysEvent, SysEventRow } from "./sys/event.ts";
export type { ProcessStatus } from "./sys/status.ts";
export { TRACE_LIMITS } from "./sys/trace.ts";
export type {
  Trace,
  TraceEnd,
  TracePattern,
  TraceRequest,
  TraceRow,
  TraceSink,
} from "./sys/trace.ts";
export { child, dynamicSupervisor, supervisor } from "./supervisor/spec.ts";
export type {
  Backoff,
  ChildOptions,
  ChildSpec,
  DynamicOptions,
  IsolatedOptions,
  RestartStrategy,
  SupervisorOptions,
  SupervisorSpec,
} from "./supervisor/spec.ts";
export { task, taskSupervisor } from "./supervisor/task-supervisor.ts";
export type {
  LooseTaskOptions,
  TaskSpec,
  TaskSupervisorOptions,
} from "./supervisor/task-supervisor.ts";
