/** Random markets and demands for properties, with everything that is odd about them. */
import fc from "fast-check";
import { Composite } from "../../src/matching/scorers/composite.ts";
import type { Demand, LocationNeed, Requirements } from "../../src/matching/demand.ts";
import { ProviderIndex } from "../../src/matching/index/provider-index.ts";
import { type NaiveProvider, naiveProvider, type NaiveScorer, naiveScorers } from "./naive.ts";
import { defaultProfiles, type Profiles } from "../../src/matching/scorers/profiles.ts";
import type { MarketSchema, Provider } from "../../src/matching/provider.ts";
import { customScorer } from "../../src/matching/scorers/custom.ts";
import { featureScorer } from "../../src/matching/scorers/features.ts";
import { locationScorer, strictLocationScorer } from "../../src/matching/scorers/location.ts";
import type { Scorer } from "../../src/matching/scorers/scorer.ts";
import {
  latencyScorer,
  loadScorer,
  priorityScorer,
  reliabilityScorer,
} from "../../src/matching/scorers/signals.ts";
import { linearStakeScorer, stakeScorer } from "../../src/matching/scorers/stake.ts";

export const schema: MarketSchema = {
  name: "test",
  facts: ["priority"],
  signals: ["latencyMs", "reliability", "load", "memMb"],
};

const locations = ["US-East-1", "US-East-2", "US-West-1", "EU-West-1", "EU", "X", ""];
const features = ["HTTP", "ssl", "gRPC", "Caching", "Logging"];
const states = ["open", "draining"];
const stakes = [
  0n,
  1n,
  -5n,
  2n,
  999n,
  1_000n,
  1_000_000n,
  9_999_999n,
  10_000_000n,
  12_000_000n,
  30_000_000n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  10n ** 30n,
  10n ** 30n + 1n,
];
const numbers = [
  0,
  0.25,
  0.5,
  0.75,
  12,
  1.5,
  -1,
  80,
  100,
  250,
  -100,
  Infinity,
  -Infinity,
  Number.NaN,
];

const some = <T>(items: readonly T[], most = items.length) =>
  fc.subarray([...items], { maxLength: most });
const one = <T>(items: readonly T[]) => fc.constantFrom(...items);
/** There in so many of a hundred. */
const seldom = <T>(value: fc.Arbitrary<T>, percent = 30) =>
  fc.oneof(
    { weight: percent, arbitrary: value },
    { weight: 100 - percent, arbitrary: fc.constant(undefined) },
  );

export const provider = (id: string): fc.Arbitrary<Provider> =>
  fc
    .record({
      owner: seldom(one(["ann", "bob"]), 50),
      location: one(locations),
      features: some(features),
      stake: fc.oneof(one(stakes), fc.bigInt(0n, 2_000n)),
      states: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, some(states)),
      values: fc.record(
        {
          priority: one([0, 1, 100, 100.00000000000001]),
          latencyMs: one(numbers),
          reliability: fc.oneof(one(numbers), fc.double({ min: 0, max: 1, noNaN: true })),
          load: one(numbers),
          memMb: one([0, 512, 1024]),
        },
        { requiredKeys: [] },
      ),
    })
    .map(({ owner, ...rest }) => ({ id, ...rest, ...(owner === undefined ? {} : { owner }) }));

/** Providers with different ids, few of them. */
export const providers = (most: number): fc.Arbitrary<Provider[]> =>
  fc
    .uniqueArray(fc.nat({ max: most * 2 }), { maxLength: most })
    .chain((ids) => fc.tuple(...ids.map((id) => provider(`p${id}`))));

const locationNeed: fc.Arbitrary<LocationNeed> = fc.oneof(
  one<LocationNeed>([...locations, "Nowhere", "US-*"]),
  one([{ region: "US" }, { region: "E" }, { within: "US-East" }, { within: "EU" }]),
);

const ids = (most: number) =>
  fc.array(
    fc.nat({ max: most }).map((id) => `p${id}`),
    { maxLength: 4 },
  );

const anyFeature = [...features, "http", "Unknown"];
const requirements: fc.Arbitrary<Requirements> = fc
  .record({
    ids: seldom(ids(40), 12),
    owners: seldom(some(["ann", "bob", "eve"]), 12),
    location: seldom(fc.oneof(locationNeed, fc.array(locationNeed, { maxLength: 3 }))),
    features: seldom(
      fc.oneof(
        some(anyFeature, 3),
        fc.record({
          all: some(anyFeature, 2),
          any: some(anyFeature, 2),
          none: some(anyFeature, 2),
        }),
      ),
    ),
    minStake: seldom(one([...stakes, 14_000_000n])),
    resources: seldom(fc.record({ memMb: one([0, 512, 600]) }), 12),
    health: seldom(fc.record({ is: some(states, 1), isNot: some(states, 1) }), 12),
    signals: seldom(
      fc.constantFrom<Requirements["signals"]>(
        { latencyMs: { max: 100 } },
        { reliability: { min: 0.5 }, load: { min: 0, max: 1 } },
        { nothing: { min: 0 } },
      ),
      12,
    ),
  })
  .map(defined);

