/** What looking ahead is worth: the same world with and without, one provider slowing down in it. */
import { describe, expect, it } from "vitest";
import type { Plan } from "./plan.ts";
import { SimWorld } from "./world/world.ts";

const WELL_MS = 60_000;
const RAMP_MS = 60_000;
/** Growth of the latency, ms per second. */
const RISE_MS = 40;
const TICK_MS = 500;
/** An answer that took longer was a slow one, ms. */
const SLOW_MS = 300;

const provider = (id: string, latencyMs: number) => ({
  id,
  profile: { latencyMs, jitterMs: 5, headDelayMs: latencyMs },
  isSpared: true,
});

const planOf = (seed: number, hasPrediction: boolean): Plan => ({
  seed,
  chains: [
    {
      name: "alpha",
      chainId: 1_001,
      reorgEpoch: 0,
      providers: [provider("ramping", 10), provider("second", 60), provider("third", 80)],
      hasPrediction,
    },
  ],
  load: { everyMs: 50, batchShare: 0, leaveShare: 0, subscribers: 0 },
  strokes: [],
  warmUpMs: 0,
  stormMs: WELL_MS + RAMP_MS,
  healMs: 0,
  maxHealMs: 0,
});

/** Plays a seed; times are ms since the ramp began. */
const play = async (seed: number, hasPrediction: boolean) => {
  const world = await SimWorld.start(planOf(seed, hasPrediction));
  const startMs = world.node.nowMs();
  const rampMs = startMs + WELL_MS;
  const firstMs = new Map<string, number>();
  world.node.telemetry.attach("prediction", "*", ({ name, atMs, fields }) => {
    const { provider: whose = fields["from"] } = fields;
    const key = `${name} ${String(whose)}`;
    if (atMs >= rampMs && !firstMs.has(key)) firstMs.set(key, atMs - rampMs);
  });
  const { profile } = world.links.find((link) => link.provider === "ramping") ?? {};
  const slower = (): void => {
    if (profile !== undefined)
      profile.latencyMs = (profile.latencyMs ?? 0) + (RISE_MS * TICK_MS) / 1_000;
    world.agenda.after(TICK_MS, slower);
  };
  world.agenda.at(rampMs, slower);
  world.load.start();
  await world.runTo(WELL_MS + RAMP_MS);
  const answers = world.load.requests.filter(
    ({ chain, askedAtMs }) => chain === "alpha" && askedAtMs >= rampMs,
  );
  await world.stop();
  const slow = answers.filter(
    ({ askedAtMs, answeredAtMs = Number.POSITIVE_INFINITY }) => answeredAtMs - askedAtMs > SLOW_MS,
  );
  return {
    answers: answers.length,
    slow: slow.length,
    predictedMs: firstMs.get("provider.predicted ramping"),
    leftMs: firstMs.get("rpc.selection.switch ramping"),
    openedMs: firstMs.get("circuit_breaker.open ramping") ?? Number.POSITIVE_INFINITY,
    others: [...firstMs.keys()].filter((key) => /^provider\.predicted (second|third)$/.test(key)),
  };
};

describe("a provider that slows down by and by", () => {
  it.each([1, 2, 3])(
    "is left before its breaker opens, and clients see fewer slow answers than without (seed %i)",
    async (seed) => {
      const ahead = await play(seed, true);
      const blind = await play(seed, false);
      expect(blind.predictedMs).toBeUndefined();
      expect(ahead.answers).toBeGreaterThan(800);
      expect(ahead.others).toEqual([]);
      expect(ahead.predictedMs).toBeGreaterThan(0);
      expect(ahead.leftMs).toBeLessThan(ahead.openedMs);
      expect(ahead.leftMs).toBeLessThan(
        Math.min(blind.openedMs, blind.leftMs ?? Number.POSITIVE_INFINITY),
      );
      expect(ahead.slow).toBeLessThan(blind.slow);
    },
    60_000,
  );
});
