/**
 * The turn of an actor: look up the handler, run it, perform its decision.
 *
 * Sync handlers are never awaited; an async one makes the process busy until it settles.
 */
import { redact } from "../node/redact.ts";
import { type Facets, type ProcessRef, RefImpl } from "../process/ref.ts";
import { PendingCall } from "../process/calls.ts";
import { Envelope, type Info, Kind } from "../process/message.ts";
import type { Kernel } from "../process/kernel.ts";
import type { Behaviour, Extras, Overflow, Process, StartOutcome } from "../process/process.ts";
import { resumeIn } from "../process/scope.ts";
import { reasonOfThrown, type Reason } from "../reason.ts";
import { TimerEntry } from "../time/wheel.ts";
import { Ctx } from "./context.ts";
import { Control, Ignore, Later, Next, Refuse, Reply, Stop } from "./control.ts";
import type { MailboxOptions } from "./definition.ts";

type Handler = (state: unknown, arg: unknown, ctx: Ctx, from: PendingCall | undefined) => unknown;

/** An actor spec without its types. */
export interface ErasedActor {
  readonly name: string;
  readonly init: (args: unknown, ctx: Ctx) => unknown;
  readonly calls: Readonly<Record<string, Handler>>;
  readonly casts: Readonly<Record<string, Handler>>;
  readonly on: ((state: unknown, info: Info, ctx: Ctx) => unknown) | undefined;
  readonly terminate: ((state: unknown, reason: Reason, ctx: Ctx) => unknown) | undefined;
  readonly formatState: ((state: unknown) => unknown) | undefined;
  readonly trapExit: boolean | undefined;
  readonly mailbox: MailboxOptions | undefined;
}

const DEFAULT_MAILBOX = 10_000;
/** Share of the bound at which `otp.mailbox.high` is told. */
const HIGH_SHARE = 0.8;

/** Behaviour shared by all processes of one definition. */
export class ActorBehaviour implements Behaviour {
  readonly name: string;
  readonly kind = "worker";
  readonly trapExit: boolean;
  readonly maxMailbox: number;
  readonly highWater: number;
  readonly overflow: Overflow;
  private readonly actor: ErasedActor;
  private readonly facets: Facets;
  private readonly calls = new Map<string, Handler>();
  private readonly casts = new Map<string, Handler>();

  constructor(actor: ErasedActor, facets: Facets) {
    this.actor = actor;
    this.facets = facets;
    this.name = actor.name;
    this.trapExit = actor.trapExit ?? false;
    this.maxMailbox = actor.mailbox?.max ?? DEFAULT_MAILBOX;
    this.highWater = Math.ceil(this.maxMailbox * HIGH_SHARE);
    this.overflow = actor.mailbox?.overflow ?? "reject";
    for (const [name, handler] of Object.entries(actor.calls)) this.calls.set(name, handler);
    for (const [name, handler] of Object.entries(actor.casts)) this.casts.set(name, handler);
  }

  hasCall(type: string): boolean {
    return this.calls.has(type);
  }

  makeRef(process: Process): ProcessRef {
    return new RefImpl(process.kernel, process, undefined, this.facets);
  }

  init(process: Process, args: unknown): StartOutcome | Promise<StartOutcome> {
    const ctx = new Ctx(process);
    process.ctx = ctx;
    const result = this.actor.init(args, ctx);
    if (result instanceof Promise) return result.then((value) => this.started(process, value));
    return this.started(process, result);
  }

  receive(process: Process, envelope: Envelope): void {
    if (process.extras?.idleTimer !== undefined) stopIdle(process.extras, process.kernel);
    let result: unknown;
    try {
      result = this.dispatch(process, envelope);
    } catch (error) {
      this.end(process, reasonOfThrown(error), undefined);
      return;
    }
    if (result instanceof Promise) {
      this.wait(process, envelope, result);
      return;
    }
    this.apply(process, envelope, result);
  }

  format(process: Process): unknown {
    const { formatState } = this.actor;
    return formatState === undefined ? redact(process.state) : formatState(process.state);
  }

  private started(process: Process, result: unknown): StartOutcome {
    if (result instanceof Ignore) return { ok: false, ignored: true };
    if (result instanceof Refuse) return { ok: false, ignored: false, reason: result.reason };
    if (result instanceof Next) this.follow(process, result);
    else if (result instanceof Control) return badReturn(result);
    else process.state = result;
    return { ok: true, process };
  }

  private dispatch(process: Process, envelope: Envelope): unknown {
    const ctx = process.ctx as Ctx;
    switch (envelope.kind) {
      case Kind.cast: {
        const handler = this.casts.get(envelope.type);
        if (handler !== undefined) return handler(process.state, envelope.arg, ctx, undefined);
        countUnknown(process, envelope);
        return process.state;
      }
      case Kind.call: {
        const from = envelope.origin as PendingCall;
        // Settled means timed out in the queue: the request still runs, as on BEAM.
        const handler = this.calls.get(envelope.type);
        if (handler !== undefined) return handler(process.state, envelope.arg, ctx, from);
        from.fail("bad_call");
        return process.state;
      }
      default:
        return this.onInfo(process, envelope, ctx);
    }
  }

