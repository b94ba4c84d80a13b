/**
 * Actor definitions: a record of functions, typed from `init`, turned into a behaviour once.
 */
import { type Facets, makeFacets, type ProcessRef } from "../process/ref.ts";
import type { CallOptions, CallResult, From } from "../process/calls.ts";
import type { Info } from "../process/message.ts";
import type { Behaviour, Overflow } from "../process/process.ts";
import { OtpError, type Reason } from "../reason.ts";
import { ActorBehaviour, type ErasedActor } from "./behaviour.ts";
import type { Ctx } from "./context.ts";
import type { Ignore, Later, Next, Refuse, Reply, Stop } from "./control.ts";

/** A value now or later. */
export type Awaitable<T> = T | Promise<T>;
/** What a turn without an answer may return. */
export type Step<S> = S | Next<S> | Stop<S>;
/** What init may return. */
export type Started<S> = S | Next<S> | Ignore | Refuse;

/* `any` stands where each entry brings its own type: only inference from the entry itself is wanted. */
/** Calls of a protocol: request name to handler. */
export type CallMap<S> = Record<
  string,
  // oxlint-disable-next-line typescript/no-explicit-any -- see above
  (state: S, arg: any, ctx: Ctx, from: From<any>) => Awaitable<Reply<S, any> | Later<S>>
>;
/** Casts of a protocol: message name to handler. */
export type CastMap<S> = Record<
  string,
  // oxlint-disable-next-line typescript/no-explicit-any -- see above
  (state: S, arg: any, ctx: Ctx) => Awaitable<Step<S>>
>;

/** Mailbox bound; system messages pass it but keep their order. */
export interface MailboxOptions {
  /** Messages that may wait; default 10 000. */
  readonly max?: number;
  /** What happens to the next one; default reject. */
  readonly overflow?: Overflow;
}

declare const types: unique symbol;

/** A definition: what `child`, `keyFor` and refs are made from. */
export interface Def<A, S, C, K> {
  readonly name: string;
  readonly version: number;
  readonly facets: Facets;
  readonly behaviour: Behaviour;
  readonly [types]?: { args: A; state: S; calls: C; casts: K };
}

/** Any definition. */
// oxlint-disable-next-line typescript/no-explicit-any -- a bound for generics, never a value's type
export type AnyDef = Def<any, any, any, any>;

/** Init argument of a definition. */
export type ArgsOf<D> = D extends Def<infer A, infer _S, infer _C, infer _K> ? A : never;
type CallsOf<D> = D extends Def<infer _A, infer _S, infer C, infer _K> ? C : never;
type CastsOf<D> = D extends Def<infer _A, infer _S, infer _C, infer K> ? K : never;

// oxlint-disable-next-line typescript/no-explicit-any -- matches every handler
type AnyFn = (...args: any[]) => unknown;
type ArgOf<F extends AnyFn> =
  Parameters<F> extends [unknown, infer A, ...unknown[]] ? A : undefined;
type FromValue<F extends AnyFn> =
  Parameters<F> extends [unknown, unknown, unknown, From<infer V>] ? V : never;
type Replied<R> = R extends Reply<infer _S, infer V> ? V : never;
/** Value a call resolves to: what `reply` carries and what `From` promises. */
type ValueOf<F extends AnyFn> =
  | Replied<Awaited<ReturnType<F>>>
  | (unknown extends FromValue<F> ? never : FromValue<F>);

type CallMethod<F extends AnyFn, R> =
  undefined extends ArgOf<F>
    ? (arg?: ArgOf<F>, options?: CallOptions) => Promise<R>
    : (arg: ArgOf<F>, options?: CallOptions) => Promise<R>;
type CastMethod<F extends AnyFn> =
  undefined extends ArgOf<F> ? (arg?: ArgOf<F>) => void : (arg: ArgOf<F>) => void;

type Fn<T> = T extends AnyFn ? T : never;

/** Typed reference to a process that runs `D`. */
export interface Ref<D extends AnyDef = AnyDef> extends ProcessRef {
  /** Request and answer; rejects with ExitError; 5 s unless `timeoutMs` says otherwise. */
  readonly call: {
    readonly [N in keyof CallsOf<D>]: CallMethod<Fn<CallsOf<D>[N]>, ValueOf<Fn<CallsOf<D>[N]>>>;
  };
  /** Like call, but faults are values: never rejects. */
  readonly try: {
    readonly [N in keyof CallsOf<D>]: CallMethod<
      Fn<CallsOf<D>[N]>,
      CallResult<ValueOf<Fn<CallsOf<D>[N]>>>
    >;
  };
  /** One-way message; dropped and counted when nobody is there. */
  readonly cast: { readonly [N in keyof CastsOf<D>]: CastMethod<Fn<CastsOf<D>[N]>> };
}

/** No handlers of this kind. */
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- a protocol without entries
export type None = Record<never, never>;

/** What `defineActor` takes. */
export interface ActorSpec<A, S, C extends CallMap<S>, K extends CastMap<S>> {
  /** `domain/base-name`; keys and logs are built from it. */
  readonly name: string;
  readonly version?: number;
  readonly mailbox?: MailboxOptions;
  /** True: exit signals arrive as `exit` messages. Must be stated when `terminate` is given. */
  readonly trapExit?: boolean;
  readonly init: (args: A, ctx: Ctx) => Awaitable<Started<S>>;
  readonly calls?: C & { [N in keyof C]: CallMap<S>[string] };
  readonly casts?: K & { [N in keyof K]: CastMap<S>[string] };
  readonly on?: (state: S, info: Info, ctx: Ctx) => Awaitable<Step<S>>;
  readonly terminate?: (state: S, reason: Reason, ctx: Ctx) => unknown;
  /** State for operators: leave out what is secret or large. */
  readonly formatState?: (state: S) => unknown;
}

/** Defines an actor (gen_server): one turn at a time over one state. */
export function defineActor<
  A,
  S,
  const C extends CallMap<S> = None,
  const K extends CastMap<S> = None,
>(spec: ActorSpec<A, S, C, K>): Def<A, S, C, K> {
  return makeDef(spec.name, spec.version ?? 1, {
    name: spec.name,
    init: spec.init as ErasedActor["init"],
    calls: (spec.calls ?? {}) as ErasedActor["calls"],
    casts: (spec.casts ?? {}) as ErasedActor["casts"],
    on: spec.on as ErasedActor["on"],
    terminate: spec.terminate as ErasedActor["terminate"],
    formatState: spec.formatState as ErasedActor["formatState"],
    trapExit: spec.trapExit,
    mailbox: spec.mailbox,
  });
}

/** Checks an erased actor and makes its definition. */
export function makeDef<A, S, C, K>(
  name: string,
  version: number,
  actor: ErasedActor,
): Def<A, S, C, K> {
  if (actor.terminate !== undefined && actor.trapExit === undefined) {
    throw new OtpError(
      "OTP_TERMINATE_WITHOUT_TRAP",
      `${name} has terminate but does not state trapExit: without trapping, terminate never runs on shutdown`,
    );
  }
  const facets = makeFacets(Object.keys(actor.calls), Object.keys(actor.casts));
  return { name, version, facets, behaviour: new ActorBehaviour(actor, facets) };
}
