/** Random scenarios on both sides: real Erlang and this runtime must tell the same story. */
import fc from "fast-check";
import { judge, type Verdict } from "./compare.ts";
import type { Erlang } from "./erlang/oracle.ts";
import { scenario as arbitrary } from "./generate/scenario.ts";
import { Player } from "./player/player.ts";
import type { Scenario, Trace } from "./scenario.ts";

/** Erlang sleeps for real: on a loaded machine a sleep may end late. A difference must show each time. */
const TRIES = 3;
const SHRINK_MS = 120_000;

/** One scenario on both sides. */
export interface Comparison {
  readonly index: number;
  readonly scenario: Scenario;
  readonly expected: Trace;
  readonly actual: Trace;
  readonly verdict: Verdict;
}

/** What a run has seen. */
export interface Summary {
  readonly scenarios: number;
  readonly events: number;
  readonly strictEqual: number;
  readonly perProcessEqual: number;
  readonly different: readonly Comparison[];
}

/** Scenarios of a seed, by index: the same seed gives the same ones, however many are drawn. */
export function scenariosOf(seed: number, count: number): Scenario[] {
  return fc
    .sample(arbitrary, { seed, numRuns: count })
    .map((made, i) => ({ name: `random ${seed}:${i}`, ...made }));
}

/** Plays one scenario on both sides. */
export async function compareLive(
  erlang: Erlang,
  scenario: Scenario,
  index: number,
): Promise<Comparison> {
  const actual = await new Player(scenario).run();
  for (let attempt = 1; ; attempt += 1) {
    const expected = await erlang.play(scenario);
    const verdict = judge(scenario, expected, actual);
    if (verdict !== "different" || attempt === TRIES) {
      return { index, scenario, expected, actual, verdict };
    }
  }
}

/** Plays scenarios, many at once, and counts. */
export async function compareAll(
  erlang: Erlang,
  scenarios: readonly Scenario[],
  onEach?: (comparison: Comparison) => void,
): Promise<Summary> {
  let events = 0;
  const counts = { strict: 0, "per-process": 0, different: 0 };
  const different: Comparison[] = [];
  await Promise.all(
    scenarios.map(async (scenario, index) => {
      const comparison = await compareLive(erlang, scenario, index);
      events += comparison.expected.events.length;
      counts[comparison.verdict] += 1;
      if (comparison.verdict === "different") different.push(comparison);
      onEach?.(comparison);
    }),
  );
  return {
    scenarios: scenarios.length,
    events,
    strictEqual: counts.strict,
    perProcessEqual: counts["per-process"],
    different: different.sort((a, b) => a.index - b.index),
  };
}

/** The smallest scenario that still differs, found from the one at `index`, and its path. */
export async function shrink(
  erlang: Erlang,
  seed: number,
  found: Comparison,
): Promise<{ comparison: Comparison; path: string }> {
  let smallest = found;
  const property = fc.asyncProperty(arbitrary, async (scenario) => {
    const named = { name: `random ${seed}:${found.index}`, ...scenario };
    const comparison = await compareLive(erlang, named, found.index);
    if (comparison.verdict !== "different") return true;
    smallest = comparison;
    return false;
  });
  const result = await fc.check(property, {
    seed,
    path: String(found.index),
    numRuns: 1,
    interruptAfterTimeLimit: SHRINK_MS,
  });
  return { comparison: smallest, path: result.counterexamplePath ?? String(found.index) };
}
