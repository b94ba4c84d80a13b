/**
 * What a handler may decide: the decision is a branded value, the runtime performs it.
 *
 * A bare state means `next(state)`. Control values are class instances, never structural, so a
 * state that happens to look like one is still a state.
 */
import type { Reason } from "../reason.ts";

/** Base of every control value; the runtime tests with instanceof. */
export abstract class Control {
  declare private readonly control: never;
}

/** What may follow a turn: a message to itself before any other, or an idle timeout in ms. */
export interface NextOptions {
  readonly continueWith?: unknown;
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
