/**
 * What a match costs, against filtering, scoring and sorting in the same run: a static score, a dynamic
 * one of three parts, a hit of the cache, a change, the counts of an explanation, memory.
 *
 * Providers and policies are of the distributions of the pairing demo: 40 % spread over the locations,
 * 30 % of high stake, 20 % of many features, 10 % at random; policies 30 % strict, 40 % relaxed, 30 %
 * at random; top 5.
 */
import { bindingOf } from "../src/matching/binding.ts";
import { type Compiled, compile, type Plan } from "../src/matching/compile.ts";
import type { Demand } from "../src/matching/demand.ts";
import { survivorsOf } from "../src/matching/explain/survivors.ts";
import type { Column } from "../src/matching/index/columns.ts";
import { ProviderIndex } from "../src/matching/index/provider-index.ts";
import { match } from "../src/matching/match.ts";
import {
  type NaiveProvider,
  naiveProvider,
  naiveRank,
  naiveScorers,
} from "../test/matching/naive.ts";
import { defaultProfiles } from "../src/matching/scorers/profiles.ts";
import type { Provider } from "../src/matching/provider.ts";
import { RankingCache } from "../src/matching/ranking-cache.ts";
import { seededRandom } from "../src/lib/random.ts";
import { costOf, interleave, type Variant } from "./support/interleave.ts";
import { pairingPolicies, pairingProviders } from "./support/pairing-data.ts";
import { median, report } from "./support/report.ts";

const POLICIES = 200;
/** Steps of a slice: a hundred turns of the directory. */
const MAKE_STEPS = 50_000;
const profiles = defaultProfiles();
const policies = pairingPolicies(POLICIES, 7);
const schema = {
  name: "bench",
  facts: ["priority"],
  signals: ["latencyMs", "reliability", "race", "lagBlocks"],
};

const planOf = (compiled: Compiled): Plan => {
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  return compiled.plan;
};
const plansOf = (profile: string): Plan[] =>
  policies.map((policy: Demand) => planOf(compile({ ...policy, profile }, profiles)));

const withSignals = (providers: readonly Provider[], random: () => number): Provider[] =>
  providers.map((provider) => ({
    ...provider,
    values: {
      latencyMs: 20 + 300 * random(),
      reliability: 1 - 0.3 * random() ** 2,
      race: random(),
      lagBlocks: Math.floor(4 * random()),
    },
  }));

const indexOf = (providers: readonly Provider[]): ProviderIndex => {
  const index = new ProviderIndex(schema);
  for (const provider of providers) index.put(provider);
  return index;
};

const scorersOf = (profile: string) =>
  (profiles.composites.get(profile)?.scorers ?? []).map(
    ({ name, weight }) => [name, weight, naiveScorers[name] ?? (() => 0)] as const,
  );

/** Matches in turn for all policies; with `moves`, a signal changes before each of them. */
const matching = (
  name: string,
  index: ProviderIndex,
  plans: readonly Plan[],
  moves?: Column,
): Variant => {
  let i = 0;
  return {
    name,
    run: (count) => {
      let sum = 0;
      for (let n = 0; n < count; n++, i++) {
        const row = (i * 7_919) % index.size;
        if (moves !== undefined) index.setValue(row, moves, 20 + ((i * 31) % 300));
        sum += match(plans[i % plans.length] as Plan, index).picks.length;
      }
      return sum;
    },
  };
};

/** The reference is slow: its cost is that of some policies, taken between the rounds of the other. */
const naiveUs = (
  providers: readonly NaiveProvider[],
  plans: readonly Plan[],
  runs: number,
): number => {
  const scorers = scorersOf(plans[0]?.composite.name ?? "");
  const times: number[] = [];
  for (let n = 0; n < runs; n++) {
    const plan = plans[(n * 37) % plans.length] as Plan;
    const start = process.hrtime.bigint();
    naiveRank(providers, plan.demand, scorers).slice(0, plan.demand.k);
    times.push(Number(process.hrtime.bigint() - start) / 1_000);
  }
  return median(times);
};

