/**
 * Code change of a running supervisor (otp.md 1.15): flags and child specs are merged by id, as
 * OTP's code_change does. It starts and stops nothing; `reconcile` does.
 */
import { reasonOfThrown, type Reason } from "../reason.ts";
import { checkFlags, checkSpec, checkSpecs } from "./check.ts";
import { Child, TemplateChild } from "./child.ts";
import type { ChildSpec, SupervisorSetup } from "./spec.ts";
import type { SupervisorBehaviour } from "./supervisor.ts";

/** What becomes of the ids of a supervisor. */
export interface MergedIds {
  /** In both: the new spec, the old process. */
  readonly kept: readonly unknown[];
  /** Wanted only: known, but not started. */
  readonly added: readonly unknown[];
  /** No longer wanted: run on as they are. */
  readonly left: readonly unknown[];
  /** Start order afterwards: what is wanted in its order, then what is left in the old order. */
  readonly order: readonly unknown[];
}

/** Merges ids in start order. */
export function mergeIds(current: readonly unknown[], wanted: readonly unknown[]): MergedIds {
  const before = new Set(current);
  const after = new Set(wanted);
  const left = current.filter((id) => !after.has(id));
  return {
    kept: wanted.filter((id) => before.has(id)),
    added: wanted.filter((id) => !before.has(id)),
    left,
    order: [...wanted, ...left],
  };
}

/** Why a supervisor cannot go from one setup to the other, in OTP's terms; undefined when it can. */
export function checkChange(from: SupervisorSetup, to: SupervisorSetup): Reason | undefined {
  const flags = checkFlags(to) as readonly [string, Reason] | undefined;
  if (flags !== undefined) return flags[1];
  const wasDynamic = from.strategy === "simple_one_for_one";
  const isDynamic = to.strategy === "simple_one_for_one";
  if (wasDynamic !== isDynamic) return ["invalid_strategy", to.strategy];
  const specs = checkSpecs(to) as readonly [string, Reason] | undefined;
  return specs?.[1];
}

/** Merges `next` into a running supervisor; a reason when it is refused and nothing changed. */
export function changeSupervisor(owner: SupervisorBehaviour, next: unknown): Reason | undefined {
  if (!isSetup(next)) return ["bad_code", "no supervisor spec"];
  const problem = checkChange(owner.setup, next);
  if (problem !== undefined) return problem;
  if (!owner.isDynamic) {
    mergeChildren(owner, next.children);
  } else {
    const specs = templateSpecs(owner, next);
    if (!(specs instanceof Map)) return specs;
    for (const [child, spec] of specs) child.spec = spec;
  }
  const setup = { ...next, id: owner.setup.id };
  owner.setup = setup;
  owner.window.change(setup.intensity, setup.period, setup.clock);
  keepSetup(owner, setup);
  return undefined;
}

function isSetup(next: unknown): next is SupervisorSetup {
  return typeof next === "object" && next !== null && "strategy" in next && "children" in next;
}

function mergeChildren(owner: SupervisorBehaviour, wanted: readonly ChildSpec[]): void {
  const specs = new Map(wanted.map((spec) => [spec.id, spec]));
  const { order } = mergeIds([...owner.byId.keys()], [...specs.keys()]);
  const children = order.map((id) => {
    const spec = specs.get(id);
    const present = owner.byId.get(id);
    if (present === undefined) return new Child(spec as ChildSpec);
    if (spec !== undefined) present.spec = spec;
    return present;
  });
  owner.reorder(children);
}

/** One template stays one: what it now says of the children that run and may be restarted. */
function templateSpecs(
  owner: SupervisorBehaviour,
  next: SupervisorSetup,
): Map<Child, ChildSpec> | Reason {
  const specs = new Map<Child, ChildSpec>();
  const policy = policyOf(next);
  for (const child of owner.children) {
    // What temporary children were started with is not known any more.
    if (!(child instanceof TemplateChild)) {
      if (policy !== undefined) specs.set(child, { ...child.spec, ...policy });
      continue;
    }
    let spec: ChildSpec | undefined;
    try {
      spec = next.template?.(child.args);
    } catch (error) {
      return reasonOfThrown(error);
    }
    const problem = spec === undefined ? "missing_start" : checkSpec(spec, next);
    if (problem !== undefined) return problem;
    specs.set(child, keepArguments(spec as ChildSpec, child.spec));
  }
  return specs;
}

/** A child that is started again gets what it was started with, whatever the template says now. */
function keepArguments(spec: ChildSpec, ran: ChildSpec): ChildSpec {
  return { ...spec, start: { ...ran.start, behaviour: spec.start.behaviour } };
}

/** How a template treats temporary children, if it can tell without their arguments. */
function policyOf(next: SupervisorSetup): Partial<ChildSpec> | undefined {
  let spec: ChildSpec | undefined;
  try {
    spec = next.template?.(undefined);
  } catch {
    return undefined;
  }
  if (spec === undefined || spec.restart !== "temporary") return undefined;
  if (checkSpec(spec, next) !== undefined) return undefined;
  return { shutdown: spec.shutdown, significant: spec.significant, type: spec.type };
}

/** A restart of this supervisor by its own parent starts with the new setup. */
function keepSetup(owner: SupervisorBehaviour, setup: SupervisorSetup): void {
  const kept = owner.me.record as Child | undefined;
  if (kept === undefined) return;
  const start = { ...kept.spec.start, behaviour: setup };
  kept.spec = { ...kept.spec, start, ...("setup" in kept.spec ? { setup } : {}) };
}
