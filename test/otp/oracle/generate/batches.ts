/** Arbitrary batches: a supervisor is held while several of its children die. */
import fc from "fast-check";
import type { Json, Step } from "../scenario.ts";
import { type Move, pick, reason } from "./move.ts";
import { at } from "./world.ts";

/** Several deaths that the supervisor finds at once. */
export const batch: fc.Arbitrary<Move> = fc
  .tuple(pick, fc.array(fc.tuple(pick, reason, fc.nat(9)), { minLength: 2, maxLength: 4 }))
  .map(
    ([n, deaths]): Move =>
      (world) => {
        const sup = world.supervisor(n);
        const own = world.workersOf(sup.path);
        if (own.length === 0) return [];
        return [{ op: "batch", sup: sup.path, ops: deathsAmong(own, deaths) }];
      },
  );

/** The same on two levels: a supervisor and its parent both find several things at once. */
export const nestedBatch: fc.Arbitrary<Move> = fc
  .tuple(
    pick,
    fc.array(fc.tuple(pick, reason, fc.nat(9)), { minLength: 1, maxLength: 3 }),
    fc.array(fc.tuple(pick, reason, fc.nat(9)), { minLength: 1, maxLength: 3 }),
  )
  .map(
    ([n, outer, inner]): Move =>
      (world) => {
        const sup = world.supervisor(n);
        const below = world.supervisors.find(
          ({ path }) => path.slice(0, path.lastIndexOf("/")) === sup.path,
        );
        if (below === undefined) return [];
        const innerOps = deathsAmong(world.workersOf(below.path), inner);
        const outerOps = deathsAmong(world.workersOf(sup.path), outer);
        const ops = [{ op: "batch", sup: below.path, ops: innerOps }, ...outerOps];
        return [{ op: "batch", sup: sup.path, ops }];
      },
  );

function deathsAmong(
  own: readonly { path: string }[],
  deaths: readonly (readonly [number, Json, number])[],
): Step[] {
  const ops = new Map<string, Step>();
  for (const [n, why, how] of deaths) {
    const target = at(own, n)?.path;
    if (target === undefined || ops.has(target)) continue;
    if (how === 0) ops.set(target, { op: "throw", target, reason: "bad" });
    else if (how === 1) ops.set(target, { op: "exit", target, reason: "kill" });
    else ops.set(target, { op: "stop", target, reason: why });
  }
  // A kill is not waited for: last, so that nothing depends on how fast its target goes.
  const isKill = (step: Step): boolean => step.op === "exit";
  return [...ops.values()].sort((a, b) => Number(isKill(a)) - Number(isKill(b)));
}