const bars = {
  pairing: { 1_000: [1, 30], 10_000: [2, 25], 100_000: [3, 300], 1_000_000: [4, 600] },
  balanced: { 1_000: [3, 30], 10_000: [40, 25], 100_000: [120, 300], 1_000_000: [800, 600] },
} as const;
const kinds = { pairing: "static", balanced: "dynamic" } as const;
const sizes = [1_000, 10_000, 100_000, 1_000_000] as const;
/** `--small` leaves a million out. */
const isSmall = process.argv.includes("--small");

/** A gateway's endpoints: four signals, as the leaderboard weighs them. Nothing else runs there. */
const endpoints = indexOf(withSignals(pairingProviders(64, 1), seededRandom(2)));
const pick = planOf(compile({ profile: "leaderboard", pick: { k: 3 } }, profiles));
const [rpc] = interleave([matching("rpc", endpoints, [pick])], 100_000);
row("leaderboard of 64 endpoints, top 3", (rpc?.minNs ?? Number.NaN) / 1_000, "us", 0.5);

/** Before anything large has left garbage. */
if (!isSmall) memory();

for (const size of sizes.slice(0, isSmall ? 3 : 4)) {
  const providers = withSignals(pairingProviders(size, 42), seededRandom(43));
  const plain = providers.map(naiveProvider);
  const index = indexOf(providers);
  for (const profile of ["pairing", "balanced"] as const) {
    const plans = plansOf(profile);
    globalThis.gc?.();
    const firstMs = plans.map((plan) => msOf(() => match(plan, index)));
    if (size === 1_000_000 && profile === "balanced")
      row("longest match while the board is made, 1000000", Math.max(...firstMs), "ms", 50);
    making(index);
    const count = profile === "pairing" ? 60_000 : Math.max(400, 10_000_000 / size);
    const moves = profile === "balanced" ? index.columns.get("latencyMs") : undefined;
    const [cost] = interleave([matching("match", index, plans, moves)], count);
    const us = (cost?.minNs ?? Number.NaN) / 1_000;
    const slow = naiveUs(plain, plans, Math.min(400, Math.max(4, 2_000_000 / size)));
    const [mostUs, leastRatio] = bars[profile][size];
    report({
      bench: "matching",
      case: `${kinds[profile]} score, ${size}`,
      value: us,
      unit: "us",
      bar: `<= ${mostUs} us`,
      ok: us <= mostUs,
    });
    report({
      bench: "matching",
      case: `${kinds[profile]} score, ${size}: naive / match`,
      value: slow,
      unit: "us",
      baseline: us,
      ratio: slow / us,
      bar: `>= ${leastRatio} x`,
      ok: slow / us >= leastRatio,
    });
  }
  if (size === 10_000) detailOf(index);
}

