/**
 * Admin calls on a supervisor. Outcomes are values; faults of the call itself are reasons too.
 */
import type { Ref } from "../actor/definition.ts";
import { placeCall } from "../process/calls.ts";
import type { Kernel } from "../process/kernel.ts";
import { Kind } from "../process/message.ts";
import type { Process } from "../process/process.ts";
import { noFacets, type ProcessRef, RefImpl } from "../process/ref.ts";
import type { CallFault, Reason } from "../reason.ts";
import type { ChildSpec } from "./spec.ts";

/** Outcome of an admin call. */
export type AdminResult<T = object> =
  | ({ readonly ok: true } & T)
  | { readonly ok: false; readonly reason: CallFault | Reason };

/** A child that is up; `pid` is undefined when its init said ignore. */
export interface StartedChild {
  readonly pid: string | undefined;
  readonly ref: Ref | undefined;
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
  readonly specs: number;
  readonly active: number;
  readonly supervisors: number;
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
  restartChild(id: string | number): Promise<AdminResult<StartedChild>>;
  /** Forgets the spec of a stopped child. */
  deleteChild(id: string | number): Promise<AdminResult>;
  whichChildren(): Promise<readonly ChildRow[]>;
  countChildren(): Promise<ChildCounts>;
  getChildSpec(id: string | number): Promise<AdminResult<{ readonly spec: ChildSpec }>>;
}

/** Admin requests as they lie in the supervisor's mailbox. */
export type AdminCommand =
  | { readonly op: "start"; readonly child: unknown }
  | { readonly op: "terminate" | "restart" | "delete" | "spec"; readonly target: unknown }
  | { readonly op: "which" | "count" };

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

  getChildSpec(id: string | number): Promise<AdminResult<{ readonly spec: ChildSpec }>> {
    return this.ask({ op: "spec", target: id });
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
