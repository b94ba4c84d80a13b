/**
 * Fits the curves of the rule to played courses: the logarithmic loss is made small, one figure after
 * the other. What it prints is written into src/rpc/prediction/foresee.ts by hand.
 */
import { SIGNALS, type SignalName } from "../../../src/rpc/prediction/signals.ts";
import type { Scenario } from "./course.ts";
import { HORIZON_SEC } from "./judge.ts";
import { play } from "./play.ts";

/** One second: how far each signal reaches of its limit, and whether a breach followed. */
interface Sample {
  readonly reaches: readonly number[];
  readonly isTrue: boolean;
}

const MAX_REACH = 4;
const ROUNDS = 25;
/** Every other second is enough. */
const STRIDE = 2;
const SURE = 1e-4;

/** The even point and the steepness of each signal's curve. */
export const fit = (
  scenarios: readonly Scenario[],
  seeds: readonly number[],
): Readonly<Record<SignalName, { readonly evenAt: number; readonly steepness: number }>> => {
  const samples = scenarios.flatMap((scenario) =>
    seeds.flatMap((seed) => samplesOf(scenario, seed)),
  );
  let figures = SIGNALS.flatMap(() => [1, 6]);
  const steps = SIGNALS.flatMap(() => [0.2, 2]);
  let least = loss(samples, figures);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, step] of steps.entries()) {
      const tries = [step, -step].map((by) => figures.map((one, i) => (i === at ? one + by : one)));
      const better = tries.find((tried) => (tried[at] ?? 0) > 0 && loss(samples, tried) < least);
      if (better === undefined) steps[at] = step * 0.6;
      else {
        figures = better;
        least = loss(samples, figures);
      }
    }
  }
  return Object.fromEntries(
    SIGNALS.map((name, at) => [
      name,
      { evenAt: figures[2 * at] ?? 1, steepness: figures[2 * at + 1] ?? 1 },
    ]),
  ) as ReturnType<typeof fit>;
};

const samplesOf = (scenario: Scenario, seed: number): Sample[] => {
  const { seconds } = play(scenario, seed);
  const found = seconds.findIndex(({ hasBreached }) => hasBreached);
  const end = found < 0 ? seconds.length : found;
  const samples: Sample[] = [];
  for (let sec = 0; sec < end; sec += STRIDE) {
    const components = seconds[sec]?.components ?? [];
    const reaches = SIGNALS.map((name) => {
      const one = components.find(({ signal }) => signal === name);
      if (one === undefined) return 0;
      return Math.min(MAX_REACH, (one.level + one.slopePerSec * HORIZON_SEC) / one.limit);
    });
    samples.push({ reaches, isTrue: found >= 0 && end - sec <= HORIZON_SEC });
  }
  return samples;
};

const loss = (samples: readonly Sample[], figures: readonly number[]): number => {
  let sum = 0;
  for (const { reaches, isTrue } of samples) {
    let hazard = 0;
    for (const [at, reach] of reaches.entries()) {
      if (reach <= 0) continue;
      const [evenAt = 1, steepness = 1] = [figures[2 * at], figures[2 * at + 1]];
      hazard += Math.log1p(Math.exp(steepness * (reach - evenAt)));
    }
    const probability = Math.min(1 - SURE, Math.max(SURE, -Math.expm1(-hazard)));
    sum -= Math.log(isTrue ? probability : 1 - probability);
  }
  return sum / samples.length;
};
