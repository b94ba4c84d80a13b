/**
 * What the end of a connection means: whose fault it was, when to come back, and how it is told.
 *
 * Providers close sockets for their own good reasons: a restart, an idle hour, too much traffic. A
 * close in good order is no failure; a refused key is one that no quick retry mends; whoever says
 * when to come back is obeyed (json-rpc reference 5 and 7.3).
 */
import { classifyError } from "../errors/classify.ts";
import type { ErrorClass } from "../errors/classes.ts";
import { retryAfterMs, retryHintMs } from "../errors/retry-after.ts";
import type { ErrorRule } from "../errors/rules.ts";
import type { SocketClosure } from "./socket.ts";
import type { Refusal } from "./upstream-talk.ts";

/** What follows from the end of a connection. */
export interface ClosureVerdict {
  /** For events and operators, without secrets. */
  readonly reason: string;
  /** For breaker and pool; undefined when it was nobody's fault. */
  readonly errorClass: ErrorClass | undefined;
  /** The least wait before the next attempt, ms; undefined when our own backoff decides. */
  readonly pauseMs: number | undefined;
  /** Our credentials are refused. */
  readonly isDenied: boolean;
}

/** How to read a provider's words. */
export interface ClosureContext {
  /** It was verified and usable before. */
  readonly wasUp: boolean;
  readonly redact: (text: string) => string;
  readonly rules: readonly ErrorRule[];
}

const MAX_REASON = 120;
/** Wait after a refusal for capacity that names none, ms. */
const RATE_PAUSE_MS = 1_000;
/** Wait after "try again later", ms. */
const TRY_LATER_MS = 5_000;

/** RFC 6455 section 7.4.1 and the IANA registry of close codes. */
const NORMAL = 1000;
const GOING_AWAY = 1001;
const SERVICE_RESTART = 1012;
const TRY_AGAIN_LATER = 1013;
const INTERNAL_ERROR = 1011;
const ORDERLY: ReadonlySet<number> = new Set([NORMAL, GOING_AWAY, SERVICE_RESTART]);
/** Protocol error, unsupported data, invalid bytes: whoever speaks there is no JSON-RPC node. */
const MALFORMED: ReadonlySet<number> = new Set([1002, 1003, 1007]);
const AUTH_STATUS: ReadonlySet<number> = new Set([401, 402, 403]);

/** Judges the end of a connection, or of an attempt at one. */
export const judgeClosure = (
  closure: SocketClosure,
  { wasUp, redact, rules }: ClosureContext,
): ClosureVerdict => {
  const errorClass = classOf(closure, wasUp, rules);
  const text = redact(closure.reason);
  return {
    reason: `${closure.status ?? closure.code} ${text}`.trim().slice(0, MAX_REASON),
    errorClass,
    pauseMs: pauseOf(closure, errorClass),
    isDenied: errorClass === "auth",
  };
};

/** Judges a provider that does not tell its chain id: it cannot be used, but may say why. */
export const judgeRefusal = (
  { code, message }: Refusal,
  { redact, rules }: Omit<ClosureContext, "wasUp">,
): ClosureVerdict => {
  const method = "eth_chainId";
  const found = classifyError({ method, status: 200, code, message, data: "" }, rules);
  const errorClass = found === "rate_limit" || found === "auth" ? found : "server";
  return {
    reason: redact(`${method}: ${code ?? ""} ${message}`.replace(":  ", ": ")).slice(0, MAX_REASON),
    errorClass,
    pauseMs: errorClass === "rate_limit" ? (retryHintMs(message, "") ?? RATE_PAUSE_MS) : undefined,
    isDenied: errorClass === "auth",
  };
};

const classOf = (
  { code, status, reason }: SocketClosure,
  wasUp: boolean,
  rules: readonly ErrorRule[],
): ErrorClass | undefined => {
  if (status !== undefined) {
    if (AUTH_STATUS.has(status)) return "auth";
    return status === 429 ? "rate_limit" : "server";
  }
  const worded = code === 1006 ? undefined : wordsOf(reason, rules);
  if (worded !== undefined) return worded;
  if (code === TRY_AGAIN_LATER) return "rate_limit";
  if (code === INTERNAL_ERROR) return "server";
  if (MALFORMED.has(code)) return "malformed";
  return wasUp && ORDERLY.has(code) ? undefined : "transport";
};

/** Vendors say with any code that a key is wrong or a quota spent; other words mean nothing here. */
const wordsOf = (message: string, rules: readonly ErrorRule[]): ErrorClass | undefined => {
  if (message === "") return undefined;
  const error = { method: "(connect)", status: 200, code: undefined, message, data: "" };
  const found = classifyError(error, rules);
  return found === "rate_limit" || found === "auth" ? found : undefined;
};

const pauseOf = (
  { code, status, retryAfter, reason }: SocketClosure,
  errorClass: ErrorClass | undefined,
): number | undefined => {
  const asked = retryAfterMs(retryAfter) ?? retryHintMs(reason, "");
  if (errorClass === "rate_limit") {
    return asked ?? (code === TRY_AGAIN_LATER ? TRY_LATER_MS : RATE_PAUSE_MS);
  }
  return status === 503 ? asked : undefined;
};
