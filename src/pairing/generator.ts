/**
 * Providers and policies as the founding system made them up, but seeded: equal seeds give equal data,
 * on every platform. Providers and policies draw from streams of their own, so that more of one changes
 * none of the other.
 */
import { fnv32 } from "../lib/fnv32.ts";
import { seededRandom } from "../lib/random.ts";
import type { ConsumerPolicy, ProviderRecord } from "./protocol.ts";

/** Where generated providers are. */
export const LOCATIONS: readonly string[] =
  "US-East-1 US-West-1 US-West-2 EU-West-1 EU-Central-1 AP-Southeast-1 AP-Northeast-1 AP-South-1 CA-Central-1 SA-East-1 US-East-2 EU-West-2 EU-West-3 AP-Southeast-2 AP-Northeast-2".split(
    " ",
  );
/** What they can do. */
export const FEATURES: readonly string[] =
  "HTTP HTTPS WebSocket gRPC GraphQL REST SOAP TCP UDP MQTT Redis PostgreSQL MongoDB MySQL Load_Balancing SSL_Termination Caching Compression Rate_Limiting Authentication Authorization Monitoring Logging Metrics".split(
    " ",
  );
const PREFIXES = "lava provider node rpc service endpoint api gateway".split(" ");

/** Shares of a workload: providers spread over the locations, of high stake, of many features. */
const SPREAD = 0.4;
const HIGH_STAKE = 0.3;
const FEATURE_RICH = 0.2;
/** Shares of its policies. */
const STRICT = 0.3;
const RELAXED = 0.4;

type Random = () => number;

/** A generator; everything it makes follows from its seed and the order of the calls. */
export class PairingGenerator {
  readonly #forProviders: Random;
  readonly #forPolicies: Random;

  constructor(seed: number) {
    this.#forProviders = seededRandom(seed ^ fnv32("providers"));
    this.#forPolicies = seededRandom(seed ^ fnv32("policies"));
  }

  /** 70 % of small stake, 30 % of large; 3 to 12 features; anywhere. */
  randomProvider(): ProviderRecord {
    const random = this.#forProviders;
    const isSmall = random() < 0.7;
    return {
      address: addressOf(random),
      stake: BigInt(isSmall ? between(random, 1_000, 49_999) : between(random, 50_000, 999_999)),
      location: one(LOCATIONS, random),
      features: some(FEATURES, between(random, 3, 12), random),
    };
  }

  /** Random ones. */
  randomProviders(count: number): ProviderRecord[] {
    return times(count, () => this.randomProvider());
  }

  /** One after the other at each location. */
  distributedProviders(count: number): ProviderRecord[] {
    return times(count, (i) => ({
      ...this.randomProvider(),
      location: LOCATIONS[i % LOCATIONS.length] as string,
    }));
  }

