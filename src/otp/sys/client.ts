/**
 * The sys protocol as operators and tests call it; `Inspector` is built on it.
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
 * await inspector.suspend("demo/part");
 * ref.cast.add(5);
 * await node.settle();
 * console.log(inspector.info("demo/part")?.status, await inspector.getState("demo/part"));
 * await inspector.resume("demo/part");
 * console.log(await ref.call.get());
 *
 * const second = defineActor({
 *   name: "demo/part",
 *   version: 2,
 *   init: (_args: undefined) => ({ count: 0 }),
 *   calls: { get: (state) => reply(state, state.count) },
 *   casts: { add: (state, by: number) => ({ count: state.count + 10 * by }) },
 *   migrate: (old) => ({ count: Number(old) }),
 * });
 * console.log(await inspector.upgrade("demo/part", second));
 * ref.cast.add(5);
 * console.log(await ref.call.get());
 * await node.stop();
 * ```
 *
 * ```text
 * suspended 0
 * 5
 * { pid: '#2', from: 1, to: 2 }
 * 55
 * ```
 *
 * | to | use |
 * |---|---|
 * | hold a process and let it go on | `suspend`, `resume` |
 * | see or change its state | `getState`, `replaceState`, `getStatus` (formatted, redacted) |
 * | end it in order | `terminate(target, reason = "normal")` |
 * | watch it | `statistics`, `log` (10 events, at most 1000), `installDebug`, `traceEvents`, `trace` |
 * | end all watching | `noDebug` |
 * | change its code | `upgrade(target, definition)`: suspend, migrate, swap, resume |
 * | bring a supervisor in line with a new spec | `reconcile(target, spec, { dryRun = false, timeoutMs = Infinity })` |
 *
 * Every method sends one system message (upgrade: three), is answered between two turns of the
 * process, in mailbox order, and rejects with ExitError: noproc when nobody is there, timeout after
 * 5 s, which a process that hangs inside a turn gives.
 */
import type { AnyDef } from "../actor/definition.ts";
import { findProcess, type InspectTarget, nameOfTarget } from "../node/find.ts";
import type { Kernel } from "../process/kernel.ts";
import { placeCall } from "../process/calls.ts";
import { Kind } from "../process/message.ts";
import type { Process } from "../process/process.ts";
import { ExitError, type Reason } from "../reason.ts";
import type { Reconciled } from "../supervisor/reconcile-apply.ts";
import type { AdminCommand, AdminResult } from "../supervisor/ref.ts";
import type { SupervisorSpec } from "../supervisor/spec.ts";
import { placeSys, type SysCommand } from "./commands.ts";
import type { DebugFold, Statistics } from "./debug.ts";
import type { SysEvent } from "./event.ts";
import { restartChild, type Restarted } from "./restart.ts";
import type { ProcessStatus } from "./status.ts";
import { startTrace, type Trace, type TraceRequest, type TraceSink } from "./trace.ts";

/** Versions before and after an upgrade. */
export interface Upgraded {
  readonly pid: string;
  readonly from: number;
  readonly to: number;
}

/** Sys calls on the processes of one node. */
export class SysClient {
  protected readonly kernel: Kernel;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /**
   * Holds a process: it receives only system messages and its parent's exit. With `forMs` it resumes
   * by itself after that time; default: when told to.
   */
  suspend(target: InspectTarget, options: { readonly forMs?: number } = {}): Promise<void> {
    const { forMs = Number.POSITIVE_INFINITY } = options;
    return this.sys(target, { op: "suspend", forMs }) as Promise<void>;
  }

  /** Lets a suspended process go on. */
  resume(target: InspectTarget): Promise<void> {
    return this.sys(target, { op: "resume" }) as Promise<void>;
  }

  /** The state itself, not redacted: for tests and debugging. */
  getState(target: InspectTarget): Promise<unknown> {
    return this.sys(target, { op: "get_state" });
  }

  /** Replaces the state; rejects with callback_failed and changes nothing when `replace` throws. */
  replaceState(target: InspectTarget, replace: (state: unknown) => unknown): Promise<unknown> {
    return this.sys(target, { op: "replace_state", replace });
  }

  /** Status, debugging and formatted state, of supervisors too; `timeoutMs` defaults to 5000. */
  getStatus(target: InspectTarget, timeoutMs?: number): Promise<ProcessStatus> {
    return this.sys(target, { op: "get_status" }, timeoutMs) as Promise<ProcessStatus>;
  }

  /**
   * Orders an orderly end with `reason` (default normal): terminate runs, suspended or not. Resolves
   * when the order is taken, before the end; its supervisor restarts it as its restart type says.
   */
  terminate(target: InspectTarget, reason: Reason = "normal"): Promise<void> {
    return this.sys(target, { op: "terminate", reason }) as Promise<void>;
  }

  /** Counts turns and messages from now on, or ends that; "get" and "on" give the counts so far. */
  statistics(target: InspectTarget, flag: "on" | "off" | "get"): Promise<Statistics | undefined> {
    return this.sys(target, { op: "statistics", flag }) as Promise<Statistics | undefined>;
  }

