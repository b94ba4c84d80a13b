/**
 * The turn of an actor: look up the handler, run it, perform its decision.
 *
 * Sync handlers are never awaited; an async one makes the process busy until it settles.
 */
import { type Profile, PROFILES } from "../node/profile.ts";
import { redact } from "../node/redact.ts";
import { type Facets, type ProcessRef, RefImpl } from "../process/ref.ts";
import { PendingCall } from "../process/calls.ts";
import { type CastType, Envelope, type Info, Kind } from "../process/message.ts";
import {
  type Behaviour,
  notStarted,
  type Overflow,
  type Process,
  type StartOutcome,
} from "../process/process.ts";
import { resumeIn } from "../process/scope.ts";
import { countUnknown } from "../process/unknown.ts";
import { reasonOfThrown, type Reason } from "../reason.ts";
import { timerTaken } from "../time/process-timer.ts";
import { keepForRestart, migrated } from "./code-change.ts";
import { Ctx } from "./context.ts";
import { Control, Ignore, Later, Next, Refuse, Reply, Stop } from "./control.ts";
import { badReturn, callbackOf, canFollow, isNoState } from "./bad-return.ts";
import type { MailboxOptions } from "./definition.ts";
import { endActor } from "./ending.ts";
import { startIdle, stopIdle } from "./idle.ts";

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
  /** New state from the state of another version; absent: none is needed or none is known. */
  readonly migrate: ((state: unknown, fromVersion: number, ctx: Ctx) => unknown) | undefined;
  readonly trapExit: boolean | undefined;
  readonly mailbox: MailboxOptions | undefined;
}

/** Share of the bound at which `otp.mailbox.high` is told. */
const HIGH_SHARE = 0.8;

/** Behaviour shared by all processes of one definition. */
export class ActorBehaviour implements Behaviour {
  readonly name: string;
  readonly version: number;
  readonly kind = "worker";
  readonly trapExit: boolean;
  readonly maxMailbox: number;
  readonly highWater: number;
  readonly overflow: Overflow;
  private readonly actor: ErasedActor;
  readonly facets: Facets;
  private readonly calls = new Map<string, Handler>();
  private readonly casts = new Map<string, Handler>();
  /** The same actor under a profile with another mailbox default; made on first use. */
  private twin: ActorBehaviour | undefined = undefined;

  constructor(
    actor: ErasedActor,
    facets: Facets,
    version: number,
    maxMailbox = PROFILES.paceline.maxMailbox,
  ) {
    this.version = version;
    this.actor = actor;
    this.facets = facets;
    this.name = actor.name;
    this.trapExit = actor.trapExit ?? false;
    this.maxMailbox = actor.mailbox?.max ?? maxMailbox;
    this.highWater = Math.ceil(this.maxMailbox * HIGH_SHARE);
    this.overflow = actor.mailbox?.overflow ?? "reject";
    for (const [name, handler] of Object.entries(actor.calls)) this.calls.set(name, handler);
    for (const [name, handler] of Object.entries(actor.casts)) this.casts.set(name, handler);
  }

  hasCall(type: string): boolean {
    return this.calls.has(type);
  }

