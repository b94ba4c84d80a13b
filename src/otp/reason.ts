/**
 * Why processes end, and the errors callers see.
 *
 * ```ts
 * import { ExitError, isCleanReason, reasonText, type Reason } from "paceline/otp";
 *
 * const reasons: Reason[] = [
 *   "normal",
 *   { shutdown: "new configuration" },
 *   { error: new TypeError("no such field") },
 *   ["failed_to_start_child", "cache", "timeout"],
 * ];
 * for (const reason of reasons) console.log(isCleanReason(reason), reasonText(reason));
 *
 * const error = new ExitError("timeout", "rpc/head", "above");
 * console.log(error.code, error.message);
 * ```
 *
 * ```text
 * true normal
 * true {"shutdown":"new configuration"}
 * false TypeError: no such field
 * false ["failed_to_start_child","cache","timeout"]
 * OTP_TIMEOUT call above to rpc/head failed: timeout
 * ```
 *
 * A reason is a plain value as in Erlang: atoms are strings, tuples are arrays. An uncaught throw
 * ends a process with `{ error }`, which keeps the Error object and its stack.
 *
 * | reason | who ends so | clean |
 * |---|---|---|
 * | `"normal"` | `stop(state)`, a finished task | yes |
 * | `"shutdown"`, `{ shutdown: detail }` | whoever its supervisor stops, a supervisor that gives up | yes |
 * | `"killed"` | whoever got `kill`: no terminate, no mercy | no |
 * | `"noproc"` | a link or monitor to somebody who is not there | no |
 * | `{ error }` | a throw or rejection in a handler, or a stray one charged to the process | no |
 * | any string or `[tag, ...detail]` | what the code gave to `stop`, `refuse` or `exit` | no |
 *
 * Clean ends restart only `permanent` children (otp.md 1.3) and leave no crash event.
 *
 * Faults of a call that are not the callee's reason: `timeout`, `noproc` (dead or unknown),
 * `overloaded` (mailbox bound), `calling_self`, `noconnection`, `bad_call` (no such handler). `call`
 * rejects with ExitError (`OTP_TIMEOUT`, `OTP_NO_PROCESS`, .., `OTP_EXIT` when the callee ended);
 * `try` gives the same as a value. OtpError is thrown for misuse, at the place of misuse.
 */

/** Why a process ended or is asked to end. */
export type Reason =
  | "normal"
  | "shutdown"
  | "killed"
  | "noproc"
  | (string & {})
  | { readonly shutdown: unknown }
  | { readonly error: Error }
  | readonly [tag: string, ...detail: unknown[]];

/** Faults of a call that are not the callee's exit reason. */
export type CallFault =
  | "timeout"
  | "noproc"
  | "overloaded"
  | "calling_self"
  | "noconnection"
  | "bad_call";

/** Levels of supervisors that a start failure is searched through, two per level. */
const MAX_NESTING = 32;

const FAULT_CODES: Readonly<Record<CallFault, string>> = {
  timeout: "OTP_TIMEOUT",
  noproc: "OTP_NO_PROCESS",
  overloaded: "OTP_OVERLOADED",
  calling_self: "OTP_CALLING_SELF",
  noconnection: "OTP_NO_CONNECTION",
  bad_call: "OTP_BAD_CALL",
};

/** Code of a call that failed because its argument or answer cannot cross to another thread. */
const NOT_CLONEABLE = "OTP_NOT_CLONEABLE";

/** True for normal, shutdown and {shutdown, _}: ends that are nobody's failure. */
export function isCleanReason(reason: Reason): boolean {
  return reason === "normal" || reason === "shutdown" || isShutdown(reason);
}

/** True for shutdown and {shutdown, _}. */
export function isShutdown(reason: Reason): boolean {
  if (reason === "shutdown") return true;
  return typeof reason === "object" && !Array.isArray(reason) && "shutdown" in reason;
}

/** What `exit` throws; a catch that swallows everything swallows it too. */
class ExitRequest extends Error {
  readonly reason: Reason;

  constructor(reason: Reason) {
    super(`exit: ${reasonText(reason)}`);
    this.name = "ExitRequest";
    this.reason = reason;
  }
}

/** Ends the calling process with `reason`, from any depth of its code, as erlang's exit/1. */
export function exit(reason: Reason): never {
  throw new ExitRequest(reason);
}

/** Turns anything thrown into the exit reason of the process that threw it. */
export function reasonOfThrown(thrown: unknown): Reason {
  if (thrown instanceof ExitRequest) return thrown.reason;
  if (thrown instanceof Error) return { error: thrown };
  return { error: new Error(`thrown: ${textOf(thrown)}`, { cause: thrown }) };
}

/**
 * One line of text for logs, trees and error messages: an atom as it is, anything else on one line of
 * at most 200 characters. Never throws.
 */
export function reasonText(reason: Reason): string {
  if (typeof reason === "string") return reason;
  if (Array.isArray(reason)) return clip(textOf(reason));
  if ("error" in reason) return clip(`${reason.error.name}: ${reason.error.message}`);
  return clip(textOf(reason));
}

/** Thrown by the runtime itself when it is misused. */
export class OtpError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "OtpError";
    this.code = code;
  }
}

/** What `call` rejects with: the callee ended, or the call itself could not be made. */
export class ExitError extends Error {
  readonly code: string;
  readonly reason: CallFault | Reason;
  readonly target: string;
  readonly request: string;

  constructor(reason: CallFault | Reason, target: string, request: string) {
    const cause = errorIn(reason, 0);
    super(`call ${request} to ${target} failed: ${reasonText(reason)}`, { cause });
    this.name = "ExitError";
    this.code = codeOf(reason);
    this.reason = reason;
    this.target = target;
    this.request = request;
  }
}

function codeOf(reason: CallFault | Reason): string {
  if (Array.isArray(reason) && reason[0] === "not_cloneable") return NOT_CLONEABLE;
  return (typeof reason === "string" && FAULT_CODES[reason as CallFault]) || "OTP_EXIT";
}

/** The Error at the bottom of a nested start failure, for `cause`. */
function errorIn(reason: unknown, depth: number): Error | undefined {
  if (reason instanceof Error) return reason;
  if (typeof reason !== "object" || reason === null || depth > MAX_NESTING) return undefined;
  for (const inner of Object.values(reason)) {
    const found = errorIn(inner, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Any value as text; never throws. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    const text = JSON.stringify(value, (_key, inner: unknown) =>
      inner instanceof Error ? `${inner.name}: ${inner.message}` : inner,
    ) as string | undefined;
    // Symbols, functions and undefined have no JSON.
    return text ?? String(value);
  } catch {
    return plainText(value);
  }
}

/** For what JSON cannot say: circular values, big integers, getters that throw. */
function plainText(value: unknown): string {
  try {
    return String(value);
  } catch {
    return "(unprintable)";
  }
}

function clip(text: string): string {
  const line = text.replaceAll(/\s*[\r\n]\s*/g, " ");
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}
