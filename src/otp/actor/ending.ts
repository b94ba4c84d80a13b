/**
 * The orderly end of an actor: terminate, then the exit.
 */
import type { Process } from "../process/process.ts";
import { isCleanReason, reasonOfThrown, type Reason } from "../reason.ts";
import type { ErasedActor } from "./behaviour.ts";
import type { Ctx } from "./context.ts";

/** Runs terminate, then what must precede the exit even if terminate throws, then ends it. */
export function endActor(
  process: Process,
  terminate: ErasedActor["terminate"],
  reason: Reason,
  beforeExit: (() => void) | undefined,
): void {
  const { kernel } = process;
  process.status = "stopping";
  const finish = (last: Reason): void => {
    if (!process.alive) return;
    beforeExit?.();
    kernel.finish(process, last);
  };
  // A crash is written down before the exit, and who writes gives way, as on BEAM.
  const leave = (last: Reason): void => {
    if (isCleanReason(last)) finish(last);
    else kernel.giveWay(process, () => finish(last));
  };
  if (terminate === undefined) {
    finish(reason);
    return;
  }
  kernel.event("otp.terminate", process, { reason });
  let result: unknown;
  try {
    result = terminate(process.state, reason, process.ctx as Ctx);
  } catch (error) {
    leave(reasonOfThrown(error));
    return;
  }
  if (!(result instanceof Promise)) {
    leave(reason);
    return;
  }
  process.busy = true;
  kernel.block(process);
  result.then(
    () => finish(reason),
    (error: unknown) => finish(reasonOfThrown(error)),
  );
}
