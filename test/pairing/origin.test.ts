/** The founding system's interfaces, a test named after each requirement, and its defects, one each. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createVirtualNode, supervisor } from "../../src/otp/index.ts";
import { ConcurrentPairingSystem } from "../../src/main/pairing/concurrent-system.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { PairingGenerator } from "../../src/pairing/generator.ts";
import { CompositeScoringSystem, defaultComposite } from "../../src/pairing/origin/composite.ts";
import {
  FeatureFilter,
  FilterChain,
  LocationFilter,
  StakeFilter,
} from "../../src/pairing/origin/filters.ts";
import { PolicyQueue, type PolicyQueueLike } from "../../src/pairing/origin/policy-queue.ts";
import { DefaultPairingSystem, Processor } from "../../src/pairing/origin/processor.ts";
import {
  DefaultFeatureScorer,
  DefaultLocationScorer,
  DefaultStakeScorer,
  LinearStakeScorer,
  StrictLocationScorer,
} from "../../src/pairing/origin/scorers.ts";
import { generateRealisticWorkload, OriginStorage } from "../../src/pairing/origin/storage.ts";
import type { ConsumerPolicy, ProviderRecord } from "../../src/pairing/protocol.ts";
import { handClock } from "./hand-clock.ts";
import { policy, provider } from "./support.ts";

const storageOf = (providers: readonly ProviderRecord[]): OriginStorage => {
  const storage = new OriginStorage();
  for (const one of providers) storage.addProvider(one);
  return storage;
};
const names = (list: readonly ProviderRecord[]) => list.map(({ address }) => address);
const us = (address: string, stake: bigint | number, features = ["HTTP", "SSL"]) =>
  provider(address, stake, { location: "US-East-1", features });

describe("filters of the founding system", () => {
  const all = [
    us("a", 5),
    provider("b", 9, { location: "us-east-1", features: ["http"] }),
    provider("c", 2n ** 63n - 1n, { location: "EU", features: ["HTTP", "gRPC"] }),
  ];

  it("P2a P2b P2c P2d: each has its name, passes all without a requirement, and is exact", () => {
    const place = new LocationFilter();
    const features = new FeatureFilter();
    const stake = new StakeFilter();
    expect([place, features, stake].map((filter) => filter.name())).toEqual([
      "LocationFilter",
      "FeatureFilter",
      "StakeFilter",
    ]);
    for (const filter of [place, features, stake]) {
      expect(filter.apply(all, policy())).toEqual(all);
    }
    expect(names(place.apply(all, policy({ requiredLocation: "US-East-1" })))).toEqual(["a"]);
    expect(names(features.apply(all, policy({ requiredFeatures: ["HTTP", "GRPC"] })))).toEqual([
      "c",
    ]);
    expect(names(stake.apply(all, policy({ minStake: 2n ** 63n - 1n })))).toEqual(["c"]);
  });

  it("P2e P2f: the chain keeps its order, takes filters at the end or before one, and counts", () => {
    const chain = new FilterChain();
    const odd = { name: () => "odd", apply: (list: readonly ProviderRecord[]) => list.slice(0, 1) };
    chain.add(odd).add({ ...odd, name: () => "first" }, "LocationFilter");
    expect(chain.filters.map((filter) => filter.name())).toEqual([
      "first",
      "LocationFilter",
      "FeatureFilter",
      "StakeFilter",
      "odd",
    ]);
    expect(() => chain.add(odd, "nowhere")).toThrow("filter nowhere not found");
    const wanted = policy({ requiredLocation: "US-East-1", minStake: 6n });
    expect(new FilterChain().filterStats(all, wanted)).toEqual({
      initial: 3,
      LocationFilter: 1,
      FeatureFilter: 1,
      StakeFilter: 0,
    });
  });
});

describe("scorers of the founding system", () => {
  const stake = (value: bigint, minStake = 0n) =>
    new DefaultStakeScorer().calculateStakeScore(us("a", value), policy({ minStake }));

  it("P4 P5: stake by its logarithm or linear, 0 below 1 and below the minimum", () => {
    expect(stake(0n)).toBe(0);
    expect(stake(1n)).toBe(0);
    expect(stake(1_000n)).toBeCloseTo(3 / 7, 12);
    expect(stake(20_000_000n)).toBe(1);
    expect(stake(1_000n, 1_001n)).toBe(0);
    const linear = new LinearStakeScorer(1);
    expect(linear.calculateStakeScore(us("a", 250_000), policy())).toBe(0.25);
    expect(linear.calculateStakeScore(us("a", 2_000_000), policy())).toBe(1);
  });

  it("P6 P7: place by region, or strictly", () => {
    const at = (requiredLocation: string) => policy({ requiredLocation });
    const soft = new DefaultLocationScorer();
    const strict = new StrictLocationScorer(1);
    const places = ["", "US-East-1", "US-West-9", "EU-West-1"];
    const score = (scorer: typeof soft | typeof strict) =>
      places.map((place) => scorer.calculateLocationScore(us("a", 1), at(place)));
    expect(score(soft)).toEqual([0.5, 1, 0.7, 0.2]);
    expect(score(strict)).toEqual([1, 1, 0, 0]);
  });

  it("P8a P8b: features by their share, with a bonus for each more up to 0.2", () => {
    const scorer = new DefaultFeatureScorer();
    const score = (own: string[], requiredFeatures: string[]) =>
      scorer.calculateFeatureScore(us("a", 1, own), policy({ requiredFeatures }));
    expect(score(["x"], [])).toBe(0.5);
    expect(score(["X"], ["x"])).toBe(1);
    expect(score(["x", "q"], ["x", "y"])).toBe(0.5);
    expect(score(["x", "q", "r"], ["x", "y"])).toBe(0.55);
    expect(score(["x", "a", "b", "c", "d", "e", "f", "g", "h"], ["x", "y"])).toBe(0.7);
  });

  it("P3c P3d P9b: a composite is listed in order, weighted, changed, and knows what it lacks", () => {
    const composite = defaultComposite();
    expect(composite.getName()).toBe("Default Composite Scoring");
    expect(composite.listScorers()).toEqual(["features", "location", "stake"]);
    expect(composite.getScorerWeight("stake")).toBe(0.4);
    composite.setScorerWeight("stake", 0.5);
    expect(composite.getScorer("stake").getWeight()).toBe(0.5);
    expect(() => composite.getScorer("x")).toThrow("scorer x not found");
    expect(() => composite.removeScorer("x")).toThrow("scorer x not found");
    expect(() => composite.setScorerWeight("x", 1)).toThrow("scorer x not found");
    // @ts-expect-error -- what has no scoring method is refused at run time as well
    expect(() => composite.addScorer("x", {})).toThrow("unsupported scorer type");
    const zero = new CompositeScoringSystem("Zero", "").addScorer(
      "stake",
      new DefaultStakeScorer(0),
    );
    expect(zero.calculateScore(us("a", 9), policy()).score).toBe(0);
  });

  it("P3a P9a: a score is the weighted mean of its components", () => {
    const {
      score,
      components,
      provider: scored,
    } = defaultComposite().calculateScore(
      us("a", 10_000_000),
      policy({ requiredLocation: "US-West-1" }),
    );
    expect(components).toEqual({ features: 0.5, location: 0.7, stake: 1 });
    expect(score).toBeCloseTo(0.4 + 0.3 * 0.7 + 0.3 * 0.5, 12);
    expect(scored.address).toBe("a");
  });

  it("P9c P9d P10: a scorer from outside counts, also one that fails, and weights change at once", () => {
    const storage = storageOf([us("rich", 9_000_000), us("poor", 10)]);
    const processor = new Processor(storage);
    const composite = defaultComposite();
    processor.setScoringSystem(composite);
    const best = () => processor.processPolicy(policy()).topProviders[0]?.address;
    expect(best()).toBe("rich");
    let weight = 5;
    composite.addScorer("custom", {
      calculateStakeScore: ({ address }) => {
        if (address === "rich") throw new Error("no score");
        return 1;
      },
      getWeight: () => weight,
      setWeight: (next) => {
        weight = next;
      },
    });
    expect(best()).toBe("poor");
    weight = 0;
    expect(best()).toBe("rich");
    composite.setScorerWeight("custom", 5);
    expect(best()).toBe("poor");
    composite.removeScorer("custom");
    expect(best()).toBe("rich");
    processor.setScoringSystem(
      new CompositeScoringSystem("Custom", "Linear stake at the exact place")
        .addScorer("stake", new LinearStakeScorer(0.6))
        .addScorer("location", new StrictLocationScorer(0.4)),
    );
    expect(processor.processPolicy(policy()).topProviders.map(({ score }) => score)).toEqual([
      1,
      0.4 + 0.6 * 0.00001,
    ]);
  });
});

describe("the processor of the founding system", () => {
  it("P11a P11b: gives the first n, ties by address, and ignores an n that is none", () => {
    const processor = new Processor(storageOf(["d", "b", "a", "c"].map((name) => us(name, 7))));
    processor.setTopN(3);
    processor.setTopN(0);
    processor.setTopN(-2);
    expect(processor.getTopN()).toBe(3);
    const { topProviders } = processor.processPolicy(policy());
    expect(topProviders.map(({ address }) => address)).toEqual(["a", "b", "c"]);
  });

  it("P15a P15d P15e P18d: counts hits, can be without cache and without counting, and begins anew", () => {
    const processor = new Processor(storageOf([us("a", 7)]), 10);
    const features = (requiredFeatures: string[]) =>
      processor.processPolicy(policy({ requiredFeatures }));
    features(["HTTP", "ssl"]);
    features(["SSL", "http", "HTTP"]);
    features(["none"]);
    features(["none"]);
    expect(processor.getStats()).toMatchObject({
      total_processed: 4,
      total_filtered: 2,
      total_ranked: 2,
      total_cache_hits: 2,
      total_cache_misses: 2,
      top_n: 5,
      caching_enabled: true,
      stats_enabled: true,
      provider_count: 1,
      location_distribution: { "US-East-1": 1 },
      cache_stats: { size: 2, capacity: 10, hits: 2, misses: 2, hit_rate: 0.5, min_frequency: 2 },
    });
    processor.setStatsEnabled(false);
    processor.setCachingEnabled(false);
    expect(features(["none"]).cache).toBe("off");
    expect(processor.getStats()).toMatchObject({ total_processed: 4, caching_enabled: false });
    processor.resetStats();
    expect(processor.getStats()).toMatchObject({ total_processed: 0, cache_stats: { hits: 0 } });
  });

  it("P18f: says how scores spread, and whether it could work", () => {
    const processor = new Processor(storageOf([us("a", 10_000_000), us("b", 1)]));
    const stats = processor.getScoringStats(policy());
    expect(stats).toMatchObject({ count: 2, scoring_strategy: "Default Composite Scoring" });
    expect(stats.max - stats.min).toBeCloseTo(0.4, 12);
    expect(processor.getScoringStats(policy({ minStake: 99_999_999n }))).toMatchObject({
      count: 0,
      avg: 0,
      min: 0,
      max: 0,
    });
    expect(() => processor.validateConfiguration()).not.toThrow();
    processor.setScoringSystem(new CompositeScoringSystem("Empty", ""));
    expect(() => processor.validateConfiguration()).toThrow("no scorer");
  });

  it("P2e: filters of its chain beyond the usual ones decide too", () => {
    const processor = new Processor(storageOf([us("a", 9), us("b", 7)]));
    expect(processor.processPolicy(policy()).filteredCount).toBe(2);
    processor.filters.add({
      name: () => "no-a",
      apply: (list) => list.filter(({ address }) => address !== "a"),
    });
    expect(processor.processPolicy(policy()).topProviders.map(({ address }) => address)).toEqual([
      "b",
    ]);
  });

  it("P14b P14c: many policies keep their order, and after an abort there is what was done", async () => {
    const processor = new Processor(storageOf([us("a", 9)]));
    const many = Array.from({ length: 25 }, (_, i) => policy({ minStake: BigInt(i) }));
    const results = await processor.processPoliciesConcurrently(many, 4);
    expect(results.map((result) => result.policy?.minStake)).toEqual(
      many.map(({ minStake }) => minStake),
    );
    const abort = new AbortController();
    const partly = processor.processPoliciesConcurrently(many, 10, abort.signal);
    abort.abort();
    expect((await partly).length).toBe(10);
  });

  it("P16a P16b: storage adds, replaces, names, finds by place and removes", () => {
    const storage = new OriginStorage(10, seededRandom(1));
    storage.addProvider(us("a", 1));
    storage.addProvider(us("a", 2));
    const named = storage.addProvider({ ...us("", 3), location: "EU" });
    expect(named).not.toBe("");
    expect(storage.getProviderCount()).toBe(2);
    expect(storage.getProvider("a")?.stake).toBe(2n);
    expect(names(storage.getProvidersByLocation("EU"))).toEqual([named]);
    expect(storage.getLocationStats()).toEqual({ "US-East-1": 1, EU: 1 });
    expect([storage.removeProvider("a"), storage.removeProvider("a")]).toEqual([true, false]);
    expect(names(storage.getAllProviders())).toEqual([named]);
  });

  it("P20a: makes the same workload from the same seed, of the usual shares", () => {
    const { storage, policies } = generateRealisticWorkload(1_000, 100, 42);
    const again = generateRealisticWorkload(1_000, 100, 42);
    expect(again.policies).toEqual(policies);
    expect(again.storage.getAllProviders()).toEqual(storage.getAllProviders());
    expect(generateRealisticWorkload(1_000, 100, 43).policies).not.toEqual(policies);
    const providers = storage.getAllProviders();
    expect(providers).toHaveLength(1_000);
    const high = providers.filter(({ stake }) => stake >= 500_000n && stake < 1_000_000n).length;
    expect(high).toBeGreaterThanOrEqual(300);
    expect(providers.filter(({ features }) => features.length >= 15)).toHaveLength(200);
    for (const { address, features } of providers) {
      expect(address).toMatch(/^[a-z]+_\d{1,4}_[0-9a-f]{32}$/);
      expect(features.length).toBe(new Set(features).size);
    }
    const strict = policies.filter(
      ({ requiredLocation, requiredFeatures, minStake }) =>
        requiredLocation !== "" && requiredFeatures.length >= 2 && minStake >= 5_000n,
    );
    expect(strict.length).toBeGreaterThanOrEqual(30);
    const generator = new PairingGenerator(1);
    const wanted = generator.strictPolicy();
    const chain = new FilterChain();
    const matching = generator.matchingProviders(wanted, 20);
    expect(chain.apply(matching, wanted)).toHaveLength(20);
    expect(generator.testScenario().policies).toHaveLength(20);
  });
});

describe("the queue of the founding system", () => {
  it("P13a P13d: is first in first out, bounded, closes at once, and counts", async () => {
    const queue: PolicyQueueLike<number> = new PolicyQueue<number>(handClock().after, 2);
    await queue.enqueue(1);
    await queue.enqueue(2);
    await expect(queue.enqueue(3)).rejects.toThrow("queue is full");
    expect([await queue.dequeue(), queue.size(), queue.capacity()]).toEqual([1, 1, 2]);
    queue.close();
    await expect(queue.enqueue(4)).rejects.toThrow("queue is closed");
    expect(await queue.dequeue()).toBe(2);
    await expect(queue.dequeue()).rejects.toThrow("queue is closed");
    expect(queue.stats()).toMatchObject({
      size: 0,
      enqueued: 2,
      dequeued: 2,
      pending: 0,
      closed: true,
    });
  });

  it("P13b P13c: waits as long as it is told, on both sides, and leaves no timer behind", async () => {
    const clock = handClock();
    const queue = new PolicyQueue<number>(clock.after, 1);
    const early = queue.dequeueWithTimeout(10);
    clock.advance(10);
    await expect(early).rejects.toThrow("timeout while dequeuing policy");
    await queue.enqueue(1);
    const late = queue.enqueueWithTimeout(2, 10);
    clock.advance(10);
    await expect(late).rejects.toThrow("timeout while enqueueing policy");
    const soon = queue.enqueueWithTimeout(3, 10);
    expect([await queue.dequeue(), await soon, await queue.dequeue()]).toEqual([1, undefined, 3]);
    const abort = new AbortController();
    const waiting = queue.dequeueWithContext(abort.signal);
    abort.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    expect(clock.left()).toBe(0);
  });
});

const startSystem = async (providers: readonly ProviderRecord[], workers = 2) => {
  const node = createVirtualNode({ seed: 1 });
  const place = supervisor("place", { register: "place", intensity: 5, children: [] });
  await node.start(supervisor("root", { children: [place] }));
  const storage = storageOf(providers);
  return {
    node,
    storage,
    system: new ConcurrentPairingSystem({ node, supervisor: "place" }, storage, workers),
  };
};

describe("the concurrent system of the founding system", () => {
  it("P12a P14a P18a P18c: starts once, works, counts, and refuses when it does not run", async () => {
    const { node, system } = await startSystem([us("a", 9)]);
    await expect(system.enqueuePolicy(policy())).rejects.toThrow("system is not running");
    await node.drive(system.start());
    await expect(system.start()).rejects.toThrow("system is already running");
    await node.drive(system.enqueuePolicies([policy(), policy(), policy()]));
    await node.settle();
    const stats = await node.drive(system.getStats());
    expect(stats).toMatchObject({
      running: true,
      total_processed: 3,
      total_errors: 0,
      max_workers: 2,
      results_buffer_size: 3,
      queue_stats: { enqueued: 3, dequeued: 3, pending: 0, closed: false },
    });
    expect(stats.worker_stats.reduce((sum, { processed }) => sum + processed, 0)).toBe(3);
    expect(await node.drive(system.getResults())).toHaveLength(3);
    expect(await node.drive(system.getResultsCount())).toBe(0);
    expect(system.processPoliciesDirectly([policy()])[0]?.topProviders).toHaveLength(1);
    const wishes = [0n, 10n, 5n].map((minStake) => policy({ minStake }));
    const found = await node.drive(system.processPoliciesConcurrently(wishes, 2));
    expect(found.map(({ filteredCount }) => filteredCount)).toEqual([1, 0, 1]);
    const given = system.processPoliciesConcurrently(wishes, 10, AbortSignal.abort());
    expect(await node.drive(given)).toEqual([]);
    await node.drive(system.resetStats());
    expect(await node.drive(system.getStats())).toMatchObject({ total_processed: 0 });
    await node.drive(system.stop());
    await node.drive(system.stop());
    expect(() => system.processPolicyDirectly(policy())).toThrow("system is not running");
    await node.stop();
  });
});

describe("defects of the founding system that are none here", () => {
  it("null means all that is stored, and a list means exactly that list", () => {
    const system = new DefaultPairingSystem(storageOf([us("a", 9), us("b", 8)]));
    expect(names(system.getPairingList(null, policy()))).toEqual(["a", "b"]);
    expect(names(system.getPairingList([us("z", 1), us("b", 8)], policy()))).toEqual(["b", "z"]);
    expect(system.getPairingList([], policy())).toEqual([]);
  });

  it("a stake of nothing, or of everything, gives a finite score", () => {
    const big = 2n ** 63n - 1n;
    const { topProviders } = new Processor(
      storageOf([us("zero", 0), us("one", 1), us("big", big)]),
    ).processPolicy(policy());
    for (const { score } of topProviders) {
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(1);
    }
    expect(topProviders[0]).toMatchObject({ address: "big", stake: big });
  });

  it("any order of the same providers gives the same list, byte for byte", () => {
    const providers = new PairingGenerator(5).workloadProviders(60).map((one, i) => ({
      ...one,
      stake: BigInt((i % 4) * 1_000),
    }));
    const listOf = (list: readonly ProviderRecord[]) => {
      const { topProviders } = new Processor(storageOf(list)).processPolicy(policy());
      return JSON.stringify(topProviders.map(({ address, score }) => [address, score]));
    };
    const expected = listOf(providers);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(providers, { minLength: 60 }),
        (list) => listOf(list) === expected,
      ),
      { numRuns: 1_000 },
    );
  });

  it("a better provider and a changed weight show at once, kept rankings or not", () => {
    const storage = storageOf([us("a", 5)]);
    const processor = new Processor(storage);
    const best = () => processor.processPolicy(policy()).topProviders[0]?.address;
    expect([best(), best()]).toEqual(["a", "a"]);
    storage.addProvider(us("b", 50));
    expect([best(), best()]).toEqual(["b", "b"]);
    storage.removeProvider("b");
    expect(best()).toBe("a");
  });

  it("P15b: a cache of any history ends its resizing, and never holds more than it may", () => {
    const processor = new Processor(storageOf([us("a", 5)]), 3);
    const ask = (minStake: bigint, times: number) => {
      for (let i = 0; i < times; i++) processor.processPolicy(policy({ minStake }));
    };
    ask(1n, 1);
    ask(2n, 4);
    ask(3n, 6);
    processor.setCapacity(1);
    expect(processor.getStats().cache_stats).toMatchObject({
      size: 1,
      capacity: 1,
      min_frequency: 6,
    });
  });

  it("a kept ranking gives the very result of one that is made, but for its time", () => {
    const generator = new PairingGenerator(9);
    const processor = new Processor(storageOf(generator.workloadProviders(300)), 1_000);
    for (const one of generator.workloadPolicies(100)) {
      const { cache: first, ...made } = processor.processPolicy(one);
      const { cache: second, ...kept } = processor.processPolicy(one);
      expect(kept).toEqual(made);
      expect([first === "off", second]).toEqual([false, "hit"]);
    }
    expect(processor.getStats().total_processed).toBe(200);
  });

  it("closing a queue frees whoever waits in it, in one turn", async () => {
    const queue = new PolicyQueue<number>(handClock().after, 1);
    const waiting = [queue.dequeue(), queue.dequeue()];
    queue.close();
    const ends = await Promise.allSettled(waiting);
    expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });

  it("10,000 starts and stops leave no process and no timer behind", {
    timeout: 120_000,
  }, async () => {
    const { node, system } = await startSystem([us("a", 9)], 2);
    const before = node.inspector.processes().length;
    for (let i = 0; i < 10_000; i++) {
      await node.drive(system.start());
      if (i % 100 === 0) await node.drive(system.enqueuePolicies([policy()]));
      await node.drive(system.stop());
    }
    expect(node.inspector.processes()).toHaveLength(before);
    expect(node.nextTimerMs()).toBeUndefined();
    await node.stop();
  });

  it("an index after any adding, moving and removing is that of the providers left", () => {
    const change = fc.record({
      address: fc.constantFrom("a", "b", "c"),
      place: fc.constantFrom("US", "EU", "AP", undefined),
    });
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const storage = new OriginStorage();
        const model = new Map<string, string>();
        for (const { address, place } of changes) {
          if (place === undefined) {
            expect(storage.removeProvider(address)).toBe(model.delete(address));
          } else {
            storage.addProvider(provider(address, 1, { location: place }));
            model.set(address, place);
          }
        }
        const counts: Record<string, number> = {};
        for (const place of model.values()) counts[place] = (counts[place] ?? 0) + 1;
        expect(storage.getLocationStats()).toEqual(counts);
        for (const place of ["US", "EU", "AP"]) {
          expect(names(storage.getProvidersByLocation(place)).toSorted()).toEqual(
            [...model]
              .filter(([, at]) => at === place)
              .map(([name]) => name)
              .toSorted(),
          );
        }
      }),
    );
  });

  it("one bad policy among many is its own affair", () => {
    const processor = new Processor(storageOf([us("a", 9)]));
    const bad = { ...policy(), minStake: -1n };
    const list: (ConsumerPolicy | null)[] = [policy(), bad, null, policy()];
    expect(processor.processPolicies(list).map(({ error }) => error)).toEqual([
      null,
      "minimum stake cannot be negative",
      "policy cannot be nil",
      null,
    ]);
  });
});
