/**
 * Actor definitions: a record of functions, typed from `init`, turned into a behaviour once.
 *
 * ```ts
 * import {
 *   child,
 *   createVirtualNode,
 *   defineActor,
 *   type From,
 *   keyFor,
 *   later,
 *   reply,
 *   stop,
 *   supervisor,
 * } from "paceline/otp";
 *
 * interface State {
 *   readonly free: number;
 *   readonly waiting: readonly From<string>[];
 * }
 *
 * // Gives out seats; who finds none waits for one.
 * const seats = defineActor({
 *   name: "demo/seats",
 *   mailbox: { max: 1_000, overflow: "reject" },
 *   init: (total: number): State => ({ free: total, waiting: [] }),
 *   calls: {
 *     take: (state, who: string, _ctx, from: From<string>) =>
 *       state.free > 0
 *         ? reply({ ...state, free: state.free - 1 }, `seat for ${who}`)
 *         : later({ ...state, waiting: [...state.waiting, from] }),
 *     close: (state) => reply(stop(state), "closed"),
 *   },
 *   casts: {
 *     leave: (state) => {
 *       const [first, ...waiting] = state.waiting;
 *       if (first === undefined) return { ...state, free: state.free + 1 };
 *       first.reply("seat after all");
 *       return { ...state, waiting };
 *     },
 *   },
 *   formatState: (state) => ({ free: state.free, waiting: state.waiting.length }),
 * });
 * const seatsKey = keyFor(seats);
 *
 * const node = createVirtualNode();
 * await node.start(supervisor("demo", { children: [child(seats, 1, { register: seatsKey() })] }));
 * const ref = node.via(seatsKey());
 * console.log(await ref.call.take("Ann"));
 * const second = ref.call.take("Bob");
 * ref.cast.leave();
 * console.log(await second);
 * const third = ref.try.take("Cy", { timeoutMs: 1_000 });
 * await node.advance(1_000);
 * console.log(await third);
 * await node.stop();
 * ```
 *
 * ```text
 * seat for Ann
 * seat after all
 * { ok: false, reason: 'timeout' }
 * ```
 *
 * | option | meaning | default |
 * |---|---|---|
 * | `name` | `domain/base-name`; keys, logs and trees are built from it | none |
 * | `init(args, ctx)` | makes the first state; its start waits for it; may be async | none |
 * | `calls` | requests: `(state, arg, ctx, from)` gives `reply(step, value)` or `later(step)` | `{}` |
 * | `casts` | one-way messages: `(state, arg, ctx)` gives the next step | `{}` |
 * | `on(state, info, ctx)` | everything else: exits, downs, timers, tasks, continue, idle, broadcasts | counted, `otp.unknown` |
 * | `terminate(state, reason, ctx)` | last words, see below | none |
 * | `trapExit` | exit signals arrive as `exit` messages; must be stated with `terminate` | false |
 * | `mailbox.max` | messages that may wait | 10 000 messages |
 * | `mailbox.overflow` | the next one: `reject`, `drop-oldest` or `exit` | `reject` |
 * | `formatState(state)` | what operators and crash reports see | bounded, redacted copy |
 * | `version` | of the state's shape | 1 |
 * | `migrate(state, fromVersion, ctx)` | the state of this version from another's, for `inspector.upgrade` | same version only |
 *
 * One turn at a time: a handler gets the state and returns a decision, a bare state meaning
 * `next(state)`. A sync handler is never awaited; an async one makes the process busy until it
 * settles, and its mailbox grows meanwhile: long work belongs into `ctx.task`.
 *
 * `terminate` runs on `stop`, on a throw or rejection in a handler, on a bad return value, and, when
 * the process traps exits, when its parent tells it to end, and on an operator's `terminate`. It never runs on `kill`, nor on a
 * shutdown of a process that does not trap. What it throws replaces the reason.
 *
 * A throw or rejection ends the process with `{ error }`. Nonsense ends it with
 * `["bad_return_value", { callback, value }]`: a call handler that returns neither a reply nor
 * `later`, a cast that replies, a forgotten `return` (undefined where there was a state). An unknown
 * call fails its caller with
 * `bad_call` and leaves the callee alone; unknown casts are counted. Errors of `defineActor` itself:
 * `OTP_TERMINATE_WITHOUT_TRAP`.
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
  /** Casts, calls and infos that may wait; default 10 000 messages. */
  readonly max?: number;
  /**
   * What happens to the next one; default reject: a call fails with `overloaded`, a cast is dropped
   * and counted. `drop-oldest` drops the oldest instead, `exit` ends the process.
   */
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
  /** Version of the state's shape, a whole number; default 1. See `migrate`. */
  readonly version?: number;
  /** Bound of the mailbox; default 10 000 messages, the next one rejected. */
  readonly mailbox?: MailboxOptions;
  /** True: exit signals arrive as `exit` messages; default false. Must be stated with `terminate`. */
  readonly trapExit?: boolean;
  /** Makes the first state; the start waits for it. Runs again, with the same argument, at each restart. */
  readonly init: (args: A, ctx: Ctx) => Awaitable<Started<S>>;
  /** Requests; default none. Each handler answers with `reply` or keeps the caller with `later`. */
  readonly calls?: C & { [N in keyof C]: CallMap<S>[string] };
  /** One-way messages; default none. */
  readonly casts?: K & { [N in keyof K]: CastMap<S>[string] };
  /** All other messages; default: counted and told as `otp.unknown`. */
  readonly on?: (state: S, info: Info, ctx: Ctx) => Awaitable<Step<S>>;
  /** Runs before an orderly end, see the module; default none. A promise is awaited. */
  readonly terminate?: (state: S, reason: Reason, ctx: Ctx) => unknown;
  /** State for operators: leave out what is secret or large; default a bounded, redacted copy. */
  readonly formatState?: (state: S) => unknown;
  /**
   * The state of this version from that of `fromVersion`, when a running process is upgraded. Throw
   * or return `refuse(reason)` to leave the old version running. Default: only the same
   * version is taken over, state untouched.
   */
  readonly migrate?: (state: unknown, fromVersion: number, ctx: Ctx) => NoInfer<S> | Refuse;
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
    migrate: spec.migrate,
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
  return { name, version, facets, behaviour: new ActorBehaviour(actor, facets, version) };
}
