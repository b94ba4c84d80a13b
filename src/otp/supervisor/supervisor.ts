/**
 * The supervisor process: starts children in order, restarts the dead, stops in reverse.
 *
 * Like OTP's it serves one thing at a time: while a child's init or stop is under way its mailbox
 * waits. Work is synchronous as long as children are, so that a restart costs microseconds.
 */
import { PendingCall } from "../process/calls.ts";
import { Envelope, Kind } from "../process/message.ts";
import { type Behaviour, notStarted, type Process, type StartOutcome } from "../process/process.ts";
import { reasonOfThrown, type Reason } from "../reason.ts";
import { runAdmin } from "./admin.ts";
import { SupervisorBase } from "./base.ts";
import { chain, type Maybe, never } from "./chain.ts";
import { checkFlags, checkSpecs } from "./check.ts";
import { Child } from "./child.ts";
import { changeSupervisor } from "./code-change.ts";
import { IntensityWindow } from "./intensity.ts";
import type { AdminCommand } from "./ref.ts";
import type { ChildSpec, SupervisorSetup } from "./spec.ts";
import { reportChild, type ReportContext } from "./reports.ts";
import { childDied, delayOver, retry } from "./restarting.ts";
import { startSpec } from "./start.ts";
import { stopAll } from "./stopping.ts";
import { countUnknown } from "../process/unknown.ts";

/** A start that did not work. */
export interface StartFailure {
  readonly child: Child;
  readonly reason: Reason;
}

/** Behaviour and state of one supervisor process. */
export class SupervisorBehaviour extends SupervisorBase implements Behaviour {
  setup: SupervisorSetup;
  readonly window: IntensityWindow;
  /** Policy that the temporary children of a dynamic supervisor share: their specs are not kept. */
  private sharedSpec: ChildSpec | undefined = undefined;
  /** In start order. */
  readonly children = new Set<Child>();
  readonly byId = new Map<unknown, Child>();

  constructor(setup: SupervisorSetup) {
    super(setup.id);
    this.setup = setup;
    this.window = new IntensityWindow(setup.intensity, setup.period, setup.clock);
  }

  /** The child that runs as `process`, when it is one of ours. */
  childOf(process: Process): Child | undefined {
    return process.parent === this.me ? (process.record as Child | undefined) : undefined;
  }

  get isDynamic(): boolean {
    return this.setup.strategy === "simple_one_for_one";
  }

  init(process: Process): Maybe<StartOutcome> {
    this.me = process;
    const problem = checkFlags(this.setup) ?? checkSpecs(this.setup);
    if (problem !== undefined) return notStarted(problem);
    this.enlist();
    for (const spec of this.setup.children) this.add(spec);
    return chain(this.startAll([...this.children], 0), (failure) => this.booted(failure));
  }

  receive(process: Process, envelope: Envelope): void {
    let work: Maybe<void>;
    try {
      work = this.handle(envelope);
    } catch (error) {
      process.kernel.finish(process, reasonOfThrown(error));
      return;
    }
    if (work instanceof Promise) this.wait(work);
  }

  /** An operator's order to end, as its parent's exit is. */
  terminate(_process: Process, reason: Reason): void {
    const work = this.shutdown(reason);
    if (work instanceof Promise) this.wait(work);
  }

  changeCode(_process: Process, next: unknown): Reason | undefined {
    return changeSupervisor(this, next);
  }

  format(): unknown {
    return {
      strategy: this.setup.strategy,
      children: this.children.size,
      restarts: this.window.count(this.me.kernel.now()),
    };
  }

  /** For the runtime: the process is gone. */
  ended(): void {
    this.delist();
    for (const child of this.children) this.cancelDelay(child);
  }

  // --- messages ---------------------------------------------------------------------------------

  private handle(envelope: Envelope): Maybe<void> {
    switch (envelope.kind) {
      case Kind.exit:
        return this.onExit(envelope);
      case Kind.admin:
        return this.onAdmin(envelope);
      case Kind.internal: {
        const order = envelope.arg as SelfMessage;
        if (order.op === "stop") return this.shutdown(order.reason);
        return order.op === "retry" ? retry(this, order.child) : delayOver(this, order.child);
      }
      default:
        countUnknown(this.me, envelope.type);
        return undefined;
    }
  }

  private onExit(envelope: Envelope): Maybe<void> {
    const from = envelope.origin as Process | undefined;
    const { reason } = envelope.arg as { readonly reason: Reason };
    const { parent } = this.me;
    if (parent !== undefined && from === parent) return this.shutdown(reason);
    const child = from === undefined ? undefined : this.childOf(from);
    return child === undefined ? undefined : childDied(this, child, reason);
  }

  private onAdmin(envelope: Envelope): Maybe<void> {
    const from = envelope.origin as PendingCall;
    return chain(runAdmin(this, envelope.arg as AdminCommand), (result) => from.reply(result));
  }

  private wait(work: Promise<void>): void {
    const { me } = this;
    me.busy = true;
    work.then(
      () => me.kernel.resume(me),
      (error: unknown) => me.kernel.finish(me, reasonOfThrown(error)),
    );
  }

