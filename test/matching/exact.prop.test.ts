/** Every path of the kernel gives what filtering, scoring and sorting give. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile, type Plan } from "../../src/matching/compile.ts";
import type { Demand } from "../../src/matching/demand.ts";
import type { ProviderIndex } from "../../src/matching/index/provider-index.ts";
import { type MatchOptions, match } from "../../src/matching/match.ts";
import {
  type NaivePick,
  naiveProvider,
  type NaiveScorer,
  naiveRank,
  naiveScorers,
} from "./naive.ts";
import type { Profiles } from "../../src/matching/scorers/profiles.ts";
import type { Provider } from "../../src/matching/provider.ts";
import { drawOf, keyOf, seedHalves } from "../../src/matching/paths/rendezvous.ts";
import { fnv64 } from "../../src/lib/fnv64.ts";
import { type Case, cases, indexOf, profilesOf, provider } from "./worlds.ts";

type Scorers = readonly (readonly [string, number, NaiveScorer])[];

const planOf = (demand: Demand, profiles: Profiles): Plan => {
  const compiled = compile(demand, profiles);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  return compiled.plan;
};

/** Ids and scores as the reference has them, modes and stickiness included. */
function expected(list: readonly Provider[], plan: Plan, scorers: Scorers, seed: number) {
  const { k, mode, sticky, weightBy, orderBy } = plan.demand;
  const total = [...scorers]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .reduce((sum, [, weight]) => sum + weight, 0);
  const shown = (sum: number) => (total === 0 ? 0 : sum / total);
  let ranked = naiveRank(list.map(naiveProvider), plan.demand, scorers);
  const survivor = ranked.find(({ provider: { id } }) => id === sticky);
  if (orderBy !== undefined) ranked = inOrder(ranked, orderBy);
  if (mode === "weighted") {
    const halves = seedHalves(seed);
    ranked = ranked
      .map((pick) => {
        const { high, low } = fnv64(pick.provider.id);
        const weight = weightBy === "stake" ? Number(pick.provider.stake ?? 0n) : shown(pick.sum);
        return { ...pick, weight, key: keyOf(weight, drawOf(high, low, halves)) };
      })
      .filter(({ weight }) => weight > 0)
      .sort((a, b) => b.key - a.key || (a.provider.id < b.provider.id ? -1 : 1));
  }
  if (mode === "roundRobin" && ranked.length > 0) {
    const of = ({ provider: one }: NaivePick) => naiveScorers["priority"]?.(one, plan.demand) ?? 0;
    ranked = ranked.sort((a, b) => of(b) - of(a) || (a.provider.id < b.provider.id ? -1 : 1));
    const first = seed % ranked.length;
    ranked = [...ranked.slice(first), ...ranked.slice(0, first)];
  }
  if (survivor !== undefined) {
    ranked = [survivor, ...ranked.filter(({ provider: { id } }) => id !== survivor.provider.id)];
  }
  return ranked.slice(0, k).map(({ provider: { id }, sum }) => ({ id, score: shown(sum) }));
}

/** By columns, smaller first and unknown last, and by the sum; equals by id. */
const inOrder = (ranked: readonly NaivePick[], orderBy: readonly string[]) =>
  ranked.toSorted((a, b) => {
    for (const name of orderBy) {
      const [x, y] = [a, b].map(({ sum, provider: { values } }) =>
        name === "score" ? -sum : (values?.[name] ?? Number.NaN),
      ) as [number, number];
      if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
      if (x !== y && !Number.isNaN(x)) return x < y ? -1 : 1;
    }
    return a.provider.id < b.provider.id ? -1 : 1;
  });

const picksOf = (plan: Plan, index: ProviderIndex, options: MatchOptions) =>
  match(plan, index, options).picks.map(({ id, score }) => ({ id, score }));

const check = (
  list: readonly Provider[],
  index: ProviderIndex,
  one: Case,
  plan: Plan,
  scorers: Scorers,
) => {
  const want = expected(list, plan, scorers, one.seed);
  for (const scanUpTo of [0, 1_000_000]) {
    expect(picksOf(plan, index, { seed: one.seed, scanUpTo })).toEqual(want);
  }
};

const seeded = { seed: 20_251, verbose: 0 } as const;

