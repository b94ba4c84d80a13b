/**
 * Stopping children: ask, wait for DOWN, kill at the deadline (otp.md 1.8).
 */
import type { Process } from "../process/process.ts";
import { Kind } from "../process/message.ts";
import { reasonText, type Reason } from "../reason.ts";
import { chain, type Maybe } from "./chain.ts";
import type { Child } from "./child.ts";
import { reportChild } from "./reports.ts";
import { isFineStop } from "./strategy.ts";
import type { SupervisorBehaviour } from "./supervisor.ts";

/** Stops all children: in reverse start order, or of a dynamic supervisor at once. */
export function stopAll(owner: SupervisorBehaviour): Maybe<void> {
  for (const child of owner.children) owner.cancelDelay(child);
  if (owner.isDynamic) return stopInParallel(owner, [...owner.children]);
  let work: Maybe<void> = undefined;
  for (const child of [...owner.children].reverse()) {
    work = chain(work, () => stopMember(owner, child));
  }
  return work;
}

/** Stops one child with its group; a temporary one does not come back. */
export function stopMember(owner: SupervisorBehaviour, member: Child): Maybe<void> {
  return chain(stopOne(owner, member), () => {
    if (member.timer === undefined) member.isRestarting = false;
    if (member.spec.restart === "temporary") owner.remove(member);
  });
}

/** Stops one child and waits until it is gone; nothing to do when it does not run. */
export function stopOne(owner: SupervisorBehaviour, child: Child): Promise<void> | undefined {
  const { process } = child;
  if (process === undefined) return undefined;
  const { me } = owner;
  const { kernel } = me;
  const isTold = detach(me, child, process);
  kernel.block(me);
  return new Promise((resolve) => {
    const deadline = armKill(owner, [process], child.spec.shutdown);
    kernel.onDown(process, () => {
      if (deadline !== undefined) kernel.wheel.cancel(deadline);
      if (!me.alive) return;
      kernel.unblock(me);
      judge(owner, child, reasonOfStop(process, isTold));
      resolve();
    });
    ask(me, process, child.spec.shutdown);
  });
}

/** Stops all children of a dynamic supervisor at once, with one shared timer. */
function stopInParallel(
  owner: SupervisorBehaviour,
  children: readonly Child[],
): Promise<void> | undefined {
  const running = children.filter((child) => child.process !== undefined);
  if (running.length === 0) return undefined;
  const { me } = owner;
  const { kernel } = me;
  const problems = new Map<string, { childId: unknown; reason: Reason; count: number }>();
  kernel.block(me);
  return new Promise((resolve) => {
    let left = running.length;
    const processes = running.map((child) => child.process as Process);
    const deadline = armKill(owner, processes, running[0]?.spec.shutdown ?? "infinity");
    for (const child of running) {
      const process = child.process as Process;
      const isTold = detach(me, child, process);
      kernel.onDown(process, () => {
        if (!me.alive) return;
        const reason = reasonOfStop(process, isTold);
        child.lastExit = reason;
        if (!isFineStop(child.spec.shutdown, child.spec.restart, reason)) {
          const text = reasonText(reason);
          const known = problems.get(text);
          if (known === undefined)
            problems.set(text, { childId: process.childId, reason, count: 1 });
          else known.count += 1;
        }
        left -= 1;
        if (left > 0) return;
        if (deadline !== undefined) kernel.wheel.cancel(deadline);
        kernel.unblock(me);
        for (const problem of [...problems.values()].sort(byReason)) {
          // Told by id and number: the pid of one of them would say nothing about the others.
          reportChild(me, { context: "shutdown_error", offender: undefined, ...problem });
        }
        resolve();
      });
      ask(me, process, child.spec.shutdown);
    }
  });
}

/** Atoms before tuples, then by text: the order of OTP's map of reasons. */
function byReason(a: { reason: Reason }, b: { reason: Reason }): number {
  const isAtomA = typeof a.reason === "string";
  if (isAtomA !== (typeof b.reason === "string")) return isAtomA ? -1 : 1;
  return reasonText(a.reason) < reasonText(b.reason) ? -1 : 1;
}

/**
 * The child no longer counts as running, and its EXIT will not be read. False when it had unlinked
 * itself and is gone already: nobody can say why it ended.
 */
function detach(me: Process, child: Child, process: Process): boolean {
  child.process = undefined;
  process.record = undefined;
  const wasLinked = me.dropLink(process);
  if (process.alive) {
    me.kernel.signals.unlink(me, process);
    return true;
  }
  const exit = me.mailbox.removeFirst((held) => held.kind === Kind.exit && held.origin === process);
  return wasLinked || exit !== undefined;
}

function reasonOfStop(process: Process, isTold: boolean): Reason {
  return isTold ? (process.exitReason ?? "noproc") : "noproc";
}

function ask(me: Process, process: Process, shutdown: unknown): void {
  const { signals } = me.kernel;
  signals.exit(me, process, shutdown === "kill" ? "kill" : "shutdown");
  // No time at all: the kill follows before the child has had a turn.
  if (shutdown === 0) signals.exit(me, process, "kill");
}

function armKill(
  owner: SupervisorBehaviour,
  processes: readonly Process[],
  shutdown: number | "infinity" | "kill",
): ReturnType<Process["kernel"]["wakeAt"]> | undefined {
  if (typeof shutdown !== "number" || shutdown === Number.POSITIVE_INFINITY) return undefined;
  if (shutdown === 0) return undefined;
  const { me } = owner;
  return me.kernel.wakeAt(shutdown, () => {
    for (const process of processes) {
      if (process.alive) me.kernel.signals.exit(me, process, "kill");
    }
  });
}

function judge(owner: SupervisorBehaviour, child: Child, reason: Reason): void {
  child.lastExit = reason;
  if (isFineStop(child.spec.shutdown, child.spec.restart, reason)) return;
  owner.report("shutdown_error", reason, child, child.lastPid);
}
