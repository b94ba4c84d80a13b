/**
 * Machine actors (gen_statem): an xstate machine run by the pure transition function.
 *
 * ```ts
 * import { setup } from "xstate";
 * import { child, createVirtualNode, defineMachineActor, keyFor, supervisor } from "paceline/otp";
 *
 * const doorMachine = setup({
 *   types: {
 *     context: {} as { readonly holdMs: number },
 *     events: {} as { type: "PUSH" } | { type: "KEY"; code: string },
 *     input: {} as { readonly holdMs: number },
 *   },
 *   delays: { hold: ({ context }) => context.holdMs },
 *   guards: { fits: ({ event }) => event.type === "KEY" && event.code === "42" },
 *   actions: { tell: (_args, _params: { readonly text: string }) => {} },
 * }).createMachine({
 *   context: ({ input }) => input,
 *   initial: "locked",
 *   states: {
 *     locked: { on: { KEY: { guard: "fits", target: "closed" } } },
 *     closed: { on: { PUSH: "open" } },
 *     open: {
 *       entry: { type: "tell", params: { text: "come in" } },
 *       after: { hold: "closed" },
 *     },
 *   },
 * });
 *
 * const door = defineMachineActor(doorMachine, {
 *   name: "demo/door",
 *   input: (holdMs: number) => ({ holdMs }),
 *   calls: {
 *     state: (snapshot) => snapshot.value,
 *     unlock: (_snapshot, code: string, send) => send({ type: "KEY", code }).matches("closed"),
 *   },
 *   effects: { tell: ({ text }) => console.log(text) },
 * });
 * const doorKey = keyFor(door);
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("demo", { children: [child(door, 3_000, { register: doorKey() })] }),
 * );
 * const ref = node.via(doorKey());
 * console.log(await ref.call.unlock("7"), await ref.call.unlock("42"));
 * ref.cast.PUSH();
 * console.log(await ref.call.state());
 * await node.advance(3_000);
 * console.log(await ref.call.state());
 * await node.stop();
 * ```
 *
 * ```text
 * false true
 * come in
 * open
 * closed
 * ```
 *
 * | option | meaning | default |
 * |---|---|---|
 * | `name` | `domain/base-name`, as for `defineActor` | none |
 * | `input(args, ctx)` | the machine's input, from the child's argument | none |
 * | `calls` | `(snapshot, arg, send)` gives the answer; `send(event)` steps first and gives the new snapshot | `{}` |
 * | `effects` | by action name: `(params, after, ctx)`, run after the transition, in list order | none: each named action needs one |
 * | `on(info, snapshot, ctx)` | turns other messages into an event; undefined: none | counted, `otp.unknown` |
 * | `postpone`, `maxPostponed` | event types that wait while the state cannot take them, tried again, oldest first, when the state value has changed; how many may wait | none, 1000 |
 * | `idleMs(snapshot)` | ms without any message after which `on` gets `{ type: "idle" }` | never |
 * | `terminate`, `trapExit`, `mailbox` | as for `defineActor` | none, false, 10 000 messages, reject |
 * | `formatState(snapshot)` | what operators see | `{ value, status }` |
 * | `version` | of the shape of value and context | 1 |
 * | `migrate({ value, context }, fromVersion, ctx)` | the same for this machine, at `inspector.upgrade` | same version only |
 *
 * The machine's events are the actor's casts, so an unknown event does not compile. Its actions become
 * effects here: delays (`after`, delayed `raise`) are process timers and move with a virtual clock,
 * `assign` and guards stay inside the transition, `emit` is telemetry, `log` is the process's log
 * (otp.md 5.3). Everything that would run code inside xstate (inline actions, invoke, spawn, sendTo)
 * is refused when the actor is defined: `OTP_MACHINE_REFUSED` names the state and the action.
 *
 * A final state ends the process normally. A throw in a guard, an assign or an effect ends it with
 * `{ error }`. More than 1000 microsteps of one event are an error: an eternal `always` would hang the
 * node.
 */
import type {
  AnyEventObject,
  AnyMachineSnapshot,
  AnyStateMachine,
  EventFrom,
  InputFrom,
  SnapshotFrom,
} from "xstate";
import type { Info } from "../process/message.ts";
import { countUnknown } from "../process/unknown.ts";
import { exit, type Reason } from "../reason.ts";
import { badReturn } from "./bad-return.ts";
import type { ErasedActor } from "./behaviour.ts";
import { Ctx } from "./context.ts";
import { Refuse, refuse, type Reply } from "./control.ts";
import { type Def, type MailboxOptions, makeDef, type None } from "./definition.ts";
import { checkMachine, checkPostponed } from "./machine-check.ts";
import { resumeMachine, type SavedMachine } from "./machine-resume.ts";
import { type Answer, type Effect, MachineRunner } from "./machine-runner.ts";

