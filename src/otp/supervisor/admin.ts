/**
 * Admin calls as the supervisor answers them (otp.md 1.10).
 */
import type { Ref } from "../actor/definition.ts";
import type { Process, StartOutcome } from "../process/process.ts";
import { processOf, RefImpl } from "../process/ref.ts";
import { reasonOfThrown, type Reason } from "../reason.ts";
import { checkSpec } from "./check.ts";
import { chain, type Maybe } from "./chain.ts";
import { Child, TemplateChild } from "./child.ts";
import { reconcile } from "./reconcile-apply.ts";
import type { AdminCommand, AdminResult, ChildCounts, ChildRow, StartedChild } from "./ref.ts";
import type { ChildSpec } from "./spec.ts";
import { stopOne } from "./stopping.ts";
import type { SupervisorBehaviour } from "./supervisor.ts";

/** Runs one admin command; the answer comes when the work is done. */
export function runAdmin(owner: SupervisorBehaviour, command: AdminCommand): Maybe<unknown> {
  switch (command.op) {
    case "start":
      return owner.isDynamic
        ? startDynamic(owner, command.child)
        : startStatic(owner, command.child as ChildSpec);
    case "terminate":
      return terminate(owner, command.target);
    case "restart":
      return withStatic(owner, command.target, (child) => restart(owner, child));
    case "delete":
      return withStatic(owner, command.target, (child) => remove(owner, child));
    case "spec":
      return childSpec(owner, command.target);
    case "reconcile":
      return reconcile(owner, command.setup, command.isDryRun);
    case "which":
      return which(owner);
    case "count":
      return count(owner);
    default:
      return command satisfies never;
  }
}

function startStatic(
  owner: SupervisorBehaviour,
  spec: ChildSpec,
): Maybe<AdminResult<StartedChild>> {
  const problem = checkSpec(spec, owner.setup);
  if (problem !== undefined) return failed(problem);
  const present = owner.byId.get(spec.id);
  if (present !== undefined) {
    const { process } = present;
    return failed(process === undefined ? "already_present" : ["already_started", process.pid]);
  }
  return started(owner, owner.add(spec));
}

function startDynamic(owner: SupervisorBehaviour, args: unknown): Maybe<AdminResult<StartedChild>> {
  const max = owner.setup.maxChildren ?? owner.me.kernel.profile.maxChildren;
  if (owner.children.size >= max) {
    owner.me.kernel.event("otp.children.full", owner.me, { limit: max });
    return failed("max_children");
  }
  const template = owner.setup.template as (args: unknown) => ChildSpec;
  let spec: ChildSpec;
  try {
    spec = template(args);
  } catch (error) {
    return failed(reasonOfThrown(error));
  }
  const problem = checkSpec(spec, owner.setup);
  if (problem !== undefined) return failed(problem);
  const isForgotten = spec.restart === "temporary";
  return started(owner, owner.add(spec, isForgotten ? undefined : new TemplateChild(spec, args)));
}

function started(owner: SupervisorBehaviour, child: Child): Maybe<AdminResult<StartedChild>> {
  return chain(owner.spawn(child), (outcome) =>
    chain(owner.accept(child, outcome), (failure) => {
      if (failure === undefined) {
        if (child.spec.restart === "temporary") owner.forgetArguments(child);
        return describe(outcome);
      }
      owner.remove(child);
      const { reason } = failure;
      return owner.isDynamic ? failed(reason) : { ok: false, reason, child: child.spec };
    }),
  );
}

function terminate(owner: SupervisorBehaviour, target: unknown): Maybe<AdminResult> {
  const child = owner.isDynamic ? dynamicTarget(owner, target) : owner.byId.get(target);
  if (child === "simple_one_for_one" || child === "gone") {
    return child === "gone" ? { ok: true } : failed(child);
  }
  if (child === undefined) return failed("not_found");
  owner.cancelDelay(child);
  return chain(stopOne(owner, child), () => {
    child.isRestarting = false;
    if (child.spec.restart === "temporary" || owner.isDynamic) owner.remove(child);
    return { ok: true } as const;
  });
}

