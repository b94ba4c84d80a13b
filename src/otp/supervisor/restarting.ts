/**
 * A child has ended by itself: it is restarted with its group, at once or delayed, retried through
 * the mailbox when that fails, or it goes; a death too many ends the supervisor (otp.md 1.5, 1.6).
 */
import type { Process } from "../process/process.ts";
import type { Reason } from "../reason.ts";
import { chain, type Maybe } from "./chain.ts";
import type { Child } from "./child.ts";
import { killOrphans } from "./orphans.ts";
import { tellRestart } from "./reports.ts";
import { stopMember } from "./stopping.ts";
import { backoffDelayMs, decideExit, groupOf } from "./strategy.ts";
import type { SupervisorBehaviour } from "./supervisor.ts";

/** Reports the end of a child and does what its restart type asks for. */
export function childDied(owner: SupervisorBehaviour, child: Child, reason: Reason): Maybe<void> {
  const dead = child.process as Process;
  dead.record = undefined;
  child.process = undefined;
  child.lastExit = reason;
  const decision = decideExit(child.spec.restart, reason);
  if (decision.isReported) owner.report("child_terminated", reason, child, child.lastPid);
  if (decision.isRestarted) {
    return chain(orphansGone(owner, dead), () => requestRestart(owner, child));
  }
  if (decision.isRemoved || owner.isDynamic) owner.remove(child);
  return owner.checkAutoShutdown(child);
}

/** A restart failed earlier: once more, and it counts. */
export function retry(owner: SupervisorBehaviour, child: Child): Maybe<void> {
  if (!child.isRestarting || !owner.children.has(child)) return undefined;
  return requestRestart(owner, child);
}

/** The backoff of a child is over: its group starts. */
export function delayOver(owner: SupervisorBehaviour, child: Child): Maybe<void> {
  if (!child.isRestarting || !owner.children.has(child)) return undefined;
  return startGroup(owner, child, child.restartingPid);
}

function orphansGone(owner: SupervisorBehaviour, dead: Process): Maybe<void> {
  const policy = owner.setup.orphans ?? owner.me.kernel.profile.orphans;
  return policy === "ignore" ? undefined : killOrphans(owner.me, dead);
}

/** Counts one restart against the budget, stops the group, then starts it, at once or delayed. */
function requestRestart(owner: SupervisorBehaviour, child: Child): Maybe<void> {
  const { kernel } = owner.me;
  const offender = child.isRestarting ? child.restartingPid : child.lastPid;
  child.isRestarting = true;
  const nowMs = kernel.now();
  if (!owner.window.add(nowMs)) return giveUp(owner, child, offender);
  child.restarts += 1;
  const group = groupOf(owner.setup.strategy, owner.children, child);
  return chain(stopGroup(owner, group, child), () => {
    const delayMs = delayFor(owner, group, child, nowMs);
    tellRestart(owner, child, delayMs);
    if (delayMs === 0) return startGroup(owner, child, offender);
    child.isRestarting = true;
    child.timer = kernel.wakeAt(delayMs, () => {
      child.timer = undefined;
      owner.mailSelf({ op: "delay-over", child });
    });
    return undefined;
  });
}

/** Backoff of the child; a pending delay of its group is joined, not restarted. */
function delayFor(
  owner: SupervisorBehaviour,
  group: readonly Child[],
  child: Child,
  nowMs: number,
): number {
  let delayMs = 0;
  for (const member of group) {
    if (member.timer === undefined) continue;
    delayMs = Math.max(delayMs, member.timer.deadlineMs - nowMs);
    owner.cancelDelay(member);
    if (member !== child) member.isRestarting = false;
  }
  const { backoff } = child.spec;
  if (backoff === undefined) return delayMs;
  const history = child.backoff;
  const livedMs = nowMs - history.startedAtMs;
  const hasRecovered = livedMs >= (backoff.resetAfterMs ?? backoff.maxMs);
  history.attempt = hasRecovered ? 1 : history.attempt + 1;
  return Math.max(delayMs, backoffDelayMs(backoff, history.attempt, owner.me.kernel.random()));
}

/** `offender` names the child in the report of a failure; groups know only its id, as in OTP. */
function startGroup(
  owner: SupervisorBehaviour,
  child: Child,
  offender: string | undefined,
): Maybe<void> {
  const { strategy } = owner.setup;
  return chain(owner.startAll(groupOf(strategy, owner.children, child), 0), (failure) => {
    if (failure === undefined) return;
    // Another member failed: that one is retried, and its old process was stopped, not lost.
    if (failure.child !== child) {
      child.isRestarting = false;
      failure.child.lastId = 0;
    }
    failure.child.isRestarting = true;
    const isGroup = !owner.isDynamic && strategy !== "one_for_one";
    owner.report("start_error", failure.reason, failure.child, isGroup ? undefined : offender);
    owner.mailSelf({ op: "retry", child: failure.child });
  });
}

function stopGroup(owner: SupervisorBehaviour, group: readonly Child[], dead: Child): Maybe<void> {
  let work: Maybe<void> = undefined;
  for (let index = group.length - 1; index >= 0; index -= 1) {
    const member = group[index] as Child;
    if (member === dead) continue;
    work = chain(work, () => stopMember(owner, member));
  }
  return work;
}

function giveUp(
  owner: SupervisorBehaviour,
  child: Child,
  offender: string | undefined,
): Maybe<void> {
  owner.report("shutdown", "reached_max_restart_intensity", child, offender);
  child.isRestarting = false;
  if (child.spec.restart === "temporary") owner.remove(child);
  return owner.shutdown("shutdown");
}
