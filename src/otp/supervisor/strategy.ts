/**
 * Restart decisions as pure functions (otp.md 1.3, 1.4, 1.8).
 */
import { isCleanReason, type Reason } from "../reason.ts";
import type { Backoff, RestartType, Shutdown, SupervisorSetup } from "./spec.ts";

/** What an exit means for the child that died. */
export interface ExitDecision {
  readonly isReported: boolean;
  readonly isRestarted: boolean;
  /** The spec is forgotten. */
  readonly isRemoved: boolean;
}

/** The table of 1.3. */
export function decideExit(restart: RestartType, reason: Reason): ExitDecision {
  const isClean = isCleanReason(reason);
  switch (restart) {
    case "permanent":
      return { isReported: true, isRestarted: true, isRemoved: false };
    case "transient":
      return { isReported: !isClean, isRestarted: !isClean, isRemoved: false };
    case "temporary":
      return { isReported: !isClean, isRestarted: false, isRemoved: true };
    default:
      return restart satisfies never;
  }
}

/** Children that go down with `dead`, in start order, `dead` included. */
export function groupOf<C>(
  strategy: SupervisorSetup["strategy"],
  children: Iterable<C>,
  dead: C,
): C[] {
  switch (strategy) {
    case "one_for_one":
    case "simple_one_for_one":
      return [dead];
    case "one_for_all":
      return [...children];
    case "rest_for_one": {
      const all = [...children];
      return all.slice(all.indexOf(dead));
    }
    default:
      return strategy satisfies never;
  }
}

/** True when a stopped child ended as asked, so that nothing is reported. */
export function isFineStop(shutdown: Shutdown, restart: RestartType, reason: Reason): boolean {
  if (shutdown === "kill" ? reason === "killed" : reason === "shutdown") return true;
  return restart !== "permanent" && isCleanReason(reason);
}

/** Delay before attempt `attempt` (1 is the first) with `chance` in [0, 1). */
export function backoffDelayMs(backoff: Backoff, attempt: number, chance: number): number {
  const fullMs = Math.min(backoff.maxMs, backoff.minMs * 2 ** Math.min(attempt - 1, 52));
  return fullMs * (1 - (backoff.jitter ?? 0.2) * chance);
}