  /**
   * Keeps the last messages ("on": 10, or a number up to 1000), ends that, or only reads them.
   * Resolves with what is kept, oldest first, arguments included.
   */
  log(target: InspectTarget, flag: "on" | "off" | "get" | number): Promise<readonly SysEvent[]> {
    return this.sys(target, { op: "log", flag }) as Promise<readonly SysEvent[]>;
  }

  /** Emits `otp.trace` for every message in and out, until switched off: see `trace` for a bound. */
  traceEvents(target: InspectTarget, isOn: boolean): Promise<void> {
    return this.sys(target, { op: "trace", isOn }) as Promise<void>;
  }

  /**
   * Folds every message of the process into a state of its own, beside the process. Removed when it
   * returns "done" or throws; rejects with already_installed when the id is taken.
   */
  installDebug<S>(target: InspectTarget, id: string, state: S, fold: DebugFold<S>): Promise<void> {
    return this.sys(target, { op: "install", id, fold: fold as DebugFold, state }) as Promise<void>;
  }

  /** Removes a debug function; fine when there is none. */
  removeDebug(target: InspectTarget, id: string): Promise<void> {
    return this.sys(target, { op: "remove", id }) as Promise<void>;
  }

  /** Switches off trace, log, statistics and debug functions; bounded traces go on. */
  noDebug(target: InspectTarget): Promise<void> {
    return this.sys(target, { op: "no_debug" }) as Promise<void>;
  }

  /**
   * Tells messages of a process, a name or a subtree to `sink` until its bound is met.
   *
   * Throws OtpError OTP_UNBOUNDED_TRACE without a bound or above the limits, ExitError noproc when
   * the target does not run.
   */
  trace(request: TraceRequest, sink: TraceSink): Trace {
    return startTrace(this.kernel, request, sink);
  }

  /**
   * Changes the code of a running process: suspend, migrate, swap, resume.
   *
   * An actor takes a new definition of the same name, its `migrate` turns the old state into the
   * new one; messages that waited meet the new handlers, later restarts start the new version. A
   * supervisor takes a new spec: flags and children are merged by id, nothing is started or stopped
   * (see reconcile). When migrate throws or refuses, or a spec is invalid, the call rejects with
   * ["upgrade_failed", why] and the old code runs on.
   */
  async upgrade(target: InspectTarget, next: AnyDef | SupervisorSpec<unknown>): Promise<Upgraded> {
    const process = this.find(target);
    const label = nameOfTarget(target);
    const from = process?.behaviour.version ?? 1;
    const code = "setup" in next ? next.setup : next.behaviour;
    const wasSuspended = process?.suspended === true;
    // Sent one after the other: they stay in this order, whatever comes of the first.
    const suspended = wasSuspended
      ? undefined
      : placeSys(process, label, { op: "suspend", forMs: Number.POSITIVE_INFINITY });
    const changed = placeSys(process, label, { op: "change_code", next: code });
    const resumed = wasSuspended ? undefined : placeSys(process, label, { op: "resume" });
    const outcomes = await Promise.allSettled([suspended, changed, resumed]);
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
    return { pid: (process as Process).pid, from, to: (process as Process).behaviour.version ?? 1 };
  }

  /**
   * Brings a running supervisor in line with a new spec of the same id: what is gone stops, what is
   * new starts, what has another start is started anew, everything else keeps its process; nested
   * supervisors likewise. With `dryRun` only the plan. An invalid spec is a refusal by value and
   * changes nothing. Default deadline none: stops take as long as their shutdown allows.
   */
  async reconcile(
    target: InspectTarget,
    spec: SupervisorSpec<unknown>,
    options: { readonly dryRun?: boolean; readonly timeoutMs?: number } = {},
  ): Promise<AdminResult<Reconciled>> {
    const { dryRun = false, timeoutMs = Number.POSITIVE_INFINITY } = options;
    const process = this.find(target);
    const label = nameOfTarget(target);
    if (process !== undefined && process.behaviour.kind !== "supervisor") {
      return { ok: false, reason: ["no_supervisor", label] };
    }
    const command: AdminCommand = { op: "reconcile", setup: spec.setup, isDryRun: dryRun };
    const answer = placeCall(process, label, Kind.admin, command.op, command, timeoutMs, false);
    return (await answer) as AdminResult<Reconciled>;
  }

  /**
   * Restarts a child through its supervisor: it ends with ["restart", "operator"] as on its parent's
   * exit, killed after its shutdown time, and the supervisor counts and restarts as for any death.
   * With `forgive` that child alone is stopped and started, counted nowhere; a dynamic supervisor
   * does not offer that. Refusals by value: not_supervised, temporary, simple_one_for_one.
   */
  async restart(
    target: InspectTarget,
    options: { readonly forgive?: boolean } = {},
  ): Promise<AdminResult<Restarted>> {
    const process = this.find(target);
    if (process === undefined) throw new ExitError("noproc", nameOfTarget(target), "restart");
    return restartChild(process, options.forgive === true);
  }

  protected find(target: InspectTarget): Process | undefined {
    return findProcess(this.kernel, target);
  }

  private sys(target: InspectTarget, command: SysCommand, timeoutMs?: number): Promise<unknown> {
    return placeSys(this.find(target), nameOfTarget(target), command, timeoutMs);
  }
}
