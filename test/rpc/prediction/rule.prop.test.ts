import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextAlarm, noAlarm, type Alarm } from "../../../src/rpc/prediction/alarm.ts";
import { foresee } from "../../../src/rpc/prediction/foresee.ts";
import { ProviderTrends } from "../../../src/rpc/prediction/provider-trends.ts";
import { reasonOf } from "../../../src/rpc/prediction/reason.ts";
import { SIGNALS, type Signal, type Signals } from "../../../src/rpc/prediction/signals.ts";
import { MAX_STEPS, StepRing } from "../../../src/rpc/prediction/step-ring.ts";
import { limits, prediction } from "./kit.ts";

const HORIZON_MS = 60_000;

const amount = fc.double({ min: 0, max: 1e6, noNaN: true });
const signal: fc.Arbitrary<Signal> = fc.record({
  level: amount,
  slopePerSec: fc.double({ min: 0, max: 1e4, noNaN: true }),
  spanMs: fc.integer({ min: 0, max: 60_000 }),
  limit: fc.double({ min: 0.01, max: 1e4, noNaN: true }),
});
const signals: fc.Arbitrary<Signals> = fc.record(
  Object.fromEntries(SIGNALS.map((name) => [name, signal])),
  { requiredKeys: [] },
);
const name = fc.constantFrom(...SIGNALS);
/** Steps of two seconds. */
const steps = fc.array(fc.double({ min: 0, max: 1e4, noNaN: true }), {
  minLength: 3,
  maxLength: MAX_STEPS,
});

const trendOf = (values: readonly number[]) => {
  const ring = new StepRing();
  for (const [at, value] of values.entries()) ring.push(at * 2_000, value);
  return ring.trend(values.length * 2_000, 120_000);
};

describe("the forecast of a provider", () => {
  it("is a probability, and its contributions sum to one or are all nothing", () => {
    fc.assert(
      fc.property(signals, (some) => {
        const { probability, components } = foresee(some, HORIZON_MS);
        expect(probability).toBeGreaterThanOrEqual(0);
        expect(probability).toBeLessThanOrEqual(1);
        const sum = components.reduce((total, { contribution }) => total + contribution, 0);
        expect(probability > 0 ? sum : 1).toBeCloseTo(1, 9);
        expect(components).toHaveLength(Object.keys(some).length);
        for (const component of components) {
          expect(component.probability).toBeLessThanOrEqual(probability + 1e-12);
          expect(reasonOf(component)).not.toMatch(/NaN|Infinity|undefined/);
        }
      }),
    );
  });

  it("never falls when a level, a slope or the horizon grows, or a limit shrinks", () => {
    fc.assert(
      fc.property(signals, name, signal, amount, (some, which, base, more) => {
        const withThat = (one: Partial<Signal>, horizonMs = HORIZON_MS): number =>
          foresee({ ...some, [which]: { ...base, ...one } }, horizonMs).probability;
        const before = withThat({}) - 1e-12;
        expect(withThat({ level: base.level + more })).toBeGreaterThanOrEqual(before);
        expect(withThat({ slopePerSec: base.slopePerSec + more })).toBeGreaterThanOrEqual(before);
        expect(withThat({ limit: base.limit / 2 })).toBeGreaterThanOrEqual(before);
        expect(withThat({}, 2 * HORIZON_MS)).toBeGreaterThanOrEqual(before);
      }),
    );
  });

  it("does not fall because one more signal is measured", () => {
    fc.assert(
      fc.property(signals, name, signal, (some, which, one) => {
        const { [which]: _left, ...fewer } = some;
        const before = foresee(fewer, HORIZON_MS).probability;
        const after = foresee({ ...fewer, [which]: one }, HORIZON_MS).probability;
        expect(after).toBeGreaterThanOrEqual(before - 1e-12);
      }),
    );
  });
});

describe("the trend of a signal", () => {
  it("has no slope while nothing changes, and none for a fall", () => {
    fc.assert(
      fc.property(amount, fc.integer({ min: 3, max: 40 }), (value, count) => {
        const flat = Array.from({ length: count }, () => value);
        expect(trendOf(flat)?.slopePerSec).toBe(0);
        expect(trendOf(flat.map((_, at) => value - at))?.slopePerSec).toBe(0);
      }),
    );
  });

  it("never has a lower level or slope when the newest value is higher", () => {
    fc.assert(
      fc.property(steps, amount, (values, more) => {
        const raised = values.map((one, at) => (at === values.length - 1 ? one + more : one));
        const [before, after] = [trendOf(values), trendOf(raised)];
        expect(after?.level).toBeGreaterThanOrEqual((before?.level ?? 0) - 1e-9);
        expect(after?.slopePerSec).toBeGreaterThanOrEqual((before?.slopePerSec ?? 0) - 1e-9);
      }),
    );
  });

  it("finds a ramp under noise, and nothing in one spike", () => {
    const noise = [3, -5, 1, 4, -2, 0, 5, -4, 2, -1, 3, -3, 1, 0, -2];
    const rise = noise.map((one, at) => 100 + 20 * at + one);
    // 20 ms a step of two seconds.
    expect(trendOf(rise)?.slopePerSec).toBeGreaterThan(8);
    expect(trendOf(rise)?.slopePerSec).toBeLessThanOrEqual(10.5);
    const spiked = noise.map((one, at) => (at === 14 ? 900 : 100 + one));
    expect(trendOf(spiked)?.slopePerSec).toBeLessThan(0.5);
  });

  it("forgets what is too old", () => {
    const ring = new StepRing();
    for (let at = 0; at < MAX_STEPS; at++) ring.push(at * 2_000, at);
    expect(ring.trend(30_000, 60_000)?.slopePerSec).toBeGreaterThan(0);
    expect(ring.trend(200_000, 60_000)).toBeUndefined();
  });
});