/** The scorers a profile of a case may have, with their references. */
const pool: readonly (readonly [name: string, scorer: Scorer, naive: NaiveScorer])[] = [
  ["stake", stakeScorer, naive("stake")],
  ["linear", linearStakeScorer, naive("linearStake")],
  ["location", locationScorer, naive("location")],
  ["strict", strictLocationScorer, naive("strictLocation")],
  ["features", featureScorer, naive("features")],
  ["latency", latencyScorer, naive("latency")],
  ["reliability", reliabilityScorer, naive("reliability")],
  ["load", loadScorer, naive("load")],
  ["priority", priorityScorer, naive("priority")],
  ["broken", custom(oddScore), oddScore],
  ["throwing", custom(throwingScore), throwingScore],
];

const weight = fc.oneof(
  one([0, 0.1, 0.2, 0.3, 0.4, 1, 5]),
  fc.double({ min: 0, max: 2, noNaN: true }),
);

export interface Case {
  readonly providers: readonly Provider[];
  readonly demand: Demand;
  readonly weights: Readonly<Record<string, number>>;
  readonly seed: number;
}

const mode = one(["top", "top", "top", "weighted", "roundRobin"] as const);

/** Columns that decide beside the score, with some that nobody has. */
const orders = fc.shuffledSubarray(["score", "priority", "latencyMs", "memMb", "nothing"]);

export const cases = (most: number): fc.Arbitrary<Case> =>
  fc.record({
    providers: providers(most),
    weights: fc
      .oneof(
        some(
          pool.map(([name]) => name),
          4,
        ),
        one([
          ["stake", "location", "features"],
          ["stake", "latency", "reliability"],
          ["stake"],
          ["priority"],
        ]),
      )
      .chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, weight])))),
    demand: fc
      .record({
        profile: fc.constant("case"),
        exclude: seldom(ids(40), 12),
        require: seldom(requirements, 80),
        prefer: seldom(
          fc
            .record({ location: seldom(one(locations)), features: seldom(some(anyFeature, 3)) })
            .map(defined),
          12,
        ),
        pick: fc
          .record({
            k: fc.oneof(fc.nat({ max: 6 }), one([64])),
            mode,
            sticky: seldom(one(["p1", "p2", "p3", "p4"]), 12),
            weightBy: one(["score", "stake"] as const),
            orderBy: seldom(orders, 20),
          })
          .map(({ orderBy, ...pick }) =>
            defined({ ...pick, orderBy: pick.mode === "top" ? orderBy : undefined }),
          ),
      })
      .map(defined),
    seed: fc.nat(),
  });

/** The profile of a case, and the scorers of its reference. */
export function profilesOf(weights: Case["weights"]): {
  readonly profiles: Profiles;
  readonly scorers: readonly (readonly [string, number, NaiveScorer])[];
} {
  const profiles = defaultProfiles();
  const composite = new Composite("case", "Of one case");
  const scorers = Object.entries(weights).map(([name, weight]) => {
    const [, scorer, naive] = pool.find(([one]) => one === name) ?? fail(name);
    composite.add(name, scorer, weight);
    return [name, weight, naive] as const;
  });
  profiles.composites.set("case", composite);
  return { profiles, scorers };
}

export function indexOf(list: readonly Provider[], market = schema): ProviderIndex {
  const index = new ProviderIndex(market);
  for (const one of list) {
    const put = index.put(one);
    if (!put.ok) throw new Error(put.message);
  }
  return index;
}

function naive(name: string): NaiveScorer {
  return naiveScorers[name] ?? fail(name);
}

function custom(score: NaiveScorer): Scorer {
  return customScorer("custom", "Odd", (row, index, demand) =>
    score(naiveProvider(index.providerAt(row)), demand),
  );
}

/** NaN, infinities and values out of bounds, by the id. */
function oddScore({ id }: NaiveProvider): number {
  return [0.5, Number.NaN, 7, -1, Infinity, 0.25][Number(id.slice(1)) % 6] ?? 0;
}

function throwingScore({ id }: NaiveProvider): number {
  if (Number(id.slice(1)) % 3 === 0) throw new Error(`no score for ${id}`);
  return 0.75;
}

/** Without keys that are undefined, which exact optional types do not allow. */
function defined<T extends object>(record: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

function fail(name: string): never {
  throw new Error(`no scorer ${name}`);
}
