/**
 * The whole-tree simulation: every process of the product over simulated wires, seeded faults, and
 * processes killed at random. A failing seed is printed by its claim and becomes a case of its own.
 */
import { describe, expect, it } from "vitest";
import { SimClient } from "./client.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { SimWorld } from "./world.ts";

/** `SIM_SEEDS=500 SIM_FROM=1 npx vitest run test/sim` looks further. */
const seedCount = Number(process.env["SIM_SEEDS"] ?? 20);
const firstSeed = Number(process.env["SIM_FROM"] ?? 1);
const seeds = Array.from({ length: seedCount }, (_, index) => firstSeed + index);

const calm = { steady: { latencyMs: 10, headDelayMs: 20 } };

const faulty = {
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
} as const;

const watch = async (world: SimWorld, chain: string): Promise<SimClient> => {
  const client = new SimClient();
  const reply = await world.node.drive(
    world.chain(chain)?.hub.subscribe(client, "newHeads", undefined) as Promise<{ ok: boolean }>,
  );
  expect(reply.ok).toBe(true);
  return client;
};

describe("the whole tree under virtual time", () => {
  it("comes up, serves reads and streams heads with one calm provider", async () => {
    const world = await SimWorld.start({ seed: 1, providers: calm });
    await world.run(3_000);
    const client = await watch(world, "alpha");
    await world.run(10_000, (nowMs) => {
      if (nowMs % 100 === 0) world.ask("alpha", "eth_blockNumber");
    });
    expect(world.answers.length).toBeGreaterThanOrEqual(95);
    expect(world.answers.filter(({ answer }) => !answer.ok)).toEqual([]);
    expect(client.faults).toEqual([]);
    expect(client.heads.length).toBeGreaterThanOrEqual(9);
    await world.stop();
  });

  it.each(seeds)(
    "answers 99.9 % of reads and loses no head over faults and killed processes (seed %i)",
    async (seed) => {
      const world = await SimWorld.start({ seed, providers: faulty });
      await world.run(3_000);
      const clients = [await watch(world, "alpha"), await watch(world, "beta")];
      const chance = seededRandom(seed * 7_919);
      const killed: string[] = [];
      await world.run(60_000, (nowMs) => {
        if (nowMs % 50 === 0) world.ask(nowMs % 100 === 0 ? "alpha" : "beta", "eth_gasPrice");
        if (nowMs % 2_000 !== 0) return;
        const places = world
          .places()
          .filter(({ pid, name }) => pid !== null && name !== "application");
        const victim = places[Math.floor(chance() * places.length)];
        if (victim === undefined) return;
        killed.push(victim.name);
        world.node.inspector.exit(victim.pid as string, "kill");
      });
      // Heal: nothing is killed any more, and everything must be back.
      await world.run(8_000);
      const context = `seed ${seed}, killed ${killed.join(", ")}`;
      expect(killed.length).toBeGreaterThan(25);
      expect(world.answers.length, context).toBeGreaterThan(1_150);
      expect(world.open, context).toBe(0);
      // Three of four providers are bad, a request has three attempts: the promise is 99.9 %.
      const failures = world.answers.flatMap(({ answer }) => (answer.ok ? [] : [answer.detail]));
      expect(failures.length / world.answers.length, `${context}; ${failures.join()}`).toBeLessThan(
        0.001,
      );
      for (const client of clients) {
        expect(client.closedWith, context).toBeUndefined();
        expect(client.faults, context).toEqual([]);
        expect(client.subscriptionIds.size, context).toBe(1);
        expect(client.heads.length, context).toBeGreaterThan(60);
      }
      expect(
        world.places().filter(({ pid }) => pid === null),
        context,
      ).toEqual([]);
      await world.stop();
    },
    60_000,
  );

  it("is the same run for the same seed, and another one for another", async () => {
    const hashOf = async (seed: number): Promise<string> => {
      const world = await SimWorld.start({ seed, providers: faulty });
      await world.run(15_000, (nowMs) => {
        if (nowMs % 100 === 0) world.ask("alpha", "eth_gasPrice");
        if (nowMs % 5_000 === 0) {
          world.node.inspector.exit("rpc/chain/alpha/message-aggregator", "kill");
        }
      });
      await world.stop();
      return world.trace.digest("hex");
    };
    const first = await hashOf(5);
    expect(await hashOf(5)).toBe(first);
    expect(await hashOf(6)).not.toBe(first);
  });
});