  under(profile: Profile): ActorBehaviour {
    const { actor, facets } = this;
    if (actor.mailbox?.max !== undefined || profile.maxMailbox === this.maxMailbox) return this;
    this.twin ??= new ActorBehaviour(actor, facets, this.version, profile.maxMailbox);
    return this.twin;
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

  /** The most common turn, on the shortest way; whatever is unusual takes the long one. */
  receiveCast(process: Process, cast: CastType, arg: unknown): void {
    if (process.extras?.idleTimer !== undefined) stopIdle(process.extras, process.kernel);
    const handler = (cast.owner === this ? cast.handler : this.bind(cast)) as Handler | undefined;
    if (handler === undefined) {
      countUnknown(process, cast.type);
      return;
    }
    const { state } = process;
    let result: unknown;
    try {
      result = handler(state, arg, process.ctx as Ctx, undefined);
    } catch (error) {
      this.end(process, reasonOfThrown(error), undefined);
      return;
    }
    if (result === state) return;
    if (result instanceof Promise) this.wait(process, cast.envelope(arg), result);
    else if (result === undefined || result instanceof Control) {
      this.apply(process, cast.envelope(arg), result);
    } else if (process.alive) process.state = result;
  }

  private bind(cast: CastType): unknown {
    cast.owner = this;
    cast.handler = this.casts.get(cast.type);
    return cast.handler;
  }

  format(process: Process): unknown {
    const { formatState } = this.actor;
    return formatState === undefined ? redact(process.state) : formatState(process.state);
  }

  /** An operator's order to end: terminate runs, whether it traps exits or not. */
  terminate(process: Process, reason: Reason): void {
    this.end(process, reason, undefined);
  }

  changeCode(process: Process, next: unknown): Reason | undefined {
    if (!(next instanceof ActorBehaviour)) return ["bad_code", "no actor definition"];
    if (next.name !== this.name) return ["other_actor", this.name, next.name];
    const state = migrated(process, next.actor, next.version, this.version);
    if (state instanceof Refuse) return state.reason;
    process.become(next.under(process.kernel.profile));
    process.state = state;
    const isOld = (kept: unknown): boolean =>
      kept instanceof ActorBehaviour && kept.actor === this.actor;
    keepForRestart(process, isOld, next);
    return undefined;
  }

  private started(process: Process, result: unknown): StartOutcome {
    if (result instanceof Ignore) return { ok: false, ignored: true };
    if (result instanceof Refuse) return notStarted(result.reason);
    const isUsable = result instanceof Next ? this.follow(process, result) : true;
    if (!isUsable || (result instanceof Control && !(result instanceof Next))) {
      return notStarted(badReturn("init", result));
    }
    if (!(result instanceof Next)) process.state = result;
    return { ok: true, process };
  }

  private dispatch(process: Process, envelope: Envelope): unknown {
    const ctx = process.ctx as Ctx;
    switch (envelope.kind) {
      case Kind.cast: {
        const handler = this.casts.get(envelope.type);
        if (handler !== undefined) return handler(process.state, envelope.arg, ctx, undefined);
        countUnknown(process, envelope.type);
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
    if (envelope.kind === Kind.timer) timerTaken(envelope);
    const { on } = this.actor;
    if (on !== undefined) return on(process.state, envelope.arg as Info, ctx);
    countUnknown(process, envelope.type);
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
      if (isWaiting(envelope) || (result === undefined && process.state !== undefined)) {
        this.refuse(process, envelope, result);
      } else process.state = result;
      return;
    }
    if (result instanceof Reply) this.answer(process, envelope, result);
    else if (result instanceof Later) this.defer(process, envelope, result);
    else if (result instanceof Next && isWaiting(envelope)) this.refuse(process, envelope, result);
    else this.step(process, envelope, result, result);
  }

  private answer(process: Process, envelope: Envelope, result: Reply<unknown, unknown>): void {
    const from = envelope.origin;
    const { step, value } = result;
    if (!(from instanceof PendingCall)) this.refuse(process, envelope, result);
    else if (step instanceof Stop) {
      process.state = step.state;
      this.end(process, step.reason, () => from.reply(value));
    } else if (this.step(process, envelope, step, result)) from.reply(value);
  }

  private defer(process: Process, envelope: Envelope, result: Later<unknown>): void {
    if (envelope.kind === Kind.call) this.step(process, envelope, result.step, result);
    else this.refuse(process, envelope, result);
  }

  /** Takes the step that is part of `result`; false when it ends the process. */
  private step(process: Process, envelope: Envelope, step: unknown, result: unknown): boolean {
    if (step instanceof Next) {
      if (this.follow(process, step)) return true;
    } else if (step instanceof Stop) {
      process.state = step.state;
      this.end(process, step.reason, undefined);
      return false;
    } else if (!isNoState(step, process.state)) {
      process.state = step;
      return true;
    }
    this.refuse(process, envelope, result);
    return false;
  }

  /** False, with nothing done, when there is no sense in it. */
  private follow(process: Process, step: Next<unknown>): boolean {
    const { continueWith, timeoutMs } = step.options;
    if (step.state instanceof Control || !canFollow(step.options)) return false;
    process.state = step.state;
    if (continueWith !== undefined) {
      const info: Info = { type: "continue", payload: continueWith };
      process.mailbox.unshift(new Envelope(Kind.continue, "continue", info, undefined));
    }
    if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) {
      startIdle(process, timeoutMs);
    }
    return true;
  }

  /** A callback returned nonsense: its own process ends, with the state from before. */
  private refuse(process: Process, envelope: Envelope, result: unknown): void {
    this.end(process, badReturn(callbackOf(envelope), result), undefined);
  }

  private end(process: Process, reason: Reason, beforeExit: (() => void) | undefined): void {
    endActor(process, this.actor.terminate, reason, beforeExit);
  }
}

/** True while the caller has no answer. */
function isWaiting({ origin }: Envelope): boolean {
  return origin instanceof PendingCall && origin.isOpen;
}
