/** What the founding system's documents ask of data, results and text, a test named after each requirement. */
import { describe, expect, it } from "vitest";
import { ConcurrentPairingSystem } from "../../src/main/pairing/concurrent-system.ts";
import { createVirtualNode, supervisor } from "../../src/otp/index.ts";
import { parsePolicy } from "../../src/pairing/policy.ts";
import { parseProvider } from "../../src/pairing/provider.ts";
import { CompositeScoringSystem, defaultComposite } from "../../src/pairing/origin/composite.ts";
import { DefaultPairingSystem, Processor } from "../../src/pairing/origin/processor.ts";
import {
  DefaultFeatureScorer,
  DefaultLocationScorer,
  DefaultStakeScorer,
  LinearStakeScorer,
  StrictLocationScorer,
} from "../../src/pairing/origin/scorers.ts";
import { OriginStorage } from "../../src/pairing/origin/storage.ts";
import type { ConsumerPolicy, ProviderRecord } from "../../src/pairing/protocol.ts";
import { CONTRACT_KEYS, contractResult } from "../../src/pairing/result.ts";
import { PairingGenerator } from "../../src/pairing/generator.ts";
import { PAIRING_DEMO } from "../../src/main/pairing/demo.ts";
import { policy, provider, startService, value } from "./support.ts";

const storageOf = (...addresses: readonly string[]): OriginStorage => {
  const storage = new OriginStorage();
  for (const [i, address] of addresses.entries()) storage.addProvider(provider(address, 100 - i));
  return storage;
};

const startSystem = async (storage: OriginStorage, workers?: number) => {
  const node = createVirtualNode({ seed: 1 });
  const place = supervisor("place", { register: "place", intensity: 5, children: [] });
  await node.start(supervisor("root", { children: [place] }));
  const system = new ConcurrentPairingSystem({ node, supervisor: "place" }, storage, workers);
  await node.drive(system.start());
  return { node, system };
};

describe("data of the founding system", () => {
  it("P1a P1d: a provider is address, stake, location and features, and its stake is exact", () => {
    const wire = { address: "a", stake: "9223372036854775807", location: "EU", features: ["x"] };
    expect(parseProvider(wire)).toEqual({
      ok: true,
      value: { address: "a", stake: 2n ** 63n - 1n, location: "EU", features: ["x"] },
    });
  });

  it("P1b: an empty place, no features and a stake of 0 require nothing", () => {
    const processor = new Processor(storageOf("a", "b"));
    expect(processor.processPolicy(policy()).filteredCount).toBe(2);
    expect(parsePolicy({ requiredLocation: "", requiredFeatures: [], minStake: 0 })).toEqual(
      parsePolicy({}),
    );
  });

  it("P1c: a score and all its components lie between 0 and 1", () => {
    const composite = defaultComposite();
    for (const stake of [0n, 1n, 10n ** 9n, 2n ** 63n - 1n]) {
      const { score, components } = composite.calculateScore(provider("a", stake), policy());
      expect(Object.keys(components)).toEqual(["features", "location", "stake"]);
      for (const one of [score, ...Object.values(components)]) {
        expect(one).toBeGreaterThanOrEqual(0);
        expect(one).toBeLessThanOrEqual(1);
      }
    }
  });

  it("P21a P21b: what is wrong with a policy or a provider is said in the words of the contract", () => {
    const messages = (parsed: ReturnType<typeof parsePolicy | typeof parseProvider>) =>
      parsed.ok ? [] : parsed.faults.map(({ message }) => message);
    const processor = new Processor(storageOf("a"));
    expect(processor.processPolicy(null).error).toBe("policy cannot be nil");
    expect(processor.processPolicy(policy({ minStake: -1n })).error).toBe(
      "minimum stake cannot be negative",
    );
    expect(messages(parsePolicy({ requiredFeatures: ["a", " "] }))).toHaveLength(1);
    expect(
      messages(parseProvider({ address: "", stake: -1, location: "", features: [""] })),
    ).toEqual([
      "provider address cannot be empty",
      "provider stake cannot be negative",
      "provider location cannot be empty",
      "provider features cannot contain empty strings",
    ]);
  });

  it("P17: a result has six keys, and the same counts from the cache", () => {
    const processor = new Processor(storageOf("a", "b", "c"));
    processor.setTopN(2);
    const made = processor.processPolicy(policy());
    const kept = processor.processPolicy(policy());
    expect([made.cache, kept.cache]).toEqual(["miss", "hit"]);
    for (const result of [made, kept]) {
      expect(Object.keys(contractResult(result))).toEqual([...CONTRACT_KEYS]);
      expect(contractResult(result)).toMatchObject({
        filteredCount: 3,
        rankedCount: 3,
        topProviders: [{ address: "a" }, { address: "b" }],
        error: null,
      });
    }
  });
});

