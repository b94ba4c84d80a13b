/**
 * The whole-tree simulation on plans that were made by hand: every process of the product over
 * simulated wires. The swarm of seeds stands in swarm-even and swarm-odd.
 */
import { describe, expect, it } from "vitest";
import type { FaultProfile } from "../../src/rpc/fake/faults.ts";
import type { ChainPlan, Plan } from "./plan.ts";
import { report, runPlan } from "./run.ts";
import { drawStrokes } from "./swarm.ts";
import { faultKind } from "./faults/table.ts";
import { seededRandom } from "../../src/lib/random.ts";

/** `SIM_SEEDS=5` plays fewer. */
const seedCount = Math.min(20, Number(process.env["SIM_SEEDS"] ?? 20));
const seeds = Array.from({ length: seedCount }, (_, index) => index + 1);

const calm: Readonly<{ [id: string]: FaultProfile }> = {
  steady: { latencyMs: 10, headDelayMs: 20 },
};

const faulty: Readonly<{ [id: string]: FaultProfile }> = {
  steady: { latencyMs: 12, jitterMs: 8, headDelayMs: 30, headJitterMs: 30 },
  flaky: {
    latencyMs: 5,
    jitterMs: 10,
    headDelayMs: 15,
    headJitterMs: 60,
    ratios: { status500: 0.05, truncate: 0.01, garbage: 0.01, reset: 0.01 },
    outage: { everyMs: 20_000, durationMs: 5_000, offsetMs: 6_000, style: "refuse" },
  },
  frozen: {
    latencyMs: 8,
    jitterMs: 4,
    headDelayMs: 20,
    headJitterMs: 40,
    outage: { everyMs: 20_000, durationMs: 6_000, offsetMs: 13_000, style: "hang" },
    wsDropAfterMs: 15_000,
  },
  limited: {
    latencyMs: 10,
    headDelayMs: 25,
    rateLimit: { requestsPerSec: 10, burst: 20, retryAfterSec: 1, style: "status" },
    ratios: { rpcError: 0.02 },
  },
};

const chainsOf = (providers: Readonly<{ [id: string]: FaultProfile }>): readonly ChainPlan[] =>
  ["alpha", "beta"].map((name, index) => ({
    name,
    chainId: 1_001 + index,
    reorgEpoch: 32,
    providers: Object.entries(providers).map(([id, profile]) => ({
      id,
      profile,
      isSpared: true,
    })),
  }));

const planOf = (seed: number, overrides: Partial<Plan>): Plan => ({
  seed,
  chains: chainsOf(calm),
  load: { everyMs: 100, batchShare: 0, leaveShare: 0, subscribers: 1 },
  strokes: [],
  warmUpMs: 3_000,
  stormMs: 10_000,
  // Longer than a copy of a read waits for a provider that is frozen (10 s).
  healMs: 12_000,
  maxHealMs: 60_000,
  ...overrides,
});

describe("the whole tree under virtual time", () => {
  it("comes up, serves reads and streams heads with one calm provider", async () => {
    const outcome = await runPlan(planOf(1, {}));
    const replay = "npx vitest run test/sim/tree.test.ts -t calm";
    if (outcome.violation !== undefined) expect.fail(report(outcome, replay));
    expect(outcome.requests).toBeGreaterThan(300);
    expect(outcome.tally["otp.restart"] ?? 0).toBe(0);
  });

  it.each(seeds)(
    "answers 99.9 % of reads and loses no head while three of four providers are bad and a process is killed every 2 s (seed %i)",
    async (seed) => {
      const kill = { ...faultKind("kill"), everyMs: [1_900, 2_100] as const };
      const plan = planOf(seed, {
        chains: chainsOf(faulty),
        load: { everyMs: 50, batchShare: 0, leaveShare: 0, subscribers: 1 },
        strokes: [...drawStrokes(kill, seededRandom(seed), 60_000)],
        stormMs: 60_000,
      });
      const outcome = await runPlan(plan);
      const replay = `npx vitest run test/sim/tree.test.ts -t "seed ${seed}\\)"`;
      if (outcome.violation !== undefined) expect.fail(report(outcome, replay));
      expect(outcome.tally["struck.kill"]).toBeGreaterThan(25);
      expect(outcome.requests).toBeGreaterThan(2_300);
    },
    60_000,
  );
});