  // --- starting ---------------------------------------------------------------------------------

  add(spec: ChildSpec, child = new Child(spec)): Child {
    this.children.add(child);
    if (!this.isDynamic) this.byId.set(spec.id, child);
    return child;
  }

  /** A temporary child never starts again: its arguments are dropped, when dynamic its id and name too. */
  forgetArguments(child: Child): void {
    const { spec } = child;
    if (!this.isDynamic) {
      child.spec = { ...spec, start: { behaviour: spec.start.behaviour, args: undefined } };
      return;
    }
    const shared = this.sharedSpec;
    const isSame =
      shared !== undefined && shared.type === spec.type && shared.shutdown === spec.shutdown;
    if (!isSame || shared.significant !== spec.significant) {
      const start = { behaviour: spec.start.behaviour, args: undefined };
      this.sharedSpec = { ...spec, id: undefined, name: undefined, start };
    }
    child.spec = this.sharedSpec as ChildSpec;
  }

  /** Keeps these children, in this start order. */
  reorder(children: Iterable<Child>): void {
    const kept = [...children];
    this.children.clear();
    this.byId.clear();
    for (const child of kept) {
      this.children.add(child);
      if (!this.isDynamic) this.byId.set(child.spec.id, child);
    }
  }

  remove(child: Child): void {
    this.cancelDelay(child);
    this.children.delete(child);
    if (!this.isDynamic) this.byId.delete(child.spec.id);
  }

  /** Starts one child; undefined when it is up or said ignore. */
  start(child: Child): Maybe<StartFailure | undefined> {
    return chain(this.spawn(child), (outcome) => this.accept(child, outcome));
  }

  /** Runs the start plan of a child. */
  spawn(child: Child): Maybe<StartOutcome> {
    return startSpec(this.me.kernel, child.spec, this.me);
  }

  accept(child: Child, outcome: StartOutcome): Maybe<StartFailure | undefined> {
    // A supervisor killed while its child started has no say any more.
    if (!this.me.alive) return never();
    if (outcome.ok) {
      // Dynamic children are kept in the order of their present processes, as OTP's map of pids is.
      if (child.lastId !== 0 && this.isDynamic) {
        this.children.delete(child);
        this.children.add(child);
      }
      child.process = outcome.process;
      child.isRestarting = false;
      child.lastId = outcome.process.id;
      if (child.spec.backoff !== undefined) child.backoff.startedAtMs = this.me.kernel.now();
      outcome.process.record = child;
      return undefined;
    }
    if (!outcome.ignored) return { child, reason: outcome.reason };
    child.process = undefined;
    child.isRestarting = false;
    if (child.spec.restart === "temporary" || this.isDynamic) this.remove(child);
    return undefined;
  }

  /** Starts a list from `from` on, in order, up to the first failure. */
  startAll(list: readonly Child[], from: number): Maybe<StartFailure | undefined> {
    for (let index = from; index < list.length; index += 1) {
      const started = this.start(list[index] as Child);
      if (started instanceof Promise) {
        return started.then((failure) => failure ?? this.startAll(list, index + 1));
      }
      if (started !== undefined) return started;
    }
    return undefined;
  }

  private booted(failure: StartFailure | undefined): Maybe<StartOutcome> {
    if (failure === undefined) return { ok: true, process: this.me };
    this.report("start_error", failure.reason, failure.child, undefined);
    const reason: Reason = {
      shutdown: ["failed_to_start_child", failure.child.spec.id, failure.reason],
    };
    return chain(stopAll(this), () => notStarted(reason));
  }

  // --- stopping ---------------------------------------------------------------------------------

  /** Stops all children, then this process with `reason`. */
  shutdown(reason: Reason): Maybe<void> {
    const { me } = this;
    me.status = "stopping";
    me.kernel.event("otp.terminate", me, { reason });
    return chain(stopAll(this), () => me.kernel.finish(me, reason));
  }

  cancelDelay(child: Child): void {
    if (child.timer === undefined) return;
    this.me.kernel.wheel.cancel(child.timer);
    child.timer = undefined;
  }

  /** Ends the supervisor when its significant children have ended by themselves. */
  checkAutoShutdown(child: Child): Maybe<void> {
    const { autoShutdown } = this.setup;
    if (autoShutdown === "never" || !child.spec.significant) return undefined;
    if (autoShutdown === "all_significant") {
      for (const other of this.children) {
        if (other.spec.significant && (other.process !== undefined || other.isRestarting)) {
          return undefined;
        }
      }
    }
    return this.shutdown("shutdown");
  }

  report(context: ReportContext, reason: Reason, child: Child, offender: string | undefined): void {
    reportChild(this.me, { context, reason, childId: child.spec.id, offender, count: undefined });
  }

  mailSelf(order: SelfMessage): void {
    const { me } = this;
    me.kernel.send(me, new Envelope(Kind.internal, order.op, order, undefined));
  }
}

/** What a supervisor mails itself. */
export type SelfMessage =
  | { readonly op: "retry" | "delay-over"; readonly child: Child }
  | { readonly op: "stop"; readonly reason: Reason };
