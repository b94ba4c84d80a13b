/** Arbitrary scenarios: a tree, some steps on it, and mostly an orderly end (otp.md 7.6). */
import fc from "fast-check";
import type { Json, NodeSpec, Scenario, Step } from "../scenario.ts";
import { whyUnordered } from "../unordered.ts";
import { loopScenario } from "./loop.ts";
import { move } from "./steps.ts";
import { chance, place, treeChoice } from "./tree.ts";
import { windowScenario } from "./window.ts";
import { LABELS, World } from "./world.ts";

const MAX_MOVES = 9;

const treeScenario: fc.Arbitrary<Omit<Scenario, "name">> = fc
  .record({
    tree: treeChoice,
    dynamic: fc.array(chance(80), { minLength: 9, maxLength: 9 }),
    moves: fc.array(move, { minLength: 1, maxLength: MAX_MOVES }),
    end: fc.option(fc.constantFrom<Json>("shutdown", "shutdown", "boom", "boom", "normal", "kill")),
  })
  .map(({ tree, dynamic, moves, end }) => {
    const root = place(tree, "root", undefined);
    const world = new World(root);
    const steps = [...started(world, dynamic), ...moves.flatMap((make) => make(world))];
    if (end !== null) steps.push({ op: "exit", target: "root", reason: end });
    return withoutSlowOrphans(withoutDeafPartners({ tree: root, steps }));
  });

/** A scenario of any kind; the rule of `whyUnordered` decides how it is compared. */
export const scenario: fc.Arbitrary<Scenario> = fc
  .oneof(
    { arbitrary: treeScenario, weight: 60 },
    { arbitrary: windowScenario, weight: 1 },
    { arbitrary: loopScenario, weight: 2 },
  )
  .map((made) => (whyUnordered(made) === undefined ? made : { ...made, compare: "per-process" }));

function started(world: World, dynamic: readonly boolean[]): Step[] {
  const steps: Step[] = [];
  for (const { path, spec } of world.supervisors) {
    if (spec.template === undefined) continue;
    for (const label of LABELS) {
      if (dynamic[steps.length % dynamic.length] === false) continue;
      steps.push({ op: "start_child", sup: path, args: [label] });
    }
  }
  return steps;
}

/**
 * Who links or monitors goes on trapping, see World.hearer; and where a supervisor is killed, so that
 * many end at once, nobody listens: whether one still hears of another would be a race.
 */
function withoutDeafPartners(made: Omit<Scenario, "name">): Omit<Scenario, "name"> {
  const { steps } = made;
  const isListening = ({ op }: Step): boolean => op === "link" || op === "monitor";
  if (!steps.some(isListening)) return made;
  if (whyUnordered(made) === "a killed supervisor") {
    return { ...made, steps: steps.filter((step) => !isListening(step)) };
  }
  return { ...made, steps: steps.filter(({ op }) => op !== "trap_exit") };
}

/**
 * Nobody waits for the orphans of a killed supervisor, so a step would end while they still sleep in
 * terminate, and whether their names are free in time is a race: there they do neither.
 */
function withoutSlowOrphans(made: Omit<Scenario, "name">): Omit<Scenario, "name"> {
  if (whyUnordered(made) !== "a killed supervisor") return made;
  const awake = (spec: NodeSpec): NodeSpec => {
    const { on_terminate, children, template, register: _name, ...rest } = spec;
    const isSleeping =
      typeof on_terminate === "object" && on_terminate !== null && "sleep" in on_terminate;
    return {
      ...rest,
      ...(on_terminate === undefined || isSleeping ? {} : { on_terminate }),
      ...(children === undefined ? {} : { children: children.map(awake) }),
      ...(template === undefined ? {} : { template: awake(template) }),
    };
  };
  const steps = made.steps.map((step) =>
    step.spec === undefined ? step : { ...step, spec: awake(step.spec) },
  );
  return { ...made, tree: awake(made.tree), steps };
}