  /** With a stake from half a million on. */
  highStakeProvider(): ProviderRecord {
    const stake = BigInt(between(this.#forProviders, 500_000, 999_999));
    return { ...this.randomProvider(), stake };
  }

  /** With 15 to 20 features. */
  featureRichProvider(): ProviderRecord {
    const features = some(FEATURES, between(this.#forProviders, 15, 20), this.#forProviders);
    return { ...this.randomProvider(), features };
  }

  /** One that a policy of these requirements accepts; a place is chosen where none is given. */
  specificProvider(
    location: string,
    minStake: bigint,
    requiredFeatures: readonly string[],
  ): ProviderRecord {
    const random = this.#forProviders;
    const others = FEATURES.filter((name) => !requiredFeatures.includes(name));
    return {
      address: addressOf(random),
      stake: minStake + BigInt(between(random, 0, 99_999)),
      location: location === "" ? one(LOCATIONS, random) : location,
      features: [...requiredFeatures, ...some(others, between(random, 0, 4), random)],
    };
  }

  /** Providers that all match a policy. */
  matchingProviders(policy: ConsumerPolicy, count: number): ProviderRecord[] {
    const { requiredLocation, requiredFeatures, minStake } = policy;
    return times(count, () => this.specificProvider(requiredLocation, minStake, requiredFeatures));
  }

  /** A place in one of two, 0 to 3 features, up to 24,999 of stake. */
  randomPolicy(): ConsumerPolicy {
    const random = this.#forPolicies;
    return {
      requiredLocation: random() < 0.5 ? one(LOCATIONS, random) : "",
      requiredFeatures: some(FEATURES, between(random, 0, 3), random),
      minStake: BigInt(between(random, 0, 24_999)),
    };
  }

  /** A place, 2 to 4 features, 5,000 to 34,999 of stake. */
  strictPolicy(): ConsumerPolicy {
    const random = this.#forPolicies;
    return {
      requiredLocation: one(LOCATIONS, random),
      requiredFeatures: some(FEATURES, between(random, 2, 4), random),
      minStake: BigInt(between(random, 5_000, 34_999)),
    };
  }

  /** One feature, up to 4,999 of stake. */
  relaxedPolicy(): ConsumerPolicy {
    const random = this.#forPolicies;
    return {
      requiredLocation: "",
      requiredFeatures: [one(FEATURES, random)],
      minStake: BigInt(between(random, 0, 4_999)),
    };
  }

  /** A provider of the demo: 50 % random, 30 % of high stake, 20 % of many features. */
  demoProvider(): ProviderRecord {
    const kind = this.#forProviders();
    if (kind < 0.5) return this.randomProvider();
    return kind < 0.8 ? this.highStakeProvider() : this.featureRichProvider();
  }

  /** A policy of the demo: 40 % relaxed, 30 % strict, 30 % random. */
  demoPolicy(): ConsumerPolicy {
    const kind = this.#forPolicies();
    if (kind < 0.4) return this.relaxedPolicy();
    return kind < 0.7 ? this.strictPolicy() : this.randomPolicy();
  }

  /** 40 % spread, 30 % of high stake, 20 % of many features, 10 % random; shuffled. */
  workloadProviders(count: number): ProviderRecord[] {
    const spread = Math.floor(count * SPREAD);
    const high = Math.floor(count * HIGH_STAKE);
    const rich = Math.floor(count * FEATURE_RICH);
    return shuffled(
      [
        ...this.distributedProviders(spread),
        ...times(high, () => this.highStakeProvider()),
        ...times(rich, () => this.featureRichProvider()),
        ...this.randomProviders(count - spread - high - rich),
      ],
      this.#forProviders,
    );
  }

  /** 30 % strict, 40 % relaxed, 30 % random; shuffled. */
  workloadPolicies(count: number): ConsumerPolicy[] {
    const strict = Math.floor(count * STRICT);
    const relaxed = Math.floor(count * RELAXED);
    return shuffled(
      [
        ...times(strict, () => this.strictPolicy()),
        ...times(relaxed, () => this.relaxedPolicy()),
        ...times(count - strict - relaxed, () => this.randomPolicy()),
      ],
      this.#forPolicies,
    );
  }

  /** 100 providers and 20 policies of every kind. */
  testScenario(): {
    readonly providers: readonly ProviderRecord[];
    readonly policies: readonly ConsumerPolicy[];
  } {
    return {
      providers: [
        ...this.distributedProviders(50),
        ...times(25, () => this.highStakeProvider()),
        ...times(25, () => this.featureRichProvider()),
      ],
      policies: [
        ...times(5, () => this.strictPolicy()),
        ...times(5, () => this.relaxedPolicy()),
        ...times(10, () => this.randomPolicy()),
      ],
    };
  }
}

const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** `<prefix>_<0..9999>_<32 hex digits>`. */
const addressOf = (random: Random): string => {
  const hex = times(4, () => between(random, 0, 0xffff_ffff).toString(16).padStart(8, "0"));
  return `${one(PREFIXES, random)}_${between(random, 0, 9_999)}_${hex.join("")}`;
};

const between = (random: Random, least: number, most: number): number =>
  least + Math.floor(random() * (most - least + 1));

const one = <T>(items: readonly T[], random: Random): T =>
  items[Math.floor(random() * items.length)] as T;

const some = <T>(items: readonly T[], count: number, random: Random): T[] => {
  const left = [...items];
  return times(count, () => left.splice(Math.floor(random() * left.length), 1)[0] as T);
};

/** In place (Fisher and Yates). */
const shuffled = <T>(items: T[], random: Random): T[] => {
  for (let i = items.length - 1; i > 0; i--) {
    const at = Math.floor(random() * (i + 1));
    [items[i], items[at]] = [items[at] as T, items[i] as T];
  }
  return items;
};
