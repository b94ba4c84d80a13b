/** Rankings shared between hosts: never a wrong one, whatever the others hold, say or forge. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile } from "../../../src/matching/compile.ts";
import { rankKnown } from "../../../src/matching/known-picks.ts";
import { rank } from "../../../src/matching/match.ts";
import { Composite } from "../../../src/matching/scorers/composite.ts";
import { customScorer } from "../../../src/matching/scorers/custom.ts";
import { defaultProfiles } from "../../../src/matching/scorers/profiles.ts";
import type { PairingResult, PairRequest } from "../../../src/pairing/protocol.ts";
import { contentText } from "./content-support.ts";
import { Seals } from "../../../src/pairing/shared/sealed.ts";
import { addresses, marketOf, policy, provider, value } from "../support.ts";
import { hostOf, MemoryStore, SECRET } from "./support.ts";

const record = fc
  .record({
    at: fc.nat({ max: 40 }),
    stake: fc.constantFrom(0, 5, 7_000, 900_000, 20_000_000),
    location: fc.constantFrom("US-East-1", "US-West-2", "EU-West-1"),
    features: fc.subarray(["HTTP", "gRPC", "SSL"]),
  })
  .map(({ at, stake, ...rest }) => provider(`p${at}`, stake, rest));
const market = fc.uniqueArray(record, { selector: ({ address }) => address, maxLength: 30 });
const request = fc
  .record({
    minStake: fc.constantFrom(0n, 6n, 30_000_000n),
    requiredLocation: fc.constantFrom("", "US-East-1"),
    requiredFeatures: fc.subarray(["http", "ssl"]),
    mode: fc.constantFrom("top" as const, "weighted" as const, "roundRobin" as const),
    top: fc.integer({ min: 1, max: 8 }),
    seed: fc.constantFrom(1, 2, "1"),
    weights: fc.constantFrom({}, { stake: 0.9 }),
  })
  .map(({ minStake, requiredLocation, requiredFeatures, ...rest }): PairRequest => {
    return { policy: policy({ minStake, requiredLocation, requiredFeatures }), ...rest };
  });

/** What two answers have to have in common: everything but time and version. */
const same = ({ topProviders, filteredCount, rankedCount, ...rest }: PairingResult) => ({
  topProviders,
  filteredCount,
  rankedCount,
  blockedBy: rest.blockedBy,
});