type Send<M extends AnyStateMachine> = (event: EventFrom<M>) => SnapshotFrom<M>;

/** Answers calls from the snapshot; `send` feeds an event first and returns the new snapshot. */
export type MachineCalls<M extends AnyStateMachine> = Record<
  string,
  // oxlint-disable-next-line typescript/no-explicit-any -- each entry brings its own argument type
  (snapshot: SnapshotFrom<M>, arg: any, send: Send<M>) => unknown
>;

type ActionsOf<M> = M extends { readonly "~types"?: infer _T; provide(i: infer I): unknown }
  ? I extends { actions?: infer A }
    ? NonNullable<A>
    : never
  : never;
type ParamsOf<F> =
  NonNullable<F> extends (args: infer _A, params: infer P) => unknown ? P : undefined;

/** Effects by action name. */
export type MachineEffects<M extends AnyStateMachine> = {
  readonly [N in keyof ActionsOf<M>]?: (
    params: ParamsOf<ActionsOf<M>[N]>,
    after: SnapshotFrom<M>,
    ctx: Ctx,
  ) => void;
};

type EventArg<E> = keyof Omit<E, "type"> extends never ? undefined : Omit<E, "type">;
type Wide<E> = string extends (E extends { type: infer T } ? T : never) ? true : false;

/** The casts of a machine: one per event type. */
export type MachineCasts<M extends AnyStateMachine> =
  Wide<EventFrom<M>> extends true
    ? Record<string, (state: unknown, arg: unknown) => unknown>
    : {
        [T in EventFrom<M>["type"]]: (
          state: unknown,
          arg: EventArg<Extract<EventFrom<M>, { type: T }>>,
        ) => unknown;
      };

/** Calls as refs see them. */
export type AnsweredCalls<C> = {
  [N in keyof C]: C[N] extends (snapshot: infer _S, arg: infer A, ...rest: infer _R) => infer V
    ? (state: unknown, arg: unknown extends A ? undefined : A) => Reply<unknown, V>
    : never;
};

/** What `defineMachineActor` takes beside the machine. */
export interface MachineSpec<
  M extends AnyStateMachine,
  A,
  C extends MachineCalls<M>,
  E extends EventFrom<M> = EventFrom<M>,
> {
  /** `domain/base-name`; keys and logs are built from it. */
  readonly name: string;
  /** Counts up with the shape of value and context; default 1. See `migrate`. */
  readonly version?: number;
  /** Bound of the mailbox; default 10 000 messages, the next one rejected. */
  readonly mailbox?: MailboxOptions;
  /** True: exit signals arrive as `exit` messages; default false. Must be stated with `terminate`. */
  readonly trapExit?: boolean;
  /** Input of the machine. */
  readonly input: (args: A, ctx: Ctx) => InputFrom<M>;
  /** Requests, answered from the snapshot; default none. */
  readonly calls?: C & { [N in keyof C]: MachineCalls<M>[string] };
  /** What named actions do; default none, which a machine with named actions does not accept. */
  readonly effects?: MachineEffects<M>;
  /**
   * Event types that wait while the snapshot cannot take them, and are tried again, oldest first,
   * when the state value has changed; default none: such events are ignored.
   */
  readonly postpone?: readonly EventFrom<M>["type"][];
  /** Events that may wait so; the next one is dropped with `otp.postponed.full`; default 1000. */
  readonly maxPostponed?: number;
  /**
   * Time after which, when no message at all has come, `on` gets `{ type: "idle" }`, ms; asked
   * after every message. Default: undefined, never.
   */
  readonly idleMs?: (snapshot: SnapshotFrom<M>) => number | undefined;
  /** Info messages (timers of effects, tasks, exits, broadcasts) turned into events; undefined: none. Default: counted and told as `otp.unknown`. */
  readonly on?: (info: Info, snapshot: SnapshotFrom<M>, ctx: Ctx) => E | undefined;
  /** Runs before an orderly end; default none. */
  readonly terminate?: (snapshot: SnapshotFrom<M>, reason: Reason, ctx: Ctx) => unknown;
  /** State for operators; default `{ value, status }`. */
  readonly formatState?: (snapshot: SnapshotFrom<M>) => unknown;
  /**
   * Value and context of this machine from those that `fromVersion` had, when a running process is
   * upgraded. Throw or return `refuse(reason)` to leave the old one running. Default: only the
   * same version is taken over. Timers of states that stay active run on, others end, and the
   * delays of states that are new begin.
   */
  readonly migrate?: (
    saved: SavedMachine,
    fromVersion: number,
    ctx: Ctx,
  ) => SavedMachine<SnapshotFrom<M>["context"]> | Refuse;
}