describe("a match", () => {
  it("equals the reference on 20,000 random cases, by index and by scan", {
    timeout: 300_000,
  }, () => {
    const paths = new Set<string>();
    fc.assert(
      fc.property(cases(24), (one) => {
        const { profiles, scorers } = profilesOf(one.weights);
        const plan = planOf(one.demand, profiles);
        const index = indexOf(one.providers);
        check(one.providers, index, one, plan, scorers);
        paths.add(match(plan, index, { scanUpTo: 0 }).path);
      }),
      { ...seeded, numRuns: 20_000 },
    );
    expect([...paths].sort()).toEqual([
      "bound",
      "draw",
      "listed",
      "none",
      "rank",
      "scan",
      "sorted",
      "turns",
    ]);
  });

  it("equals it after every one of many changes", { timeout: 300_000 }, () => {
    const change = fc.oneof(
      fc.nat({ max: 40 }).chain((id) => provider(`p${id}`).map((put) => ({ put }))),
      fc.record({ remove: fc.nat({ max: 40 }).map((id) => `p${id}`) }),
      fc.record({
        id: fc.nat({ max: 40 }).map((id) => `p${id}`),
        value: fc.tuple(
          fc.constantFrom("latencyMs", "reliability", "load", "priority"),
          fc.constantFrom(0, 0.3, 1, 90, Number.NaN),
        ),
      }),
      fc.record({ id: fc.nat({ max: 40 }).map((id) => `p${id}`), stake: fc.bigInt(0n, 2n ** 60n) }),
      fc.record({ id: fc.nat({ max: 40 }).map((id) => `p${id}`), open: fc.boolean() }),
    );
    fc.assert(
      fc.property(cases(20), fc.array(change, { maxLength: 200 }), (one, changes) => {
        const { profiles, scorers } = profilesOf(one.weights);
        const plan = planOf(one.demand, profiles);
        const index = indexOf(one.providers);
        const list = new Map(one.providers.map((entry) => [entry.id, entry]));
        check(one.providers, index, one, plan, scorers);
        for (const step of changes) {
          apply(index, list, step);
          check([...list.values()], index, one, plan, scorers);
        }
      }),
      { ...seeded, numRuns: 150 },
    );
  });

  it("equals it while orders and boards are made, step by step", { timeout: 300_000 }, () => {
    const paths = new Set<string>();
    fc.assert(
      fc.property(cases(24), fc.integer({ min: 1, max: 60 }), (one, steps) => {
        const { profiles, scorers } = profilesOf(one.weights);
        const plan = planOf(one.demand, profiles);
        const index = indexOf(one.providers);
        index.derived.pace = { first: 0, match: 3 };
        const changes = [...one.providers.entries()];
        const list = [...one.providers];
        do {
          paths.add(match(plan, index, { scanUpTo: 0 }).path);
          check(list, index, one, plan, scorers);
          const [at, entry] = changes.pop() ?? [];
          if (at === undefined || entry === undefined) continue;
          const changed = { ...entry, stake: BigInt(at * 1_000) };
          list[at] = changed;
          index.setStake(index.rowOf(changed.id) as number, changed.stake);
        } while (index.derived.advance(steps));
        check(list, index, one, plan, scorers);
        paths.add(match(plan, index, { scanUpTo: 0 }).path);
      }),
      { ...seeded, numRuns: 2_000 },
    );
    expect([...paths].sort()).toEqual([
      "bound",
      "draw",
      "listed",
      "none",
      "rank",
      "scan",
      "sorted",
      "turns",
    ]);
  });

  it.each([31, 32, 33, 1_023, 1_024, 1_025])(
    "equals it with %i providers",
    { timeout: 300_000 },
    (count) => {
      fc.assert(
        fc.property(
          cases(1),
          fc.array(provider("x"), { minLength: 40, maxLength: 40 }),
          fc.nat({ max: 6 }),
          (one, kinds, step) => {
            const { profiles, scorers } = profilesOf(one.weights);
            const plan = planOf(one.demand, profiles);
            const list = Array.from({ length: count }, (_, i) => ({
              ...(kinds[(i * (step * 2 + 1)) % kinds.length] as Provider),

              id: `p${i * 3}`,
            }));
            const index = indexOf(list);
            check(list, index, one, plan, scorers);
            // Many moved rows begin a new layout and end it while matches go on.
            for (let i = 0; i < 90; i++) {
              const at = (i * 11) % count;
              const changed = { ...(list[at] as Provider), stake: BigInt(i * 1_000) };
              list[at] = changed;
              index.setStake(index.rowOf(changed.id) as number, changed.stake);
            }
            check(list, index, one, plan, scorers);
          },
        ),
        { ...seeded, numRuns: count < 100 ? 300 : 60 },
      );
    },
  );
});

type Step =
  | { readonly put: Provider }
  | { readonly remove: string }
  | { readonly id: string; readonly value: readonly [string, number] }
  | { readonly id: string; readonly stake: bigint }
  | { readonly id: string; readonly open: boolean };

function apply(index: ProviderIndex, list: Map<string, Provider>, step: Step): void {
  if ("put" in step) {
    index.put(step.put);
    list.set(step.put.id, step.put);
    return;
  }
  if ("remove" in step) {
    expect(index.remove(step.remove)).toBe(list.delete(step.remove));
    return;
  }
  const known = list.get(step.id);
  const row = index.rowOf(step.id);
  expect(row === undefined).toBe(known === undefined);
  if (known === undefined || row === undefined) return;
  if ("stake" in step) {
    index.setStake(row, step.stake);
    list.set(step.id, { ...known, stake: step.stake });
  } else if ("open" in step) {
    index.setState(row, "Open", step.open);
    const others = (known.states ?? []).filter((state) => state !== "open");
    list.set(step.id, { ...known, states: step.open ? [...others, "open"] : others });
  } else {
    const [name, value] = step.value;
    const column = index.columns.get(name);
    if (column !== undefined) index.setValue(row, column, value);
    list.set(step.id, { ...known, values: { ...known.values, [name]: value } });
  }
}