describe("a provider's alarm", () => {
  const rules = { demoteAt: 0.6, restoreAt: 0.3, holdMs: 30_000 };
  const played = (probabilities: readonly number[]): readonly Alarm[] => {
    let alarm = noAlarm;
    return probabilities.map((probability, sec) => {
      alarm = nextAlarm(alarm, probability, rules, sec * 1_000);
      return alarm;
    });
  };

  it("is raised after three looks in a row and never for less", () => {
    expect(played([0.9, 0.9, 0.1, 0.9, 0.9, 0.9]).map(({ isRaised }) => isRaised)).toEqual([
      false,
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  it("stays for its hold and through what lies between the thresholds", () => {
    const between = Array.from({ length: 100 }, () => 0.45);
    expect(played([0.9, 0.9, 0.9, ...between]).at(-1)?.isRaised).toBe(true);
    const calm = Array.from({ length: 100 }, () => 0.1);
    const raised = played([0.9, 0.9, 0.9, ...calm]).filter(({ isRaised }) => isRaised);
    expect(raised).toHaveLength(30);
  });

  it("changes at most twice within any hold, whatever the probabilities do", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 300 }),
        (probabilities) => {
          const alarms = played(probabilities);
          const changes = alarms.flatMap(({ isRaised }, sec) =>
            isRaised === (alarms[sec - 1]?.isRaised ?? false) ? [] : [sec],
          );
          for (const [at, sec] of changes.entries()) {
            expect((changes[at + 2] ?? Infinity) - sec).toBeGreaterThanOrEqual(30);
          }
        },
      ),
    );
  });

  it("holds longer when it comes back soon, up to eight times", () => {
    let alarm = noAlarm;
    const holds = new Set<number>();
    for (let sec = 0; sec < 3_000; sec++) {
      const wasRaised = alarm.isRaised;
      alarm = nextAlarm(alarm, alarm.isRaised ? 0 : 1, rules, sec * 1_000);
      if (alarm.isRaised && !wasRaised) holds.add(alarm.holdMs);
    }
    expect([...holds]).toEqual([30_000, 60_000, 120_000, 240_000]);
  });
});

describe("what is followed of a provider", () => {
  const constant = fc.record({
    callsPerSec: fc.integer({ min: 0, max: 20 }),
    durationMs: fc.double({ min: 0.1, max: 60_000, noNaN: true }),
    lag: fc.option(fc.integer({ min: -2, max: 1 }), { nil: undefined }),
    kinds: fc.integer({ min: 1, max: 40 }),
  });

  it("gives no alarm while everything stays as it is, however slow that is", () => {
    fc.assert(
      fc.property(constant, ({ callsPerSec, durationMs, lag, kinds }) => {
        const trends = new ProviderTrends();
        for (let sec = 1; sec <= 120; sec++) {
          for (let n = 0; n < callsPerSec; n++) trends.call(n % kinds, "ok", durationMs);
          trends.race(false);
          trends.look(sec * 1_000, lag, 12_000);
          const found = foresee(trends.signals(sec * 1_000, limits), HORIZON_MS);
          expect(found.probability).toBeLessThan(prediction.demoteAt);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("does not take another mix of methods for a slow provider", () => {
    const trends = new ProviderTrends();
    let worst = 0;
    for (let sec = 1; sec <= 240; sec++) {
      const isHeavy = sec > 120;
      for (let n = 0; n < 20; n++) {
        const isLogs = n % 10 < (isHeavy ? 8 : 1);
        trends.call(isLogs ? 1 : 0, "ok", isLogs ? 400 : 20);
      }
      trends.look(sec * 1_000, 0, 12_000);
      const { latency } = trends.signals(sec * 1_000, limits);
      worst = Math.max(worst, latency?.level ?? 0);
    }
    expect(worst).toBeLessThan(200);
  });

  it("says for a ramp of latency how soon it reaches the limit", () => {
    const trends = new ProviderTrends();
    for (let sec = 1; sec <= 60; sec++) {
      // 50 ms for half a minute, then 10 ms more every second.
      const durationMs = 50 + 10 * Math.max(0, sec - 30);
      for (let n = 0; n < 20; n++) trends.call(0, "ok", durationMs);
      trends.look(sec * 1_000, 0, 12_000);
    }
    const [found] = foresee(trends.signals(60_000, limits), HORIZON_MS).components;
    if (found === undefined) throw new Error("nothing was found");
    expect(found.signal).toBe("latency");
    expect(found.limitInSec).toBeGreaterThan(8);
    expect(found.limitInSec).toBeLessThan(30);
    expect(reasonOf(found)).toMatch(
      /^q95 rose \d+(\.\d)? ms\/s over 28 s to \d+ ms, limit 500 ms in \d+ s$/,
    );
  });
});