/** What else a market of 10,000 costs. */
function detailOf(index: ProviderIndex): void {
  const plans = plansOf("pairing");
  const cache = new RankingCache({ capacity: POLICIES, ttlMs: 30_000 });
  for (const plan of plans) cache.picks(plan, index, 0, 0);
  const latency = index.columns.get("latencyMs") as Column;
  const random = seededRandom(9);
  const values = Array.from({ length: 4_096 }, () => 20 + 300 * random());
  const rows = Array.from({ length: 4_096 }, () => Math.floor(random() * index.size));
  const drawn = policies.map((policy) =>
    planOf(compile({ ...policy, profile: "pairing", pick: { mode: "weighted" } }, profiles)),
  );
  let i = 0;
  const each = (name: string, run: (plan: Plan, n: number) => number): Variant => ({
    name,
    run: (count) => {
      let sum = 0;
      for (let n = 0; n < count; n++, i++) sum += run(plans[i % POLICIES] as Plan, i);
      return sum;
    },
  });
  const fast = interleave(
    [
      each("cache hit", (plan) => cache.picks(plan, index, 0, 0).ranking.considered),
      each("signal update", (_, n) => {
        index.setValue(
          rows[n & 4_095] as number,
          latency,
          values[(n * 7 + (n >> 12)) & 4_095] as number,
        );
        return 1;
      }),
    ],
    200_000,
  );
  const slow = interleave(
    [
      each("match", (plan) => match(plan, index).considered),
      each("counts", (plan) => survivorsOf(bindingOf(plan, index)).length),
      each("match explained", (plan) => match(plan, index, { explain: true }).considered),
      each("weighted", (_, n) => match(drawn[n % POLICIES] as Plan, index, { seed: n }).considered),
    ],
    2_000,
  );
  const explainUs = (costOf(slow, "match explained") - costOf(slow, "match")) / 1_000;
  row("cache hit", costOf(fast, "cache hit"), "ns", 100);
  row("signal update", costOf(fast, "signal update"), "ns", 100);
  row("explain counts among 10000", costOf(slow, "counts") / 1_000, "us", 10);
  report({
    bench: "matching",
    case: "explain counts and components",
    value: explainUs,
    unit: "us",
  });
  row("weighted top 5 among 10000", costOf(slow, "weighted") / 1_000, "us", 150);
}

function row(name: string, value: number, unit: string, most: number): void {
  const bar = `<= ${most} ${unit}`;
  report({ bench: "matching", case: name, value, unit, bar, ok: value <= most });
}

/** Memory of a market without its ids, which stand beside it in any case. */
function memory(): void {
  const million = pairingProviders(1_000_000, 42);
  const usedMb = (): number => {
    for (let i = 0; i < 3; i++) globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return (heapUsed + arrayBuffers) / 2 ** 20;
  };
  const held: { index: ProviderIndex | undefined } = { index: loaded(million) };
  const withIndex = usedMb();
  held.index = undefined;
  // What is let go of is what it took: everything else has settled, and the ids are still held.
  row("memory of 1000000 providers beside their ids", withIndex - usedMb(), "MB", 64);
  if (million.length !== 1_000_000) throw new Error("the providers were let go of");
}

/** A market with its first order, how long that took, and what matches cost meanwhile. */
function loaded(providers: readonly Provider[]): ProviderIndex {
  const start = process.hrtime.bigint();
  const index = new ProviderIndex({ name: "bench" });
  for (const provider of providers) index.put(provider);
  const loadS = Number(process.hrtime.bigint() - start) / 1e9;
  row("load of 1000000 providers", loadS, "s", 10);
  const plans = plansOf("pairing");
  // The heap is full of the bench's own providers, of which the kernel keeps nothing: to collect what
  // they left takes a second, and must not fall into a match.
  globalThis.gc?.();
  const matchesMs = plans.map((plan) => msOf(() => match(plan, index)));
  row("longest match while the order is made, 1000000", Math.max(...matchesMs), "ms", 50);
  report({
    bench: "matching",
    case: "median match while the order is made, 1000000",
    value: median(matchesMs) * 1_000,
    unit: "us",
  });
  const slicesMs = making(index);
  row("longest slice of making the order, 1000000", Math.max(...slicesMs), "ms", 50);
  const makingS = slicesMs.reduce((sum, ms) => sum + ms, 0) / 1_000;
  row("load and first order", loadS + makingS, "s", 10);
  return index;
}

/** Makes all that matches have asked for; how long each slice took, ms. */
function making({ derived }: ProviderIndex): number[] {
  const slicesMs: number[] = [];
  let isMaking = derived.isMaking;
  while (isMaking) {
    const start = process.hrtime.bigint();
    isMaking = derived.advance(MAKE_STEPS);
    slicesMs.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  return slicesMs;
}

function msOf(run: () => unknown): number {
  const start = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - start) / 1e6;
}