describe("rankings that hosts share", () => {
  it("are what the host would have made, whether the other has the same providers or not", async () => {
    await fc.assert(
      fc.asyncProperty(market, market, fc.boolean(), request, async (one, other, isSame, asked) => {
        const store = new MemoryStore();
        const first = hostOf(store, one);
        // The same providers come to another host in another order, and over a detour.
        const list = isSame ? one.toReversed() : other;
        const second = hostOf(store, [...list.map((own) => ({ ...own, stake: 1n })), ...list]);
        const told = await first.pair(asked);
        const heard = await second.pair(asked);
        const alone = value(marketOf(list).pair(asked));
        expect(same(heard)).toEqual(same(alone));
        const isEqual = contentText(one) === contentText(list);
        expect(second.shared.counts.hit).toBe(isEqual ? 1 : 0);
        expect(heard.cache).toBe(isEqual ? "hit" : "miss");
        if (isEqual) expect(same(heard)).toEqual(same(told));
        expect(second.shared.counts.refused).toBe(0);
      }),
      { numRuns: 2_000 },
    );
  });

  it("are asked for once, then kept, and again after a change, which makes them others", async () => {
    const store = new MemoryStore();
    const providers = [provider("a", 5), provider("b", 9)];
    await hostOf(store, providers).pair({ policy: policy() });
    const { pair, market: own, shared } = hostOf(store, providers);
    expect((await pair({ policy: policy() })).cache).toBe("hit");
    expect((await pair({ policy: policy() })).cache).toBe("hit");
    expect(shared.counts).toMatchObject({ hit: 1, miss: 0 });
    own.store.put(provider("c", 50));
    const changed = await pair({ policy: policy() });
    expect([changed.cache, addresses(changed)]).toEqual(["miss", ["c", "b", "a"]]);
    own.store.remove("c");
    expect(addresses(await pair({ policy: policy() }))).toEqual(["b", "a"]);
    expect(shared.counts).toMatchObject({ hit: 2, miss: 1, written: 1 });
  });

  it("are not those of other weights, other programs or other secrets", async () => {
    const store = new MemoryStore();
    const providers = [provider("a", 5), provider("b", 9, { features: ["x", "y"] })];
    await hostOf(store, providers).pair({ policy: policy() });
    for (const more of [{ program: "2" }, { secret: "another" }]) {
      const host = hostOf(store, providers, more);
      await host.pair({ policy: policy() });
      expect(host.shared.counts).toMatchObject({ hit: 0, miss: 1, refused: 0 });
    }
    const reweighed = hostOf(store, providers);
    value(reweighed.market.setWeights("pairing", { stake: 0.1 }));
    await reweighed.pair({ policy: policy() });
    expect(reweighed.shared.counts).toMatchObject({ hit: 0, miss: 1 });
  });

  it("are not shared where code from outside has a say", async () => {
    const store = new MemoryStore();
    const { market: own, pair, shared } = hostOf(store, [provider("a")]);
    const odd = customScorer("odd", "Odd", () => 0.5);
    own.profiles.composites.set("odd", new Composite("odd", "").add("odd", odd, 1));
    await pair({ policy: policy(), profile: "odd" });
    expect(store.values.size).toBe(0);
    expect(shared.counts).toMatchObject({ miss: 0, written: 0 });
  });

  it("are made here when they are quick to make, and then neither asked for nor told", async () => {
    const store = new MemoryStore();
    const { pair, shared } = hostOf(store, [provider("a")], { fromUs: 1_000_000 });
    await pair({ policy: policy() });
    expect(store.values.size).toBe(0);
    expect(shared.counts).toEqual({ hit: 0, miss: 0, refused: 0, changed: 0, written: 0 });
  });

  it("cost a small market no second look-up of the plan", async () => {
    const { pair, market: own } = hostOf(new MemoryStore(), [provider("a")], { fromUs: 1 });
    const planOf = own.plans.planOf.bind(own.plans);
    let lookups = 0;
    own.plans.planOf = (asked) => {
      lookups++;
      return planOf(asked);
    };
    await pair({ policy: policy() });
    expect(lookups).toBe(1);
  });

  it("are of no use when the market changes while they are on their way", async () => {
    const store = new MemoryStore();
    const providers = [provider("a", 5), provider("b", 9)];
    await hostOf(store, providers).pair({ policy: policy() });
    const { pair, market: own, shared } = hostOf(store, providers);
    store.isSlow = true;
    const waiting = pair({ policy: policy() });
    own.store.put(provider("c", 50));
    store.answer();
    expect(addresses(await waiting)).toEqual(["c", "b", "a"]);
    expect(shared.counts).toMatchObject({ changed: 1, hit: 0 });
  });

  it("are not asked for while the store is away, when they are explained, or nothing is kept", async () => {
    const store = new MemoryStore();
    store.isUp = false;
    const { pair, market: own, shared } = hostOf(store, [provider("a")]);
    await pair({ policy: policy() });
    store.isUp = true;
    await pair({ policy: policy({ minStake: 1n }), explain: true });
    own.isCaching = false;
    await pair({ policy: policy({ minStake: 2n }) });
    expect([store.values.size, shared.counts.miss]).toEqual([0, 0]);
  });

  it("that somebody has forged, changed or moved are refused, counted, and made here", async () => {
    const providers = [provider("a", 5), provider("b", 9), provider("c", 1)];
    const asked = { policy: policy({ minStake: 2n }) };
    const seals = new Seals(SECRET);
    const written = async (one: PairRequest) => {
      const store = new MemoryStore();
      await hostOf(store, providers).pair(one);
      const [entry] = store.values;
      if (entry === undefined) throw new Error("nothing was written");
      return entry;
    };
    const [key, bytes] = await written(asked);
    const [, moved] = await written({ policy: policy() });
    const sealed = (ids: readonly string[], left: number) =>
      seals.seal(key, { ids, left, survivors: undefined });
    const forged: readonly Buffer[] = [
      Buffer.from("anything"),
      Buffer.alloc(0),
      Buffer.alloc(1_000_000),
      moved,
      new Seals("another").seal(key, { ids: ["a"], left: 1, survivors: undefined }),
      ...Array.from(bytes, (_, at) => {
        const copy = Buffer.from(bytes);
        copy[at] = (copy[at] as number) ^ 1;
        return copy;
      }),
      // Signed by us, but no ranking of this market: a defect of another host must not spread.
      sealed(["a", "b"], 2),
      sealed(["b"], 2),
      sealed(["b", "b"], 2),
      sealed(["b", "c"], 2),
      sealed(["b", "z"], 2),
      sealed(["b", "a"], 9),
      seals.seal(key, { ids: [], left: 0, survivors: undefined }),
    ];
    const store = new MemoryStore();
    const { market: own, pair, shared } = hostOf(store, providers);
    for (const [at, value_] of forged.entries()) {
      store.values.set(key, value_);
      own.cache.clear();
      expect(addresses(await pair(asked)), `forged ${at}`).toEqual(["b", "a"]);
      expect(shared.counts, `forged ${at}`).toMatchObject({ refused: at + 1, hit: 0 });
    }
    store.values.set(key, bytes);
    own.cache.clear();
    expect(addresses(await pair(asked))).toEqual(["b", "a"]);
    expect(shared.counts.hit).toBe(1);
  });
});

describe("known picks", () => {
  it("give the ranking that they are of, and no other", () => {
    fc.assert(
      fc.property(market, request, fc.nat(), (list, asked, pickAt) => {
        const { store, plans } = marketOf(list);
        const compiled = plans.planOf(asked);
        if (!compiled.ok) throw new Error("faults");
        const { seed = 0 } = asked;
        const { ranking, rows } = rank(compiled.plan, store.index, { seed });
        const ids = ranking.picks.map(({ id }) => id);
        const left = value(marketOf(list).pair(asked)).filteredCount;
        const known = rankKnown(compiled.plan, store.index, seed, { ids, left });
        expect(known?.rows).toEqual(rows);
        expect({ ...known?.ranking, path: ranking.path }).toEqual(ranking);
        if (ids.length < 2 || asked.mode === "roundRobin") return;
        const swapped = ids.with(0, ids[1] as string).with(1, ids[0] as string);
        const wrong = { ids: swapped, left };
        expect(rankKnown(compiled.plan, store.index, seed, wrong)).toBeUndefined();
        const doubled = { ids: ids.with(0, ids[pickAt % ids.length] as string), left };
        if (pickAt % ids.length === 0) return;
        expect(rankKnown(compiled.plan, store.index, seed, doubled)).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  it("of a demand that they do not decide alone are none", () => {
    const { store } = marketOf([provider("a")]);
    const demand = { profile: "pairing", pick: { sticky: "a" } };
    const compiled = compile(demand, defaultProfiles());
    if (!compiled.ok) throw new Error("faults");
    const known = { ids: ["a"], left: 1 };
    expect(rankKnown(compiled.plan, store.index, 0, known)).toBeUndefined();
  });
});
