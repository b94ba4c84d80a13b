/**
 * Admin calls on a supervisor. Outcomes are values; faults of the call itself are reasons too.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, supervisor } from "paceline/otp";
 *
 * const part = defineActor({ name: "demo/part", init: (_args: undefined) => 0 });
 * const spec = (id: string) => child(part, undefined, { id });
 *
 * const node = createVirtualNode();
 * const top = await node.start(supervisor("top", { children: [spec("a")] }));
 * const started = await top.startChild(spec("b"));
 * console.log(started.ok && started.pid);
 * console.log(await top.startChild(spec("b")));
 * console.log(
 *   await top.deleteChild("b"),
 *   await top.terminateChild("b"),
 *   await top.deleteChild("b"),
 * );
 * console.log(await top.whichChildren());
 * console.log(await top.countChildren());
 * await node.stop();
 * ```
 *
 * ```text
 * #3
 * { ok: false, reason: [ 'already_started', '#3' ] }
 * { ok: false, reason: 'running' } { ok: true } { ok: true }
 * [ { id: 'a', pid: '#2', type: 'worker' } ]
 * { specs: 1, active: 1, supervisors: 0, workers: 1 }
 * ```
 *
 * | call | ok | refused with |
 * |---|---|---|
 * | `startChild(spec)` | `pid`, `ref`, `extra`; pid undefined after `ignore` | `["already_started", pid]`, `already_present`, a bad spec, what init refused (static: with the `child`); dynamic: `max_children` |
 * | `terminateChild(target)` | also when it does not run | `not_found`; `simple_one_for_one` for an id of a dynamic one |
 * | `restartChild(id)` | like startChild | `running`, `restarting`, `not_found`, the start error |
 * | `deleteChild(id)` | spec forgotten | `running`, `restarting`, `not_found` |
 * | `getChildSpec(target)` | the spec, defaults filled in | `not_found` |
 * | `whichChildren()` | rows, latest first | rejects with ExitError when the supervisor is gone |
 * | `countChildren()` | counts | the same |
 *
 * Admin calls have no deadline: a supervisor answers between its restarts, and serves nothing while
 * one child's init or stop is under way (otp.md 1.6, 1.10). Children added here are lost when their
 * supervisor restarts.
 */
import type { Ref } from "../actor/definition.ts";
import { placeCall } from "../process/calls.ts";
import type { Kernel } from "../process/kernel.ts";
import { Kind } from "../process/message.ts";
import type { Process } from "../process/process.ts";
import { noFacets, type ProcessRef, RefImpl } from "../process/ref.ts";
import type { CallFault, Reason } from "../reason.ts";
import type { ChildSpec, SupervisorSetup } from "./spec.ts";

/** Outcome of an admin call. */
export type AdminResult<T = object> =
  | ({ readonly ok: true } & T)
  | {
      readonly ok: false;
      readonly reason: CallFault | Reason;
      /** The refused spec, when a static startChild failed because the child did not start. */
      readonly child?: ChildSpec;
    };

/** A child that is up; `pid` is undefined when its init said ignore. */
export interface StartedChild {
  /** Such as "#12". */
  readonly pid: string | undefined;
  /** Goes stale when the child is restarted. */
  readonly ref: Ref | undefined;
  /** What its start gave beside the pid. */
  readonly extra?: unknown;
}

/** One row of whichChildren, latest first. */
export interface ChildRow {
  readonly id: unknown;
  /** A pid, "restarting", or undefined when it does not run. */
  readonly pid: string | undefined;
  readonly type: "worker" | "supervisor";
}

/** Counts as OTP gives them: a dynamic supervisor has one spec. */
export interface ChildCounts {
  /** Children known, running or not; 1 for a dynamic supervisor. */
  readonly specs: number;
  /** Alive now. */
  readonly active: number;
  /** Children that are supervisors, running or not. */
  readonly supervisors: number;
  /** Children that are workers, running or not. */
  readonly workers: number;
}

/** Which child: its id, or for dynamic supervisors its ref or pid. */
export type ChildTarget = ProcessRef | string | number;

