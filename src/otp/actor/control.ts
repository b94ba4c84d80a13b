/**
 * What a handler may decide: the decision is a branded value, the runtime performs it.
 *
 * ```ts
 * import {
 *   child,
 *   createVirtualNode,
 *   defineActor,
 *   ignore,
 *   keyFor,
 *   next,
 *   refuse,
 *   reply,
 *   stop,
 *   supervisor,
 * } from "paceline/otp";
 *
 * const lamp = defineActor({
 *   name: "demo/lamp",
 *   init: (watts: number) => {
 *     if (watts === 0) return ignore;
 *     if (watts > 100) return refuse(["too_bright", watts]);
 *     return next({ watts, isOn: false }, { continueWith: "warm up" });
 *   },
 *   calls: {
 *     toggle: (state) => reply({ ...state, isOn: !state.isOn }, !state.isOn),
 *     unscrew: (state) => reply(stop(state), "dark"),
 *   },
 *   casts: { glow: (state) => next({ ...state, isOn: true }, { timeoutMs: 5_000 }) },
 *   on: (state, info) => {
 *     console.log(info.type);
 *     return info.type === "idle" ? { ...state, isOn: false } : state;
 *   },
 * });
 * const lampKey = keyFor(lamp, "room");
 * const room = (name: string, watts: number) =>
 *   child(lamp, watts, { register: lampKey(name), restart: "transient" });
 *
 * const node = createVirtualNode();
 * const top = await node.start(
 *   supervisor("house", { children: [room("hall", 40), room("attic", 0)] }),
 * );
 * const hall = node.via(lampKey("hall"));
 * hall.cast.glow();
 * await node.advance(5_000);
 * console.log("on:", await hall.call.toggle());
 * console.log(await hall.call.unscrew());
 * const garden = await top.startChild(room("garden", 500));
 * console.log(garden.ok || garden.reason);
 * console.log((await top.whichChildren()).map((row) => row.pid));
 * await node.stop();
 * ```
 *
 * ```text
 * continue
 * idle
 * on: true
 * dark
 * [ 'too_bright', 500 ]
 * [ undefined, undefined ]
 * ```
 *
 * | decision | where | meaning |
 * |---|---|---|
 * | a bare state | everywhere | `next(state)` |
 * | `next(state, options)` | everywhere | go on |
 * | `stop(state, reason = "normal")` | all but init | terminate, then exit with `reason` |
 * | `reply(step, value)` | calls | answer the caller and take the step: a state, `next` or `stop` |
 * | `later(step)` | calls | the caller waits; a later turn answers with `from.reply(value)` |
 * | `ignore` | init | not wanted now: the supervisor keeps the spec, its pid is undefined |
 * | `refuse(reason)` | init | the start fails with `reason` |
 *
 * | option of `next` | meaning | default |
 * |---|---|---|
 * | `continueWith` | payload of a `continue` message that runs before any other | none |
 * | `timeoutMs` | ms of silence after which an `idle` message comes; any message ends it | none (Infinity) |
 *
 * Order with `reply(stop(..), value)`: terminate, then the answer, then the exit. Control values are
 * class instances, never structural, so a state that happens to look like one is still a state. A
 * decision in the wrong place ends the process with `["bad_return_value", { callback, value }]`, in
 * init the start. `next(undefined)` says that undefined is meant: bare, it is a forgotten return.
 */
import type { Reason } from "../reason.ts";

/** Base of every control value; the runtime tests with instanceof. */
export abstract class Control {
  declare private readonly control: never;
}

/** What may follow a turn: a message to itself before any other, or an idle timeout in ms. */
export interface NextOptions {
  /** Payload of a `continue` message that runs before any other; default none. */
  readonly continueWith?: unknown;
  /** Ms of silence after which `idle` comes; default Infinity: never. */
  readonly timeoutMs?: number;
}

/** Go on with this state. */
export class Next<S> extends Control {
  readonly state: S;
  readonly options: NextOptions;

  constructor(state: S, options: NextOptions) {
    super();
    this.state = state;
    this.options = options;
  }
}

/** End the process after `terminate`. */
export class Stop<S> extends Control {
  readonly state: S;
  readonly reason: Reason;

  constructor(state: S, reason: Reason) {
    super();
    this.state = state;
    this.reason = reason;
  }
}

/** Answer the call and take the step. */
export class Reply<S, R> extends Control {
  readonly step: S | Next<S> | Stop<S>;
  readonly value: R;

  constructor(step: S | Next<S> | Stop<S>, value: R) {
    super();
    this.step = step;
    this.value = value;
  }
}

/** Keep the caller waiting: its `from` is answered in a later turn. */
export class Later<S> extends Control {
  readonly step: S | Next<S> | Stop<S>;

  constructor(step: S | Next<S> | Stop<S>) {
    super();
    this.step = step;
  }
}

/** Init only: do not start, and do not fail. */
export class Ignore extends Control {
  declare private readonly ignored: never;
}

/** Init only: fail to start with this reason. */
export class Refuse extends Control {
  readonly reason: Reason;

  constructor(reason: Reason) {
    super();
    this.reason = reason;
  }
}

const NO_OPTIONS: NextOptions = {};

/** Goes on with `state`; `continueWith` runs before any other message, `timeoutMs` mails `idle` when nothing arrives. */
export function next<S>(state: S, options: NextOptions = NO_OPTIONS): Next<S> {
  return new Next(state, options);
}

/** Ends the process with `reason` after its terminate handler. */
export function stop<S>(state: S, reason: Reason = "normal"): Stop<S> {
  return new Stop(state, reason);
}

/** Answers the caller with `value`; with a `stop` step: terminate, then the answer, then the exit. */
export function reply<S, R>(step: S | Next<S> | Stop<S>, value: R): Reply<S, R> {
  return new Reply(step, value);
}

/** Leaves the caller waiting for `from.reply`. */
export function later<S>(step: S | Next<S> | Stop<S>): Later<S> {
  return new Later(step);
}

/** Init result: this process is not wanted now; its supervisor keeps the spec. */
export const ignore: Ignore = new (class extends Ignore {})();

/** Init result: the start fails with `reason`. */
export function refuse(reason: Reason): Refuse {
  return new Refuse(reason);
}
