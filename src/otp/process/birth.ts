/**
 * How a process begins: name, link and init; whoever started it is told the outcome once.
 */
import { reasonOfThrown } from "../reason.ts";
import type { Kernel } from "./kernel.ts";
import { type Behaviour, notStarted, Process, type StartOutcome } from "./process.ts";
import { runFirst } from "./scope.ts";

/** How to start one process. */
export interface BirthOptions {
  readonly behaviour: Behaviour;
  readonly args: unknown;
  readonly parent?: Process | undefined;
  readonly isLinked?: boolean;
  readonly name?: string | undefined;
  readonly childId?: unknown;
  /** Init that takes longer is killed and reported as timeout. */
  readonly startTimeoutMs?: number | undefined;
}

/** Who hears how an async start ends. */
export type Starters = Map<Process, (outcome: StartOutcome) => void>;

/** Creates the process and runs its init; sync inits give a sync outcome. */
export function spawnProcess(
  kernel: Kernel,
  options: BirthOptions,
): StartOutcome | Promise<StartOutcome> {
  const { behaviour, parent, name } = options;
  const process = new Process(kernel, kernel.nextId(), behaviour, parent);
  process.childId = options.childId;
  if (name !== undefined) {
    const holder = kernel.registry.register(name, process);
    if (holder !== undefined) {
      process.alive = false;
      process.status = "dead";
      return notStarted(["already_started", holder.pid]);
    }
  }
  kernel.admit(process);
  if (parent !== undefined && options.isLinked === true) {
    process.addLink(parent);
    parent.addLink(process);
  }
  return runInit(kernel, process, options);
}

/** Whoever waits for the start of `process`; told once. */
export function takeStarter(
  kernel: Kernel,
  process: Process,
): ((outcome: StartOutcome) => void) | undefined {
  const { starters } = kernel;
  if (starters.size === 0) return undefined;
  const told = starters.get(process);
  if (told !== undefined) starters.delete(process);
  return told;
}

/** A start that fails is told by its outcome, not by an exit signal. */
export function unlinkFromParent(process: Process): void {
  const { parent } = process;
  if (parent === undefined) return;
  process.dropLink(parent);
  parent.dropLink(process);
}

function runInit(
  kernel: Kernel,
  process: Process,
  options: BirthOptions,
): StartOutcome | Promise<StartOutcome> {
  const begin = (): StartOutcome | Promise<StartOutcome> =>
    process.behaviour.init(process, options.args);
  let outcome: StartOutcome | Promise<StartOutcome>;
  try {
    outcome = runFirst(process, begin);
  } catch (error) {
    outcome = notStarted(reasonOfThrown(error));
  }
  if (!(outcome instanceof Promise)) return initDone(kernel, process, outcome);
  const { startTimeoutMs = Number.POSITIVE_INFINITY } = options;
  return initLater(kernel, process, outcome, startTimeoutMs);
}

/** An init that waits: the process is busy until it settles, fails or takes too long. */
function initLater(
  kernel: Kernel,
  process: Process,
  pending: Promise<StartOutcome>,
  startTimeoutMs: number,
): Promise<StartOutcome> {
  process.busy = true;
  kernel.block(process);
  return new Promise((resolve) => {
    const deadline =
      startTimeoutMs === Number.POSITIVE_INFINITY
        ? undefined
        : kernel.wakeAt(startTimeoutMs, () => {
            kernel.event("otp.start.timeout", process, { durationMs: startTimeoutMs });
            initTimedOut(kernel, process);
          });
    kernel.starters.set(process, (result) => {
      if (deadline !== undefined) kernel.wheel.cancel(deadline);
      resolve(result);
    });
    pending.then(
      (result) => initDone(kernel, process, result),
      (error: unknown) => initDone(kernel, process, notStarted(reasonOfThrown(error))),
    );
  });
}

function initDone(kernel: Kernel, process: Process, outcome: StartOutcome): StartOutcome {
  if (!process.alive) return notStarted(process.exitReason ?? "killed");
  if (!outcome.ok) {
    unlinkFromParent(process);
    const reason = outcome.ignored ? "normal" : outcome.reason;
    const told = takeStarter(kernel, process);
    kernel.event("otp.init", process, { result: outcome.ignored ? "ignore" : ["error", reason] });
    kernel.finish(process, reason);
    told?.(outcome);
    return outcome;
  }
  process.status = "running";
  process.busy = false;
  kernel.unblock(process);
  kernel.event("otp.init", process, { result: "ok" });
  if (process.mailbox.size > 0) kernel.scheduler.enqueue(process);
  const told = takeStarter(kernel, process);
  told?.(outcome);
  return outcome;
}

function initTimedOut(kernel: Kernel, process: Process): void {
  unlinkFromParent(process);
  const told = takeStarter(kernel, process);
  kernel.finish(process, "killed");
  told?.(notStarted("timeout"));
}
