/** Plays a plan from start to end and judges it; stops at the first violation. */
import { seededRandom } from "../../src/lib/random.ts";
import { faultKind } from "./faults/table.ts";
import { promisedOf } from "./invariants/availability.ts";
import { INVARIANTS } from "./invariants/all.ts";
import type { Plan, Stroke } from "./plan.ts";
import { drawPlan } from "./swarm.ts";
import { evidenceOf, isWell } from "./world/evidence.ts";
import { sightOf } from "./world/sight.ts";
import { SimWorld, type WorldOptions } from "./world/world.ts";

/** A broken invariant. */
export interface Violation {
  readonly invariant: string;
  readonly claim: string;
  /** Virtual time since the start, ms. */
  readonly atMs: number;
  readonly findings: readonly string[];
  /** The last lines of the trace. */
  readonly tail: readonly string[];
}

/** What came of one run. */
export interface Outcome {
  readonly seed: number;
  /** Equal for equal plans, in any process. */
  readonly hash: string;
  readonly violation: Violation | undefined;
  readonly tally: Readonly<{ [name: string]: number }>;
  readonly requests: number;
  /** Reads that were promised a result, and those that got none. */
  readonly promised: number;
  readonly failed: number;
  readonly lines: number;
}

/** Time between two looks at the running world, ms. */
const WATCH_MS = 500;
/** Time for the last answers once nobody asks any more, ms. */
const DRAIN_MS = 1_500;
const MOMENT_MS = 50;
const TAIL_LINES = 30;
const HEAL_STEP_MS = 2_000;

/** Plays a seed. */
export const runSeed = (seed: number, options?: WorldOptions): Promise<Outcome> =>
  runPlan(drawPlan(seed), options);

/** Plays a plan. */
export const runPlan = async (plan: Plan, options: WorldOptions = {}): Promise<Outcome> => {
  const world = await SimWorld.start(plan, options);
  const violation = (await played(world)) ?? judged(world);
  const outcome = outcomeOf(world, violation);
  if (violation === undefined) await world.stop();
  return outcome;
};

/** Warm-up, storm, healing, drain. */
const played = async (world: SimWorld): Promise<Violation | undefined> => {
  const { warmUpMs, stormMs, healMs, maxHealMs } = world.plan;
  const stormEndMs = warmUpMs + stormMs;
  const early = await watched(world, warmUpMs);
  if (early !== undefined) return early;
  storm(world);
  const stormy = await watched(world, stormEndMs);
  if (stormy !== undefined) return stormy;
  heal(world);
  for (let untilMs = stormEndMs + healMs; ; untilMs += HEAL_STEP_MS) {
    const violation = await watched(world, untilMs);
    if (violation !== undefined) return violation;
    if (isWell(world) || untilMs >= stormEndMs + maxHealMs) break;
  }
  world.load.stop();
  world.writers.stop();
  const late = await watched(world, world.sinceStartMs + DRAIN_MS);
  // The hubs go on asking for blocks: the judges look at a moment without a question.
  const lastMs = world.sinceStartMs + DRAIN_MS;
  while (world.gateway.inFlight > 0 && world.sinceStartMs < lastMs) {
    await world.runTo(world.sinceStartMs + MOMENT_MS);
  }
  return late;
};

/** How a violation is told: what, where, what happened around it, and how to see it again. */
export const report = (
  { seed, violation }: Outcome,
  replay = `npm run sim -- --seeds 1 --from ${seed} --trace`,
): string => {
  if (violation === undefined) return `seed ${seed}: every invariant held`;
  const { invariant, claim, atMs, findings, tail } = violation;
  return [
    `seed ${seed} broke "${invariant}" at ${atMs} ms: ${claim}`,
    ...findings.map((finding) => `  - ${finding}`),
    `the last ${tail.length} lines of its trace:`,
    ...tail.map((line) => `  ${line.slice(0, 300)}`),
    `replay: ${replay}`,
  ].join("\n");
};

const storm = (world: SimWorld): void => {
  const { plan, load, agenda, node } = world;
  const startMs = node.nowMs();
  load.start();
  world.writers.start();
  for (const { name } of plan.chains) {
    for (let n = 0; n < plan.load.subscribers; n += 1) world.subscribe(name, "newHeads");
    world.subscribe(name, "logs");
  }
  for (const stroke of plan.strokes) {
    agenda.at(startMs + stroke.atMs, () => strike(world, stroke));
  }
};

const strike = (world: SimWorld, { kind, forMs, dice }: Stroke): void => {
  if (world.hasEnded) return;
  world.tally.count(`struck.${kind}`);
  world.trace.line(world.node.nowMs(), `fault ${kind}`, { forMs });
  const heal = faultKind(kind).strike(world, seededRandom(dice));
  if (heal !== undefined) world.lasting(heal, forMs);
};

const heal = (world: SimWorld): void => {
  world.trace.line(world.node.nowMs(), "healing", {});
  world.healAll();
  world.reload();
};

const watched = async (world: SimWorld, untilMs: number): Promise<Violation | undefined> => {
  while (world.sinceStartMs < untilMs) {
    await world.runTo(Math.min(untilMs, world.sinceStartMs + WATCH_MS));
    const sight = sightOf(world);
    for (const { name, claim, watch } of INVARIANTS) {
      const findings = watch?.(sight) ?? [];
      if (findings.length > 0) return violationOf(world, name, claim, findings);
    }
  }
  return undefined;
};

const judged = (world: SimWorld): Violation | undefined => {
  const evidence = evidenceOf(world, sightOf(world));
  for (const { name, claim, judge } of INVARIANTS) {
    const findings = judge?.(evidence) ?? [];
    if (findings.length > 0) return violationOf(world, name, claim, findings);
  }
  return undefined;
};

const violationOf = (
  world: SimWorld,
  invariant: string,
  claim: string,
  findings: readonly string[],
): Violation => ({
  invariant,
  claim,
  atMs: world.sinceStartMs,
  findings,
  tail: world.trace.last(TAIL_LINES),
});

const outcomeOf = (world: SimWorld, violation: Violation | undefined): Outcome => {
  const { plan, trace, tally, load } = world;
  const { promised, failed } = promisedOf(load.requests);
  return {
    seed: plan.seed,
    hash: trace.digest(),
    violation,
    tally: tally.toRecord(),
    requests: load.requests.length,
    promised,
    failed: failed.length,
    lines: trace.length,
  };
};