const MAX_MICROSTEPS = 1000;
const MAX_POSTPONED = 1000;

/** Defines an actor whose behaviour is a machine. */
export function defineMachineActor<
  const M extends AnyStateMachine,
  A,
  const C extends MachineCalls<M> = None,
  // Const, so that what `on` returns keeps its literal type.
  const E extends EventFrom<M> = EventFrom<M>,
>(
  machine: M,
  spec: MachineSpec<M, A, C, E>,
): Def<A, SnapshotFrom<M>, AnsweredCalls<C>, MachineCasts<M>> {
  const effects = (spec.effects ?? {}) as Readonly<Record<string, Effect>>;
  boundLoops(machine);
  const eventTypes = checkMachine(machine, spec.name, Object.keys(effects));
  const runner = new MachineRunner(machine, effects, {
    types: checkPostponed(spec.name, spec.postpone ?? [], eventTypes),
    max: spec.maxPostponed ?? MAX_POSTPONED,
    idleMs: spec.idleMs as ((snapshot: AnyMachineSnapshot) => number | undefined) | undefined,
  });
  const casts: Record<string, (state: unknown, arg: unknown, ctx: Ctx) => unknown> = {};
  for (const type of eventTypes) {
    casts[type] = (state, arg, ctx) =>
      runner.feed(state as AnyMachineSnapshot, { ...(arg as object | undefined), type }, ctx);
  }
  const calls: Record<string, ErasedActor["calls"][string]> = {};
  for (const [name, answer] of Object.entries(spec.calls ?? {})) {
    calls[name] = (state, arg, ctx) =>
      runner.answer(state as AnyMachineSnapshot, arg, ctx, answer as unknown as Answer);
  }
  const onInfo = spec.on as
    | ((info: Info, state: unknown, ctx: Ctx) => AnyEventObject | undefined)
    | undefined;
  const version = spec.version ?? 1;
  return makeDef(spec.name, version, {
    name: spec.name,
    init: (args, ctx) => runner.start(spec.input(args as A, ctx), ctx),
    calls,
    casts,
    on: (state, info, ctx) => {
      const snapshot = state as AnyMachineSnapshot;
      const own = runner.eventOf(info);
      if (own !== undefined) return runner.feed(snapshot, own, ctx);
      if (info.type === "continue") return runner.decide(snapshot);
      const event = onInfo?.(info, snapshot, ctx);
      if (event !== undefined && typeof (event as { type?: unknown } | null)?.type !== "string") {
        exit(badReturn(`on.${info.type}`, event));
      }
      if (event !== undefined) return runner.feed(snapshot, event, ctx);
      if (onInfo === undefined) countUnknown(Ctx.processOf(ctx), info.type);
      return runner.decide(snapshot);
    },
    terminate: spec.terminate as ErasedActor["terminate"],
    formatState: (state) => {
      if (spec.formatState !== undefined) return spec.formatState(state as SnapshotFrom<M>);
      const snapshot = state as AnyMachineSnapshot;
      return { value: snapshot.value, status: snapshot.status };
    },
    migrate: (state, fromVersion, ctx) => {
      const { value, context } = state as AnyMachineSnapshot;
      const saved: SavedMachine = { value, context };
      if (spec.migrate !== undefined) {
        const migrated = spec.migrate(saved, fromVersion, ctx);
        return migrated instanceof Refuse ? migrated : resumeMachine(machine, migrated, ctx);
      }
      if (fromVersion !== version) return refuse(["no_migrate", fromVersion, version]);
      return resumeMachine(machine, saved, ctx);
    },
    trapExit: spec.trapExit,
    mailbox: spec.mailbox,
  });
}

/** xstate's own default is no limit: an eternal `always` would hang the whole node. */
function boundLoops(machine: AnyStateMachine): void {
  const options = machine.options;
  if (options.maxIterations === undefined || options.maxIterations === Number.POSITIVE_INFINITY) {
    options.maxIterations = MAX_MICROSTEPS;
  }
}
