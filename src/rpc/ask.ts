/**
 * One small question of our own to one endpoint: a probe, a head poll, a chain id check.
 *
 * It shares the wire with users' calls but none of their machinery: no failover, no splice, one
 * answer that is parsed because it is small.
 */
import { classifyError } from "./errors/classify.ts";
import type { ErrorClass } from "./errors/classes.ts";
import { retryAfterMs } from "./errors/retry-after.ts";
import type { ErrorRule } from "./errors/rules.ts";
import type { Upstream, UpstreamCall } from "./proxy/ports.ts";

/** What came of a question. */
export type Answer =
  | { readonly ok: true; readonly result: unknown }
  | {
      readonly ok: false;
      readonly errorClass: ErrorClass;
      readonly detail: string;
      readonly retryAfterMs?: number | undefined;
    };

/** Answers larger than this are refused: our own questions are small. */
const maxAnswerBytes = 4 * 1024 * 1024;

/** The last but one of the nine-digit ids; a probe asks one question at a time, so one id will do. */
const questionId = 999_999_998;

/** Asks and reports once; the returned function gives up without a report. */
export const ask = (
  upstream: Upstream,
  method: string,
  params: readonly unknown[],
  rules: readonly ErrorRule[],
  report: (answer: Answer) => void,
): (() => void) => {
  const body = JSON.stringify({ jsonrpc: "2.0", id: questionId, method, params });
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  let status = 200;
  let retryAfter: string | undefined;
  let isDone = false;
  const settle = (answer: Answer): void => {
    if (isDone) return;
    isDone = true;
    report(answer);
  };
  const call: UpstreamCall = upstream.send(Buffer.from(body), questionId, {
    onHead: (head) => {
      status = head.status;
      retryAfter = head.retryAfter;
    },
    onData: (chunk) => {
      sizeBytes += chunk.length;
      if (sizeBytes > maxAnswerBytes) {
        settle({
          ok: false,
          errorClass: "malformed",
          detail: `answer over ${maxAnswerBytes} bytes`,
        });
        call.abort();
        return false;
      }
      chunks.push(chunk);
      return true;
    },
    onEnd: () => settle(judge(method, status, Buffer.concat(chunks), retryAfter, rules)),
    onFailure: ({ kind }) =>
      settle({
        ok: false,
        errorClass: kind === "timeout" ? "timeout" : "transport",
        detail: kind,
      }),
  });
  return () => {
    if (isDone) return;
    isDone = true;
    call.abort();
  };
};

const judge = (
  method: string,
  status: number,
  body: Buffer,
  retryAfter: string | undefined,
  rules: readonly ErrorRule[],
): Answer => {
  const parsed = parsedObject(body);
  if (parsed !== undefined && parsed["id"] === questionId && status < 400) {
    if (parsed["error"] === undefined || parsed["error"] === null) {
      if ("result" in parsed) return { ok: true, result: parsed["result"] };
    }
  }
  const error = asRecord(parsed?.["error"]);
  const code = typeof error?.["code"] === "number" ? error["code"] : undefined;
  const message = typeof error?.["message"] === "string" ? error["message"] : "";
  const data = typeof error?.["data"] === "string" ? error["data"] : "";
  const errorClass = classifyError({ method, status, code, message, data }, rules);
  return {
    ok: false,
    errorClass,
    detail: `${status} ${code ?? ""} ${errorClass}`.replaceAll(/ +/g, " "),
    retryAfterMs: retryAfterMs(retryAfter),
  };
};

const parsedObject = (body: Buffer): Record<string, unknown> | undefined => {
  try {
    return asRecord(JSON.parse(body.toString("utf8")));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
};

const asRecord = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