describe("what is wrong, told by the founding system's objects", () => {
  const wrong = [
    [null, "policy cannot be nil"],
    [policy({ minStake: -1n }), "minimum stake cannot be negative"],
    [policy({ requiredFeatures: [" "] }), "required features cannot contain empty strings"],
    [{ ...policy(), minStake: 0.5 }, "not a whole number"],
  ] as const;
  const given = wrong.map(([one]) => one as ConsumerPolicy);
  const messages = wrong.map(([, message]) => message);

  it("P21a: a policy is refused at the door of the concurrent system, and no worker dies of it", async () => {
    const { node, system } = await startSystem(storageOf("a"));
    for (const [at, one] of given.entries()) {
      await expect(node.drive(system.enqueuePolicy(one))).rejects.toThrow(messages[at]);
      expect(system.processPolicyDirectly(one).error).toBe(messages[at]);
    }
    const mixed = [...given, policy()];
    expect(await node.drive(system.enqueuePolicies(mixed))).toEqual({
      accepted: 1,
      rejected: messages.map((error, index) => ({ index, error })),
    });
    const found = await node.drive(system.processPoliciesConcurrently(mixed, 2));
    expect(found.map(({ error }) => error)).toEqual([...messages, null]);
    await node.settle();
    expect((await node.drive(system.getResults())).map(({ error }) => error)).toEqual([null]);
    expect(await node.drive(system.getStats())).toMatchObject({ total_errors: 0 });
    await node.drive(system.stop());
    await node.stop();
  });

  it("P21b: a provider needs a place, a stake from 0 on and no blank feature to be stored", () => {
    const storage = new OriginStorage();
    for (const [more, message] of [
      [{ stake: -1n }, "provider stake cannot be negative"],
      [{ location: "" }, "provider location cannot be empty"],
      [{ features: [""] }, "provider features cannot contain empty strings"],
      [{ stake: 0.5 }, "not a whole number"],
    ] as const) {
      const one = { ...provider("a"), ...more } as ProviderRecord;
      expect(() => storage.addProvider(one)).toThrow(message);
    }
    expect(() => storage.addProvider(null as unknown as ProviderRecord)).toThrow("nil");
    expect(storage.getProviderCount()).toBe(0);
  });
});

