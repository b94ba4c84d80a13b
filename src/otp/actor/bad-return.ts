/**
 * Nonsense from a callback: which returns end their own process, and how the reason names them.
 *
 * The types refuse most of it, but a cast, a forgotten `return` or plain JavaScript get past them.
 * The value is shown redacted and cut: an exit reason goes to logs and to whoever is linked.
 */
import { redact } from "../node/redact.ts";
import { type Envelope, type Info, Kind } from "../process/message.ts";
import type { Reason } from "../reason.ts";
import { Control, Ignore, type NextOptions } from "./control.ts";

/** Exit reason of a process whose `callback` (such as "casts.add") returned `value`. */
export function badReturn(callback: string, value: unknown): Reason {
  return ["bad_return_value", { callback, value: shown(value) }];
}

/** Name of the callback that handles this message. */
export function callbackOf(envelope: Envelope): string {
  if (envelope.kind === Kind.cast) return `casts.${envelope.type}`;
  if (envelope.kind === Kind.call) return `calls.${envelope.type}`;
  return `on.${(envelope.arg as Info).type}`;
}

/** False for options that nobody can follow: a timeout that is no number of ms. */
export function canFollow({ timeoutMs }: NextOptions): boolean {
  return timeoutMs === undefined || (typeof timeoutMs === "number" && timeoutMs >= 0);
}

/**
 * True for what cannot be the next state: another decision, or undefined where there was a state,
 * which is a forgotten return. `next(undefined)` says that it is meant.
 */
export function isNoState(value: unknown, before: unknown): boolean {
  return value instanceof Control || (value === undefined && before !== undefined);
}

function shown(value: unknown): unknown {
  if (value === undefined) return "undefined";
  if (value instanceof Ignore) return "ignore";
  if (value instanceof Control) return `${value.constructor.name.toLowerCase()}(..)`;
  return redact(value);
}