/** Dynamic children are named by ref or pid only; a dead pid is fine, a stranger is not found. */
function dynamicTarget(
  owner: SupervisorBehaviour,
  target: unknown,
): Child | "simple_one_for_one" | "gone" | undefined {
  const isRef = target instanceof RefImpl;
  const pid = isRef ? target.id : target;
  if (typeof pid !== "string" || !pid.startsWith("#")) return "simple_one_for_one";
  const id = Number(pid.slice(1));
  const process = isRef ? processOf(target) : owner.me.kernel.processes.get(id);
  if (process?.alive === true) return owner.childOf(process);
  // It may have died unread, unlinked, or wait for its next restart attempt.
  for (const child of owner.children) {
    if (child.lastId === id && (child.process !== undefined || child.isRestarting)) return child;
  }
  return "gone";
}

function restart(owner: SupervisorBehaviour, child: Child): Maybe<AdminResult<StartedChild>> {
  if (child.process !== undefined) return failed("running");
  if (child.isRestarting) return failed("restarting");
  return chain(owner.spawn(child), (outcome) =>
    chain(owner.accept(child, outcome), (failure) =>
      failure === undefined ? describe(outcome) : failed(failure.reason),
    ),
  );
}

function remove(owner: SupervisorBehaviour, child: Child): AdminResult {
  if (child.process !== undefined) return failed("running");
  if (child.isRestarting) return failed("restarting");
  owner.remove(child);
  return { ok: true };
}

function childSpec(
  owner: SupervisorBehaviour,
  target: unknown,
): AdminResult<{ readonly spec: ChildSpec }> {
  const child = owner.isDynamic ? dynamicById(owner, target) : owner.byId.get(target);
  return child === undefined ? failed("not_found") : { ok: true, spec: child.spec };
}

/** A dynamic child by its pid or ref, or any of those whose template gave this id. */
function dynamicById(owner: SupervisorBehaviour, target: unknown): Child | undefined {
  const known = dynamicTarget(owner, target);
  if (known instanceof Child) return known;
  for (const child of owner.children) {
    if (child.process?.childId === target || (child.isRestarting && child.spec.id === target)) {
      return child;
    }
  }
  return undefined;
}

function withStatic<T>(
  owner: SupervisorBehaviour,
  id: unknown,
  act: (child: Child) => Maybe<AdminResult<T>>,
): Maybe<AdminResult<T>> {
  if (owner.isDynamic) return failed("simple_one_for_one");
  const child = owner.byId.get(id);
  return child === undefined ? failed("not_found") : act(child);
}

function which(owner: SupervisorBehaviour): ChildRow[] {
  const rows: ChildRow[] = [];
  for (const child of owner.children) {
    rows.push({
      id: owner.isDynamic ? undefined : child.spec.id,
      pid: child.isRestarting ? "restarting" : child.process?.pid,
      type: child.spec.type,
    });
  }
  return rows.reverse();
}

function count(owner: SupervisorBehaviour): ChildCounts {
  let active = 0;
  let supervisors = 0;
  for (const child of owner.children) {
    if (child.process?.alive === true) active += 1;
    if (child.spec.type === "supervisor") supervisors += 1;
  }
  const total = owner.children.size;
  return {
    specs: owner.isDynamic ? 1 : total,
    active,
    supervisors,
    workers: total - supervisors,
  };
}

function describe(outcome: StartOutcome): AdminResult<StartedChild> {
  if (!outcome.ok) return { ok: true, pid: undefined, ref: undefined };
  return new Started(outcome.process, outcome.extra);
}

/** Makes the ref only for those who ask: of many dynamic children nobody does. */
class Started implements StartedChild {
  readonly ok = true;
  readonly pid: string;
  readonly extra?: unknown;
  readonly #process: Process;

  constructor(process: Process, extra: unknown) {
    this.#process = process;
    this.pid = process.pid;
    if (extra !== undefined) this.extra = extra;
  }

  get ref(): Ref {
    return this.#process.ref as unknown as Ref;
  }
}

function failed(reason: Reason): { readonly ok: false; readonly reason: Reason } {
  return { ok: false, reason };
}