describe("interfaces of the founding system", () => {
  it("P3b: every scorer has its method, and a weight that can be changed", () => {
    const asked = [provider("a", 10n ** 7n), policy({ requiredLocation: "US-East-1" })] as const;
    const stake = [new DefaultStakeScorer(), new LinearStakeScorer(0.4)];
    const location = [new DefaultLocationScorer(), new StrictLocationScorer(0.3)];
    const features = new DefaultFeatureScorer();
    expect(stake.map((scorer) => scorer.calculateStakeScore(...asked))).toEqual([1, 1]);
    expect(location.map((scorer) => scorer.calculateLocationScore(...asked))).toEqual([1, 1]);
    expect(features.calculateFeatureScore(...asked)).toBe(0.5);
    for (const scorer of [...stake, ...location, features]) {
      scorer.setWeight(0.9);
      expect(scorer.getWeight()).toBe(0.9);
    }
  });

  it("P3e: a pairing system filters, ranks, and does both", () => {
    const system = new DefaultPairingSystem(storageOf("a", "b"));
    const given = [provider("y", 5), provider("z", 500), provider("far", 900, { location: "EU" })];
    const here = policy({ requiredLocation: "US-East-1" });
    const addresses = (list: readonly { readonly address: string }[]) =>
      list.map(({ address }) => address);
    expect(addresses(system.filterProviders(given, here))).toEqual(["y", "z"]);
    const ranked = system.rankProviders(given.slice(0, 2), here);
    expect(addresses(ranked.map((one) => one.provider))).toEqual(["z", "y"]);
    expect(addresses(system.getPairingList(given, here))).toEqual(["z", "y"]);
    expect(addresses(system.getPairingList(null, here))).toEqual(["a", "b"]);
  });

  it("P3f: a processor is made of storage and capacity, and takes another composite", () => {
    const processor = new Processor(storageOf("a"), 7);
    expect(processor.getStats().cache_stats.capacity).toBe(7);
    const own = new CompositeScoringSystem("Own", "Stake alone").addScorer(
      "stake",
      new LinearStakeScorer(1),
    );
    processor.setScoringSystem(own);
    expect([own.getName(), own.getDescription()]).toEqual(["Own", "Stake alone"]);
    const { components } = processor.processPolicy(policy()).topProviders[0] ?? {};
    expect(components).toEqual({ stake: 0.0001 });
  });

  it("P9d: a weight that a scorer came to by itself and that is none is told, and stops nothing", () => {
    const processor = new Processor(storageOf("a"));
    const own = new LinearStakeScorer(1);
    const composite = new CompositeScoringSystem("Own", "").addScorer("own", own);
    processor.setScoringSystem(composite);
    for (const weight of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      own.setWeight(weight);
      expect(processor.processPolicy(policy()).error).toMatch(/^weight of own: /);
      expect(() => processor.validateConfiguration()).toThrow(/^weight of own: /);
    }
    own.setWeight(2);
    expect(processor.processPolicy(policy()).error).toBeNull();
  });

  it("P3e: ranks as many as there are, each with its own score, the last of an address", () => {
    const system = new DefaultPairingSystem(storageOf("a"));
    const many = new PairingGenerator(1).randomProviders(2_000);
    const [first] = many as [ProviderRecord];
    const ranked = system.rankProviders([...many, { ...first, stake: 10_000_000n }], policy());
    expect(ranked).toHaveLength(2_000);
    expect(ranked[0]?.provider).toEqual({ ...first, stake: 10_000_000n });
    const scores = ranked.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });

  it("P11a: more providers of a result than there can be are refused at once", () => {
    const processor = new Processor(storageOf("a"));
    processor.setTopN(64);
    expect(() => processor.setTopN(65)).toThrow("65 providers of a result, at most 64 can be");
    expect(processor.getTopN()).toBe(64);
    expect(processor.processPolicy(policy()).error).toBeNull();
  });

  it("P16a: providers of a place are found by it, however many are elsewhere", () => {
    const storage = new OriginStorage();
    for (let i = 0; i < 3_000; i++) {
      const location = i % 2 === 0 ? "EU" : "US";
      storage.addProvider(provider(`p${i}`, i, { location }));
    }
    const found = storage.getProvidersByLocation("EU");
    expect(found).toHaveLength(1_500);
    expect(found.every(({ location }) => location === "EU")).toBe(true);
    expect(storage.getProvidersByLocation("nowhere")).toEqual([]);
  });
});

describe("the service of the founding system", () => {
  it("P12c: there are ten workers unless it is said otherwise", async () => {
    const workersOf = async (count?: number) => {
      const { node, system } = await startSystem(storageOf(), count);
      const stats = await node.drive(system.getStats());
      await node.drive(system.stop());
      await node.stop();
      return [stats.max_workers, stats.worker_stats.length];
    };
    expect(await workersOf()).toEqual([10, 10]);
    expect(await workersOf(-1)).toEqual([10, 10]);
    expect(await workersOf(3)).toEqual([3, 3]);
  });

  it("P19a: the demo begins with 200 providers and keeps its four intervals", () => {
    expect(PAIRING_DEMO).toMatchObject({
      providers: 200,
      workers: 5,
      policiesMs: 2_000,
      providersMs: 10_000,
      statsMs: 30_000,
      resultsMs: 15_000,
      forMs: undefined,
    });
  });

  it("P18e: figures begin anew when they are told to, and with them the results that wait", async () => {
    const { node, port } = await startService();
    await node.drive(port.load("main", [provider("a")], "add"));
    await node.drive(port.enqueue("main", [{ policy: policy() }, { policy: policy() }]));
    await node.settle();
    expect(value(await node.drive(port.resultsCount()))).toBe(2);
    await node.drive(port.resetStats());
    expect(value(await node.drive(port.stats()))).toMatchObject({
      total_processed: 0,
      total_errors: 0,
      results_buffer_size: 0,
      results_dropped: 0,
      markets: { main: { total_processed: 0, cache_stats: { hits: 0, misses: 0, size: 0 } } },
    });
    await node.stop();
  });
});