  private onInfo(process: Process, envelope: Envelope, ctx: Ctx): unknown {
    const { parent } = process;
    if (envelope.kind === Kind.exit && parent !== undefined && envelope.origin === parent) {
      return new Stop(process.state, (envelope.arg as { reason: Reason }).reason);
    }
    if (envelope.kind === Kind.timer) ctx.timerTaken(envelope);
    const { on } = this.actor;
    if (on !== undefined) return on(process.state, envelope.arg as Info, ctx);
    countUnknown(process, envelope);
    return process.state;
  }

  private wait(process: Process, envelope: Envelope, promise: Promise<unknown>): void {
    process.busy = true;
    promise.then(
      (value) => {
        if (!process.alive) return;
        resumeIn(process, () => {
          process.busy = false;
          this.apply(process, envelope, value);
        });
        if (!process.busy) process.kernel.resume(process);
      },
      (error: unknown) => {
        if (!process.alive) return;
        resumeIn(process, () => {
          process.busy = false;
          this.end(process, reasonOfThrown(error), undefined);
        });
      },
    );
  }

  private apply(process: Process, envelope: Envelope, result: unknown): void {
    if (!process.alive) return;
    if (!(result instanceof Control)) {
      const { origin } = envelope;
      if (origin instanceof PendingCall && origin.isOpen) {
        this.end(
          process,
          ["bad_return_value", `call ${envelope.type} without an answer`],
          undefined,
        );
      } else process.state = result;
      return;
    }
    if (result instanceof Reply) this.answer(process, envelope, result);
    else if (result instanceof Later) this.step(process, result.step, undefined);
    else this.step(process, result, undefined);
  }

  private answer(process: Process, envelope: Envelope, result: Reply<unknown, unknown>): void {
    const from = envelope.origin;
    if (!(from instanceof PendingCall)) {
      this.end(process, ["bad_return_value", "reply to a message that is no call"], undefined);
      return;
    }
    const { step, value } = result;
    if (step instanceof Stop) {
      process.state = step.state;
      this.end(process, step.reason, () => from.reply(value));
      return;
    }
    this.step(process, step, undefined);
    from.reply(value);
  }

  private step(process: Process, step: unknown, beforeExit: (() => void) | undefined): void {
    if (!(step instanceof Control)) process.state = step;
    else if (step instanceof Next) this.follow(process, step);
    else if (step instanceof Stop) {
      process.state = step.state;
      this.end(process, step.reason, beforeExit);
    } else this.end(process, ["bad_return_value", step.constructor.name], undefined);
  }

  private follow(process: Process, step: Next<unknown>): void {
    process.state = step.state;
    const { continueWith, timeoutMs } = step.options;
    if (continueWith !== undefined) {
      const info: Info = { type: "continue", payload: continueWith };
      process.mailbox.unshift(new Envelope(Kind.continue, "continue", info, undefined));
    }
    if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) {
      const timer = new IdleTimer(process);
      process.more().idleTimer = timer;
      process.kernel.startTimer(timer, timeoutMs);
    }
  }

  /** Runs terminate, then what must precede the exit even if terminate throws, then ends it. */
  private end(process: Process, reason: Reason, beforeExit: (() => void) | undefined): void {
    const { terminate } = this.actor;
    const { kernel } = process;
    process.status = "stopping";
    const finish = (last: Reason): void => {
      if (!process.alive) return;
      beforeExit?.();
      kernel.finish(process, last);
    };
    if (terminate === undefined) {
      finish(reason);
      return;
    }
    kernel.event("otp.terminate", process, { reason });
    let result: unknown;
    try {
      result = terminate(process.state, reason, process.ctx as Ctx);
    } catch (error) {
      finish(reasonOfThrown(error));
      return;
    }
    if (!(result instanceof Promise)) {
      finish(reason);
      return;
    }
    process.busy = true;
    kernel.block(process);
    result.then(
      () => finish(reason),
      (error: unknown) => finish(reasonOfThrown(error)),
    );
  }
}

class IdleTimer extends TimerEntry {
  private readonly process: Process;

  constructor(process: Process) {
    super();
    this.process = process;
  }

  expire(): void {
    const { process } = this;
    if (process.extras !== undefined) process.extras.idleTimer = undefined;
    process.kernel.send(process, new Envelope(Kind.idle, "idle", { type: "idle" }, undefined));
  }
}

function stopIdle(extras: Extras, kernel: Kernel): void {
  if (extras.idleTimer !== undefined) kernel.wheel.cancel(extras.idleTimer);
  extras.idleTimer = undefined;
}

function countUnknown(process: Process, envelope: Envelope): void {
  process.kernel.counters.unknown += 1;
  process.more().unknown += 1;
  process.kernel.event("otp.unknown", process, { type: envelope.type });
}

function badReturn(value: Control): StartOutcome {
  return { ok: false, ignored: false, reason: ["bad_return_value", value.constructor.name] };
}