/** A supervisor as others see it. `A`: a spec, or the template's argument when dynamic. */
export interface SupervisorRef<A = ChildSpec> extends ProcessRef {
  /** Starts and adds a child; resolves when its init is done. */
  startChild(child: A): Promise<AdminResult<StartedChild>>;
  /** Stops a child; its spec stays unless it is temporary. */
  terminateChild(target: ChildTarget): Promise<AdminResult>;
  /** Starts a child that does not run, from its spec. */
  restartChild(id: string | number): Promise<AdminResult<StartedChild>>;
  /** Forgets the spec of a stopped child. */
  deleteChild(id: string | number): Promise<AdminResult>;
  /** Rows of all children, latest first. */
  whichChildren(): Promise<readonly ChildRow[]>;
  /** Counts of all children. */
  countChildren(): Promise<ChildCounts>;
  /** The spec with its defaults filled in; a dynamic child is named by its ref or pid too. */
  getChildSpec(target: ChildTarget): Promise<AdminResult<{ readonly spec: ChildSpec }>>;
}

/** Admin requests as they lie in the supervisor's mailbox. */
export type AdminCommand =
  | { readonly op: "start"; readonly child: unknown }
  | { readonly op: "terminate" | "restart" | "delete" | "spec"; readonly target: unknown }
  | { readonly op: "which" | "count" }
  | { readonly op: "reconcile"; readonly setup: SupervisorSetup; readonly isDryRun: boolean };

/** Implementation of SupervisorRef. */
export class SupervisorHandle extends RefImpl implements SupervisorRef<unknown> {
  constructor(kernel: Kernel, process: Process | undefined, name: string | undefined) {
    super(kernel, process, name, noFacets);
  }

  startChild(child: unknown): Promise<AdminResult<StartedChild>> {
    return this.ask({ op: "start", child });
  }

  terminateChild(target: ChildTarget): Promise<AdminResult> {
    return this.ask({ op: "terminate", target });
  }

  restartChild(id: string | number): Promise<AdminResult<StartedChild>> {
    return this.ask({ op: "restart", target: id });
  }

  deleteChild(id: string | number): Promise<AdminResult> {
    return this.ask({ op: "delete", target: id });
  }

  getChildSpec(target: ChildTarget): Promise<AdminResult<{ readonly spec: ChildSpec }>> {
    return this.ask({ op: "spec", target });
  }

  async whichChildren(): Promise<readonly ChildRow[]> {
    return (await this.place({ op: "which" }, false)) as ChildRow[];
  }

  async countChildren(): Promise<ChildCounts> {
    return (await this.place({ op: "count" }, false)) as ChildCounts;
  }

  private async ask<T>(command: AdminCommand): Promise<AdminResult<T>> {
    const result = (await this.place(command, true)) as
      | { ok: true; value: AdminResult<T> }
      | { ok: false; reason: CallFault | Reason };
    return result.ok ? result.value : result;
  }

  /** Admin calls have no deadline: the supervisor answers between its restarts. */
  private place(command: AdminCommand, isTry: boolean): Promise<unknown> {
    const target = this.resolve();
    const timeoutMs = Number.POSITIVE_INFINITY;
    return placeCall(target, this.name, Kind.admin, command.op, command, timeoutMs, isTry);
  }
}

/** Live supervisor by registered name, unique id, or path of ids from the root joined by "/". */
export function findSupervisor<A>(kernel: Kernel, name: string): SupervisorRef<A> | undefined {
  const process = supervisorProcess(kernel, name);
  return process?.ref as unknown as SupervisorRef<A> | undefined;
}

function supervisorProcess(kernel: Kernel, name: string): Process | undefined {
  const named = kernel.registry.get(name);
  if (named?.behaviour.kind === "supervisor") return named;
  const holders = kernel.supervisors.get(name);
  if (holders?.size === 1) for (const only of holders) return only;
  for (const group of kernel.supervisors.values()) {
    for (const process of group) if (pathOf(process) === name) return process;
  }
  return undefined;
}

/** Ids from the root down to this supervisor. */
export function pathOf(process: Process): string {
  const own = process.behaviour.name;
  return process.parent === undefined ? own : `${pathOf(process.parent)}/${own}`;
}
