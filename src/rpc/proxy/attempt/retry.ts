/** Whether a call is tried again after a failure, and how long each try may take. */
import { DECISIONS } from "../../errors/decisions.ts";
import type { ErrorClass } from "../../errors/classes.ts";
import type { MethodInfo } from "../../json-rpc/methods.ts";
import { BUDGET_SHARE, MIN_BUDGET_MS } from "../limits.ts";
import type { UpstreamFailure } from "../ports.ts";
import type { Attempt } from "./attempt.ts";

/** Classes in which the provider has done nothing of what it was asked. */
const REFUSED_UNSEEN: ReadonlySet<ErrorClass> = new Set(["rate_limit", "auth", "capability"]);

/** True when a failure of this class lets another provider be tried, given what was tried before. */
export function failsOver(
  info: MethodInfo,
  errorClass: ErrorClass,
  attempts: readonly Attempt[],
): boolean {
  // What was refused before it was run may be asked of anybody.
  if (!info.isIdempotent && !REFUSED_UNSEEN.has(errorClass)) return false;
  // Too much is cut by whoever asks in parts; elsewhere it may be too much as well.
  if (info.isCut === true && errorClass === "capability") return false;
  const rule = DECISIONS[errorClass].failover;
  if (rule === "never" || rule === "always") return rule === "always";
  let same = 0;
  for (const attempt of attempts) if (attempt.errorClass === errorClass) same++;
  return same <= (rule === "twice" ? 2 : 1);
}

/** A kept-alive connection that the provider closed meanwhile says nothing about the provider. */
export function isStaleSocket(
  info: MethodInfo,
  attempt: Attempt,
  failure: UpstreamFailure | undefined,
): boolean {
  return (
    failure !== undefined &&
    failure.reusedSocket &&
    failure.kind === "reset" &&
    info.isIdempotent &&
    info.class !== "write" &&
    !attempt.isStreaming
  );
}

/** Time for one attempt while another provider could follow: a share of what is left, ms. */
export function sharedBudgetMs(capMs: number, q99Ms: number, remainingMs: number): number {
  return Math.min(capMs, Math.max(MIN_BUDGET_MS, 4 * q99Ms), BUDGET_SHARE * remainingMs);
}

/** A provider that has seen later blocks may know what this one did not. */
export function wantsHigherHead(errorClass: ErrorClass): boolean {
  return errorClass === "block_unavailable" || errorClass === "node_syncing";
}
