/**
 * Restarts that fail for ever: admin calls are served between attempts (otp.md 1.6), so the steps do
 * not wait for rest. Each attempt takes longer than a step, which makes the moment of a call certain.
 */
import fc from "fast-check";
import type { Json, Scenario, Step } from "../scenario.ts";

const ATTEMPT_MS = 60;
const IDS = ["a", "b", "c"];
const id = fc.constantFrom(...IDS);

const meanwhile: fc.Arbitrary<Step> = fc
  .tuple(
    fc.constantFrom(
      "start_child",
      "restart_child",
      "delete_child",
      "terminate_child",
      "which_children",
      "count_children",
    ),
    id,
  )
  .map(([op, child]) => ({
    op,
    sup: "root",
    settle: false,
    ...(op === "start_child" ? { spec: { id: child } } : {}),
    ...(op.startsWith("which") || op.startsWith("count") ? {} : { id: child }),
  }));

/** A child whose restart fails until it is terminated, and what others ask meanwhile. */
export const loopScenario: fc.Arbitrary<Omit<Scenario, "name">> = fc
  .record({
    strategy: fc.constantFrom("one_for_one", "one_for_all", "rest_for_one"),
    restarts: fc.array(fc.constantFrom("permanent", "transient"), { minLength: 3, maxLength: 3 }),
    failing: id,
    dying: id,
    reason: fc.constantFrom<Json>("boom", "killed"),
    calls: fc.array(meanwhile, { minLength: 1, maxLength: 4 }),
    isEndedByParent: fc.boolean(),
  })
  .map(({ strategy, restarts, failing, dying, reason, calls, isEndedByParent }) => {
    const children = IDS.map((child, i) => ({ id: child, restart: restarts[i] as string }));
    const tree = { id: "root", strategy, intensity: 50, period: 60, children };
    const which: Step = { op: "which_children", sup: "root" };
    const steps: Step[] = [
      { op: "set_init", target: `root/${failing}`, plan: { sleep: ATTEMPT_MS, stop: "nope" } },
      { op: "stop", target: `root/${dying}`, reason, settle: false },
      ...calls,
    ];
    if (isEndedByParent)
      return { tree, steps: [...steps, { op: "exit", target: "root", reason: "shutdown" }] };
    const after: Step[] = [
      { op: "terminate_child", sup: "root", id: failing },
      which,
      { op: "set_init", target: `root/${failing}`, plan: [] },
      ...IDS.map((child): Step => ({ op: "restart_child", sup: "root", id: child })),
      which,
    ];
    return { tree, steps: [...steps, ...after] };
  });
