/** The seeds of `npm test`, in two halves so that both workers of the test runner have one. */
import { expect, it } from "vitest";
import { coverageOf } from "./coverage.ts";
import { LEAST_SHARE } from "./invariants/availability.ts";
import { report, runSeed } from "./run.ts";

/** `SIM_SEEDS=20 npx vitest run test/sim` plays fewer; `npm run sim` plays more. */
const SEEDS = Number(process.env["SIM_SEEDS"] ?? 200);
/** Below this some kinds may be missing by chance, and their coverage is not claimed. */
const ENOUGH = 80;
const TIMEOUT_MS = 600_000;

/** Claims that every invariant holds in one half of the seeds, and that every fault was felt. */
export const claimSeeds = (half: 0 | 1): void => {
  const tally = new Map<string, number>();
  let promised = 0;
  let failed = 0;
  const seeds = Array.from({ length: SEEDS }, (_, index) => index + 1).filter(
    (seed) => seed % 2 === half,
  );

  it.each(seeds)(
    "holds every invariant over the faults of seed %i",
    async (seed) => {
      const outcome = await runSeed(seed);
      for (const [name, count] of Object.entries(outcome.tally)) {
        tally.set(name, (tally.get(name) ?? 0) + count);
      }
      promised += outcome.promised;
      failed += outcome.failed;
      if (outcome.violation !== undefined) expect.fail(report(outcome));
      expect(outcome.requests).toBeGreaterThan(100);
    },
    TIMEOUT_MS,
  );

  it("has answered 99.9 % of all reads that were promised an answer", () => {
    expect(promised).toBeGreaterThan(seeds.length * 100);
    expect(1 - failed / promised).toBeGreaterThanOrEqual(LEAST_SHARE);
  });

  it.skipIf(seeds.length < ENOUGH)("has felt every kind of fault of the table", () => {
    const missing = coverageOf(tally).filter(({ struck, effects }) => struck * effects === 0);
    expect(missing).toEqual([]);
  });
};
