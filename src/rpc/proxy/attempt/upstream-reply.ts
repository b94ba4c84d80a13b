/**
 * Judges one whole answer of a provider: a result with our id in a known place, or a class and the
 * error that carries it. Results are never parsed, errors are.
 */
import { isUtf8 } from "node:buffer";
import type { ErrorClass } from "../../errors/classes.ts";
import { byStatus, classifyError } from "../../errors/classify.ts";
import type { ErrorRule } from "../../errors/rules.ts";
import { skipValue } from "../../json-rpc/json-bytes.ts";
import { CONTRADICTION, memberFault, replyFault } from "../../json-rpc/reply-check.ts";
import { endsLikeObject, findId, tailIdAt, walkReply } from "../../json-rpc/reply-walker.ts";
import { ID_WIDTH, readId } from "../../json-rpc/upstream-id.ts";

/** An upstream's own error, as it may be relayed. */
export interface RelayableError {
  readonly code: number;
  readonly message: string;
  /** The raw error object, UTF-8 decoded. */
  readonly raw: string;
  readonly hasData: boolean;
  /** `error.data` as text: a string, or JSON; empty when there is none. */
  readonly data: string;
}

/** The verdict on a whole answer. */
export type ReplyVerdict =
  | {
      readonly kind: "result";
      readonly idStart: number;
      readonly idEnd: number;
      readonly valueAt: number;
      readonly isNull: boolean;
      /** Some nodes send the data of a revert as the result of the call. */
      readonly isRevert: boolean;
    }
  | {
      readonly kind: "failure";
      readonly errorClass: ErrorClass;
      readonly error: RelayableError | undefined;
      readonly detail: string;
    };

/** What the judge must know of the call; the last two are read only when the answer is an error. */
export interface ReplyContext {
  readonly method: string;
  readonly id: number;
  /** Undefined when the answer came without a head. */
  readonly status: number | undefined;
  readonly rules: readonly ErrorRule[];
  readonly isNearHead: boolean | undefined;
}

const malformed = (detail: string): ReplyVerdict => ({
  kind: "failure",
  errorClass: "malformed",
  error: undefined,
  detail,
});

/** Longest piece of a foreign body that is read for words. */
const MAX_TEXT = 2048;

/** Judges `body`, which is all of the answer. */
export function judgeReply(body: Buffer, context: ReplyContext): ReplyVerdict {
  const end = body.length;
  const head = walkReply(body, end, true);
  if (head.kind === "error") {
    return judgeError(body, head.valueAt, head.idStart, head.idEnd, context);
  }
  if (context.status !== 200) return judgeStatus(body, context);
  if (head.kind !== "result") {
    return malformed(end === 0 ? "empty answer" : "answer is not JSON-RPC");
  }
  const { valueAt } = head;
  const isNull = body[valueAt] === 0x6e;
  let { idStart, idEnd } = head;
  const fault = endsLikeObject(body, end) ? replyFault(body, head.valueAt) : "answer is cut";
  if (fault !== undefined) return malformed(fault);
  if (idStart < 0) {
    const tailAt = tailIdAt(body, end);
    const found = tailAt < 0 ? findId(body, end) : { start: tailAt, end: tailAt + ID_WIDTH };
    idStart = found.start;
    idEnd = found.end;
  }
  if (idStart < 0 || readId(body, idStart, idEnd) !== context.id) {
    return malformed("answer carries another id");
  }
  const isRevert = context.method === "eth_call" && startsWith(body, valueAt, REVERT_RESULT);
  return { kind: "result", idStart, idEnd, valueAt, isNull, isRevert };
}

/** `Error(string)`, where a result should be (ethers-io/ethers.js#949). */
const REVERT_RESULT = Buffer.from('"0x08c379a0');

function startsWith(body: Buffer, at: number, expected: Buffer): boolean {
  for (let i = 0; i < expected.length; i++) if (body[at + i] !== expected[i]) return false;
  return true;
}

/** A body without a JSON-RPC error: its status speaks, then its words. */
function judgeStatus(body: Buffer, context: ReplyContext): ReplyVerdict {
  const text = body.toString("utf8", 0, Math.min(body.length, MAX_TEXT));
  const errorClass = classifyError(
    {
      method: context.method,
      status: statusOf(context),
      code: undefined,
      message: text,
      data: "",
      isNearHead: context.isNearHead,
    },
    context.rules,
  );
  // Words of an error page must not end a call: only a JSON-RPC error may be final.
  const isFinal =
    errorClass === "revert" || errorClass === "invalid_params" || errorClass === "user";
  return {
    kind: "failure",
    errorClass: isFinal || errorClass.startsWith("tx_") ? "server" : errorClass,
    error: undefined,
    detail: `HTTP ${statusOf(context)}`,
  };
}

function judgeError(
  body: Buffer,
  valueAt: number,
  headIdStart: number,
  headIdEnd: number,
  context: ReplyContext,
): ReplyVerdict {
  const valueEnd = skipValue(body, valueAt, body.length, 1);
  if (valueEnd < 0) return malformed("error answer is cut or not JSON");
  // An error is read, so it is walked whatever its size; what it may not be beside is a result.
  const fault = memberFault(body);
  if (fault === CONTRADICTION || !isUtf8(body)) return malformed(fault ?? "not valid UTF-8");
  const raw = body.toString("utf8", valueAt, valueEnd);
  const { code, message, data } = errorParts(raw);
  const errorClass = classifyError(
    {
      method: context.method,
      status: statusOf(context),
      code,
      // Words beyond this tell nothing more, and a megabyte of them would be searched by every rule.
      message: message.slice(0, MAX_TEXT),
      data: data?.slice(0, MAX_TEXT) ?? "",
      isNearHead: context.isNearHead,
    },
    context.rules,
  );
  const idRange =
    headIdStart >= 0 ? { start: headIdStart, end: headIdEnd } : findId(body, body.length);
  const isOurs = idRange.start >= 0 && readId(body, idRange.start, idRange.end) === context.id;
  // Throttles and gateways answer before they read the id, and a parser that failed never had it.
  const isIdless =
    code === -32700 ||
    errorClass === "rate_limit" ||
    errorClass === "auth" ||
    byStatus(statusOf(context)) !== undefined;
  if (!isOurs && !isIdless) return malformed("error answer carries another id");
  const isObject = raw.startsWith("{") && code !== undefined;
  return {
    kind: "failure",
    errorClass,
    error: isObject
      ? { code, message, raw, hasData: data !== undefined, data: data ?? "" }
      : undefined,
    detail: `${code ?? "no code"}: ${message}`.slice(0, 300),
  };
}

function statusOf({ status }: ReplyContext): number {
  return status ?? 0;
}

function errorParts(raw: string): {
  code: number | undefined;
  message: string;
  data: string | undefined;
} {
  const value: unknown = JSON.parse(raw);
  if (typeof value === "string") return { code: undefined, message: value, data: undefined };
  if (typeof value !== "object" || value === null) {
    return { code: undefined, message: "", data: undefined };
  }
  const { code, message, data } = value as { code?: unknown; message?: unknown; data?: unknown };
  return {
    code: typeof code === "number" ? code : undefined,
    message: typeof message === "string" ? message : "",
    data: data === undefined || data === null ? undefined : dataText(data),
  };
}

function dataText(data: unknown): string {
  return typeof data === "string" ? data : JSON.stringify(data);
}
