/**
 * What a supervisor tells about its children, in OTP's words (otp.md 6.1, 7.3).
 */
import type { Process } from "../process/process.ts";
import { reasonText, type Reason } from "../reason.ts";
import type { Child } from "./child.ts";
import type { SupervisorBehaviour } from "./supervisor.ts";

/** Contexts of supervisor reports. */
export type ReportContext = "start_error" | "child_terminated" | "shutdown_error" | "shutdown";

/** One report; `offender` is the pid as OTP prints it, "restarting:" in front while retrying. */
export interface ChildReport {
  readonly context: ReportContext;
  readonly reason: Reason;
  readonly childId: unknown;
  readonly offender: string | undefined;
  /** Children that ended alike, in the parallel stop of a dynamic supervisor. */
  readonly count: number | undefined;
}

/** Emits `otp.report`. */
export function reportChild(supervisor: Process, report: ChildReport): void {
  const { context, reason, childId, offender, count } = report;
  supervisor.kernel.event("otp.report", supervisor, {
    context,
    reason,
    child: childId,
    childPid: offender,
    ...(count === undefined ? {} : { nb_children: count }),
  });
}

/** Emits `otp.restart`. */
export function tellRestart(owner: SupervisorBehaviour, child: Child, delayMs: number): void {
  const { kernel } = owner.me;
  if (!kernel.telemetry.hears("otp.restart")) return;
  kernel.event("otp.restart", owner.me, {
    child: child.spec.id,
    strategy: owner.setup.strategy,
    reason: reasonText(child.lastExit ?? "normal"),
    inWindow: owner.window.count(kernel.now()),
    intensity: owner.setup.intensity,
    attempt: child.restarts,
    delayMs,
  });
}
