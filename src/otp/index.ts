/**
 * The runtime's one door, exported as `paceline/otp`: supervisors, actors, machines, registry,
 * tables, telemetry and nodes that behave as Erlang/OTP's do.
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
export { defineMachineActor } from "./actor/machine-actor.ts";
export { keyFor } from "./names/key.ts";
export type { Key } from "./names/key.ts";
export { Table } from "./names/table.ts";
export type { RowKey, TableChange, TableOptions, TableTransfer } from "./names/table.ts";
export { createNode } from "./node/node.ts";
export type { Node, NodeOptions } from "./node/node.ts";
export { createVirtualNode } from "./node/virtual.ts";
export type { VirtualNode, VirtualOptions } from "./node/virtual.ts";
export type {
  Inspector,
  InspectTarget,
  ProcessInfo,
  ProcessRow,
  RestartView,
  TreeNode,
} from "./node/inspector.ts";
export type { Log, LogLevel, LogSink } from "./node/log.ts";
export type { ProfileName } from "./node/profile.ts";
export type { Telemetry, TelemetryEvent, TelemetryHandler } from "./node/telemetry.ts";
export type { CallOptions, CallResult, From } from "./process/calls.ts";
export type { Info, Monitor, TaskResult } from "./process/message.ts";
export type { ProcessRef } from "./process/ref.ts";
export type { TaskOptions } from "./process/task.ts";
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
export { child, dynamicSupervisor, supervisor } from "./supervisor/spec.ts";
export type {
  Backoff,
  ChildOptions,
  ChildSpec,
  DynamicOptions,
  RestartStrategy,
  SupervisorOptions,
  SupervisorSpec,
} from "./supervisor/spec.ts";
