/** What the generators make up: the ranges and shares of the founding system. */
import { describe, expect, it } from "vitest";
import { FEATURES, LOCATIONS, PairingGenerator } from "../../src/pairing/generator.ts";
import { FilterChain } from "../../src/pairing/origin/filters.ts";
import { generateRealisticWorkload } from "../../src/pairing/origin/storage.ts";
import type { ConsumerPolicy, ProviderRecord } from "../../src/pairing/protocol.ts";

const MANY = 10_000;
const many = <T>(make: () => T): T[] => Array.from({ length: MANY }, make);
const share = <T>(all: readonly T[], is: (one: T) => boolean): number =>
  all.filter(is).length / all.length;

const stakes = (all: readonly ProviderRecord[]) => all.map(({ stake }) => Number(stake));
const counts = (all: readonly ProviderRecord[]) => all.map(({ features }) => features.length);
const between = (least: number, most: number) => (value: number) => value >= least && value <= most;

/** Of so many draws a share is off by half a percent at most times. */
const expectNear = (actual: number, expected: number): void =>
  expect(Math.abs(actual - expected), `${actual} is not ${expected}`).toBeLessThan(0.02);

const isStrict = ({ requiredLocation, requiredFeatures, minStake }: ConsumerPolicy): boolean =>
  LOCATIONS.includes(requiredLocation) &&
  between(2, 4)(requiredFeatures.length) &&
  between(5_000, 34_999)(Number(minStake));
const isRelaxed = ({ requiredLocation, requiredFeatures, minStake }: ConsumerPolicy): boolean =>
  requiredLocation === "" && requiredFeatures.length === 1 && minStake < 5_000n;

describe("generated providers", () => {
  it("P20b: are named, placed and equipped from the usual lists", () => {
    expect([LOCATIONS.length, FEATURES.length]).toEqual([15, 24]);
    const generator = new PairingGenerator(3);
    const providers = many(() => generator.randomProvider());
    expect(new Set(providers.map(({ address }) => address.split("_")[0]))).toEqual(
      new Set(["lava", "provider", "node", "rpc", "service", "endpoint", "api", "gateway"]),
    );
    for (const { address } of providers) expect(address).toMatch(/^[a-z]+_\d{1,4}_[0-9a-f]{32}$/);
    expect(new Set(providers.map(({ address }) => address)).size).toBe(MANY);
  });

  it("P20c: have a small stake in 70 of 100, 3 to 12 features once each, any place alike", () => {
    const generator = new PairingGenerator(5);
    const all = many(() => generator.randomProvider());
    expectNear(share(stakes(all), between(1_000, 49_999)), 0.7);
    expect(stakes(all).every(between(1_000, 999_999))).toBe(true);
    expect(new Set(counts(all))).toEqual(new Set([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
    expect(all.every(({ features }) => new Set(features).size === features.length)).toBe(true);
    for (const place of LOCATIONS) {
      expectNear(
        share(all, ({ location }) => location === place),
        1 / 15,
      );
    }
  });

  it("P20d: of a workload are spread, of high stake, of many features, and random in fixed shares", () => {
    const spread = new PairingGenerator(7).distributedProviders(30);
    expect(spread.map(({ location }) => location)).toEqual([...LOCATIONS, ...LOCATIONS]);
    const generator = new PairingGenerator(7);
    const high = many(() => generator.highStakeProvider());
    expect(stakes(high).every(between(500_000, 999_999))).toBe(true);
    const rich = many(() => generator.featureRichProvider());
    expect(new Set(counts(rich))).toEqual(new Set([15, 16, 17, 18, 19, 20]));
    const workload = generator.workloadProviders(1_000);
    expect(workload).toHaveLength(1_000);
    expect(counts(workload).filter((count) => count >= 15)).toHaveLength(200);
    // Three in ten on purpose, and those that chance makes so.
    expectNear(share(stakes(workload), between(500_000, 999_999)), 0.3 + 0.7 * 0.16);
  });

  it("P19f: of the demo are half random, three in ten of high stake, a fifth of many features", () => {
    const generator = new PairingGenerator(9);
    const all = many(() => generator.demoProvider());
    expectNear(
      share(counts(all), (count) => count >= 15),
      0.2,
    );
    expectNear(
      share(stakes(all), (stake) => stake >= 500_000),
      0.3 + 0.7 * 0.16,
    );
    const policies = many(() => generator.demoPolicy());
    // Random ones are strict or relaxed now and then by chance.
    expectNear(share(policies, isRelaxed), 0.4 + 0.3 * 0.025);
    expectNear(share(policies, isStrict), 0.3 + 0.3 * 0.2);
  });
});

describe("generated policies", () => {
  it("P20e: of a workload are strict, relaxed and random in fixed shares", () => {
    const generator = new PairingGenerator(11);
    expect(many(() => generator.strictPolicy()).every(isStrict)).toBe(true);
    expect(many(() => generator.relaxedPolicy()).every(isRelaxed)).toBe(true);
    const workload = generator.workloadPolicies(1_000);
    expect(workload).toHaveLength(1_000);
    expect(workload.filter(isRelaxed).length).toBeGreaterThanOrEqual(400);
    expect(workload.filter(isStrict).length).toBeGreaterThanOrEqual(300);
    expect(workload.filter((one) => !isStrict(one) && !isRelaxed(one)).length).toBeGreaterThan(200);
  });

  it("P20f: at random name a place every second time, 0 to 3 features, a stake below 25,000", () => {
    const generator = new PairingGenerator(13);
    const all = many(() => generator.randomPolicy());
    expectNear(
      share(all, ({ requiredLocation }) => requiredLocation !== ""),
      0.5,
    );
    expect(new Set(all.map(({ requiredFeatures }) => requiredFeatures.length))).toEqual(
      new Set([0, 1, 2, 3]),
    );
    expect(all.every(({ minStake }) => minStake >= 0n && minStake < 25_000n)).toBe(true);
    const { providers, policies } = generator.testScenario();
    expect([providers.length, policies.length]).toEqual([100, 20]);
    for (const wanted of policies) {
      expect(new FilterChain().apply(generator.matchingProviders(wanted, 5), wanted)).toHaveLength(
        5,
      );
    }
  });
});

describe("a workload", () => {
  it("P20a: is the same without a seed, and as large as it is asked for", () => {
    const first = generateRealisticWorkload(200, 30);
    const again = generateRealisticWorkload(200, 30);
    expect([first.storage.getProviderCount(), first.policies.length]).toEqual([200, 30]);
    expect(again.policies).toEqual(first.policies);
    expect(again.storage.getAllProviders()).toEqual(first.storage.getAllProviders());
  });
});
