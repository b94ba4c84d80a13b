/**
 * Restart windows across second boundaries: OTP counts in whole seconds (otp.md 1.5), so these start
 * at a known phase and Erlang really waits. Few, and small.
 */
import fc from "fast-check";
import type { Scenario, Step } from "../scenario.ts";

/** Phase in which a group of crashes falls; far enough from the boundary for a loaded machine. */
const PHASE_MS = 200;
const LATEST_PHASE_MS = 700;

/** Crashes at chosen moments of a window of one or two seconds. */
export const windowScenario: fc.Arbitrary<Omit<Scenario, "name">> = fc
  .record({
    strategy: fc.constantFrom("one_for_one", "one_for_all", "rest_for_one"),
    intensity: fc.integer({ min: 1, max: 2 }),
    period: fc.constantFrom(1, 1, 2),
    gaps: fc.array(fc.constantFrom(500, 900, 1100, 1500, 2000), { minLength: 1, maxLength: 3 }),
    crashes: fc.array(fc.constantFrom("w0", "w1"), { minLength: 1, maxLength: 2 }),
  })
  .map(({ strategy, intensity, period, gaps, crashes }) => {
    const steps: Step[] = [];
    const crash = (id: string): number =>
      steps.push({ op: "stop", target: `root/${id}`, reason: "boom" });
    crash("w0");
    let phaseMs = PHASE_MS;
    for (const [i, gap] of gaps.entries()) {
      const landsAt = (phaseMs + gap) % 1000;
      const isSafe = landsAt >= PHASE_MS && landsAt <= LATEST_PHASE_MS;
      const ms = isSafe ? gap : gap + ((1000 + PHASE_MS - landsAt) % 1000);
      phaseMs = (phaseMs + ms) % 1000;
      steps.push({ op: "advance", ms });
      crash(crashes[i % crashes.length] ?? "w0");
    }
    const children = [{ id: "w0" }, { id: "w1" }];
    return {
      align_ms: PHASE_MS,
      tree: { id: "root", strategy, intensity, period, children },
      steps,
    };
  });
