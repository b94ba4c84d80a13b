/**
 * Refusals of bad flags and specs, with OTP's error terms.
 */
import type { Reason } from "../reason.ts";
import type { ChildSpec, SupervisorSetup } from "./spec.ts";

const STRATEGIES = new Set(["one_for_one", "one_for_all", "rest_for_one", "simple_one_for_one"]);
const AUTO_SHUTDOWNS = new Set(["never", "any_significant", "all_significant"]);
const RESTARTS = new Set(["permanent", "transient", "temporary"]);

/** Why these flags cannot be used, or undefined. */
export function checkFlags(setup: SupervisorSetup): Reason | undefined {
  const bad = (tag: string, value: unknown): Reason => ["supervisor_data", [tag, value]];
  if (!STRATEGIES.has(setup.strategy)) return bad("invalid_strategy", setup.strategy);
  if (!Number.isInteger(setup.intensity) || setup.intensity < 0) {
    return bad("invalid_intensity", setup.intensity);
  }
  const isPeriod = setup.clock === "ms" ? setup.period > 0 : Number.isInteger(setup.period);
  if (!isPeriod || setup.period <= 0) return bad("invalid_period", setup.period);
  if (!AUTO_SHUTDOWNS.has(setup.autoShutdown)) {
    return bad("invalid_auto_shutdown", setup.autoShutdown);
  }
  return undefined;
}

/** Why this child spec cannot be used by a supervisor with `autoShutdown`, or undefined; the first in OTP's order. */
export function checkSpec(spec: ChildSpec, setup: SupervisorSetup): Reason | undefined {
  if (spec === null || typeof spec !== "object") return ["invalid_child_spec", spec];
  if (spec.id === undefined) return "missing_id";
  if (spec.start === undefined) return "missing_start";
  if (!isPlan(spec.start)) return ["invalid_mfa", spec.start];
  if (!RESTARTS.has(spec.restart)) return ["invalid_restart_type", spec.restart];
  const problem = checkSignificant(spec, setup);
  if (problem !== undefined) return problem;
  if (spec.type !== "worker" && spec.type !== "supervisor") {
    return ["invalid_child_type", spec.type];
  }
  return isShutdown(spec.shutdown) ? undefined : ["invalid_shutdown", spec.shutdown];
}

function checkSignificant(spec: ChildSpec, setup: SupervisorSetup): Reason | undefined {
  const { significant, restart } = spec;
  if (typeof significant !== "boolean") return ["invalid_significant", significant];
  if (!significant) return undefined;
  const clash = (flag: string, value: string): Reason => [
    "bad_combination",
    [
      [flag, value],
      ["significant", true],
    ],
  ];
  if (setup.autoShutdown === "never") return clash("auto_shutdown", "never");
  return restart === "permanent" ? clash("restart", "permanent") : undefined;
}

/** First problem of a list of specs, duplicates included. */
export function checkSpecs(setup: SupervisorSetup): Reason | undefined {
  const ids = new Set<unknown>();
  for (const spec of setup.children) {
    const problem = checkSpec(spec, setup);
    if (problem !== undefined) return ["start_spec", problem];
    if (ids.has(spec.id)) return ["start_spec", ["duplicate_child_name", spec.id]];
    ids.add(spec.id);
  }
  return undefined;
}

function isShutdown(value: unknown): boolean {
  if (value === "infinity" || value === "kill") return true;
  return Number.isInteger(value) && (value as number) >= 0;
}

function isPlan(start: unknown): boolean {
  if (typeof start !== "object" || start === null || !("behaviour" in start)) return false;
  return typeof start.behaviour === "object" && start.behaviour !== null;
}
