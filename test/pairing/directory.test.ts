/** The directory: loads, single changes, and what it brings back at the start. */
import { describe, expect, it } from "vitest";
import { directoryKey } from "../../actors/pairing/directory.ts";
import type { ProviderRecord } from "../../src/pairing/protocol.ts";
import { addresses, MARKET, policy, provider, startService, value } from "./support.ts";

const many = (count: number, from = 0): ProviderRecord[] =>
  Array.from({ length: count }, (_, i) => provider(`p${from + i}`, from + i));
const all = { policy: policy() };

describe("a load", () => {
  it("takes in what is right, and names what is not and why", async () => {
    const { node, port, changes, events } = await startService();
    const given = [
      provider("a", 1),
      { address: "b", stake: -1, location: "US" },
      provider("a", 2),
      null,
      { address: "", stake: "9007199254740993", location: "EU", features: ["X"] },
      { address: "c", stake: 1, location: "US", features: [" "] },
    ];
    const report = value(await node.drive(port.load(MARKET, given, "add")));
    expect(report).toMatchObject({ accepted: 2, rejectedCount: 4, size: 2 });
    expect(report.rejected).toEqual([
      { index: 1, error: "stake: provider stake cannot be negative" },
      { index: 2, error: "duplicate address a" },
      { index: 3, error: "provider cannot be nil" },
      { index: 5, error: "features[0]: provider features cannot contain empty strings" },
    ]);
    const [named] = value(port.list(MARKET, { location: "EU" })).providers;
    expect(named?.stake).toBe(9_007_199_254_740_993n);
    expect(named?.address).toMatch(/^provider_1_[0-9a-f]{16}$/);
    expect(changes).toEqual([
      { type: "put", market: MARKET, providers: [provider("a", 1), named] },
    ]);
    expect(events).toContainEqual({
      name: "pairing.market.loaded",
      fields: { market: MARKET, count: 2, refused: 4, entries: 2 },
    });
    await node.stop();
  });

  it("replaces all at once: nobody sees half of it, and other changes wait", async () => {
    const { node, port, changes } = await startService();
    await node.drive(port.load(MARKET, many(3), "add"));
    changes.length = 0;
    const replacing = port.load(MARKET, many(2_000, 10), "replace");
    const busy = [
      port.add(MARKET, provider("x")),
      port.remove(MARKET, "p1"),
      port.load(MARKET, many(1), "add"),
    ];
    const seen = value(port.pair(MARKET, all)).filteredCount;
    expect(seen).toBe(3);
    for (const reply of await node.drive(Promise.all(busy))) {
      expect(reply).toMatchObject({ refusal: { code: "PAIRING_BUSY" } });
    }
    expect(value(await node.drive(replacing))).toMatchObject({ accepted: 2_000, size: 2_000 });
    expect(addresses(value(port.pair(MARKET, { ...all, top: 1 })))).toEqual(["p2009"]);
    expect(port.get(MARKET, "p1")).toMatchObject({ refusal: { code: "PAIRING_UNKNOWN_PROVIDER" } });
    expect(changes.map(({ type }) => type)).toEqual(["replaced"]);
    await node.stop();
  });

  it("P15c: lets requests and single changes go on between its slices", async () => {
    const { node, port } = await startService();
    const order: string[] = [];
    const loading = port.load(MARKET, many(5_000), "add").then(() => order.push("load"));
    const adding = port.add(MARKET, provider("x")).then(() => order.push("add"));
    await node.drive(Promise.all([loading, adding]));
    expect(order).toEqual(["add", "load"]);
    expect(value(port.list(MARKET)).total).toBe(5_001);
    await node.stop();
  });

  it("is served with the order that most requests are ranked by", async () => {
    const { node, port, book } = await startService();
    await node.drive(port.load(MARKET, many(20_000), "replace"));
    const { derived } = value(book.find(MARKET)).store.index;
    expect(derived.isMaking).toBe(false);
    expect([...derived.orders]).toHaveLength(1);
    await node.stop();
  });

  it("is refused when it is larger than any market, and stops at the size of its own", async () => {
    const { node, port } = await startService({ maxLoad: 5, maxProviders: 3 });
    expect(await port.load(MARKET, many(6), "add")).toMatchObject({
      refusal: {
        code: "PAIRING_TOO_MANY",
        message: "6 providers in one call, at most 5 are taken",
      },
    });
    const report = value(await node.drive(port.load(MARKET, many(5), "add")));
    expect(report.accepted).toBe(3);
    expect(report.rejected[0]).toEqual({ index: 3, error: "the market is full: 3 providers" });
    await node.stop();
  });
});

describe("the directory", () => {
  it("makes what requests have asked for, between them", async () => {
    const { node, port, book } = await startService();
    await node.drive(port.load(MARKET, many(500), "add"));
    const { derived } = value(book.find(MARKET)).store.index;
    derived.pace = { first: 0, match: 0 };
    const best = () => addresses(value(port.pair(MARKET, { ...all, explain: true, top: 2 })));
    expect(best()).toEqual(["p499", "p498"]);
    expect([derived.isMaking, ...derived.orders]).toEqual([true]);
    await node.advance(1_000);
    expect([derived.isMaking, [...derived.orders].length]).toEqual([false, 1]);
    expect(best()).toEqual(["p499", "p498"]);
    await node.stop();
  });

  it("adds, replaces and removes single providers, and tells whoever keeps them", async () => {
    const { node, port, changes } = await startService();
    await node.drive(port.add(MARKET, { address: "a", stake: 5, location: "US" }));
    await node.drive(port.add(MARKET, { address: "a", stake: 6, location: "EU" }));
    expect(value(port.locations(MARKET))).toEqual({ EU: 1 });
    expect(await node.drive(port.add(MARKET, { address: "b", stake: -5, location: "" }))).toEqual({
      ok: false,
      refusal: {
        code: "PAIRING_BAD_INPUT",
        message: "provider stake cannot be negative",
        faults: [
          { path: "stake", message: "provider stake cannot be negative" },
          { path: "location", message: "provider location cannot be empty" },
        ],
      },
    });
    expect(value(await node.drive(port.remove(MARKET, "a"))).stake).toBe(6n);
    expect(await node.drive(port.remove(MARKET, "a"))).toMatchObject({
      refusal: { code: "PAIRING_UNKNOWN_PROVIDER" },
    });
    expect(changes.map(({ type }) => type)).toEqual(["put", "put", "removed"]);
    await node.stop();
  });

  it("changes weights at once, and says which are wrong", async () => {
    const { node, port } = await startService();
    await node.drive(
      port.load(
        MARKET,
        [provider("rich", 9_000_000), provider("poor", 1, { location: "EU" })],
        "add",
      ),
    );
    const best = () =>
      addresses(
        value(port.pair(MARKET, { policy: policy({ requiredLocation: "EU", relaxed: true }) })),
      )[0];
    expect(best()).toBe("rich");
    const weights = { stake: 0, location: 1 };
    const changed = value(await node.drive(port.setWeights(MARKET, "pairing", weights)));
    expect(changed.scorers).toEqual({ features: 0.3, location: 1, stake: 0 });
    expect(best()).toBe("poor");
    expect(
      await node.drive(port.setWeights(MARKET, "pairing", { nobody: 1, stake: -1 })),
    ).toMatchObject({
      refusal: {
        faults: [
          { path: "weights.nobody", message: "scorer nobody not found" },
          { path: "weights.stake" },
        ],
      },
    });
    expect(await node.drive(port.setWeights(MARKET, "none", {}))).toMatchObject({
      refusal: { code: "PAIRING_UNKNOWN_PROFILE" },
    });
    await node.stop();
  });

  it("serves nobody before a market has back what was kept of it, and tries again", async () => {
    let tries = 0;
    const { node, port, events, book } = await startService({
      restore: async (_market, put) => {
        tries++;
        put(many(3));
        if (tries === 1) throw new Error("disk away");
        return { version: undefined, weights: [] };
      },
    });
    await node.settle();
    expect(port.pair(MARKET, all)).toMatchObject({ refusal: { code: "PAIRING_UNAVAILABLE" } });
    expect(events[0]).toMatchObject({ name: "pairing.restore.failed", fields: { market: MARKET } });
    await node.advance(1_000);
    expect(value(port.pair(MARKET, all)).filteredCount).toBe(3);
    // A directory that comes back finds the market filled.
    node.inspector.exit(directoryKey().name, "kill");
    await node.settle();
    expect([tries, value(book.find(MARKET)).store.size]).toEqual([2, 3]);
    await node.stop();
  });

  it("scores by kept weights, and says which do not fit any more", async () => {
    const weights = [
      { profile: "pairing", weights: { stake: 0.9, gone: 1 } },
      { profile: "pairing-strict", weights: { stake: 0.1 } },
    ];
    const { node, port, events } = await startService({
      restore: async () => ({ version: undefined, weights }),
    });
    await node.settle();
    const scorers = value(port.scoring(MARKET)).map((one) => one.scorers);
    expect(scorers.slice(0, 2)).toEqual([
      { features: 0.3, location: 0.3, stake: 0.4 },
      { location: 0.4, stake: 0.1 },
    ]);
    expect(events.filter(({ name }) => name === "pairing.weights.skipped")).toMatchObject([
      {
        fields: {
          market: MARKET,
          name: "pairing",
          reason: expect.stringMatching(/gone not found/),
        },
      },
    ]);
    await node.stop();
  });

  it("begins anew with a market that it died writing", async () => {
    const { node, port, book } = await startService({
      restore: async (_market, put) => {
        put(many(4));
        return { version: undefined, weights: [] };
      },
    });
    await node.settle();
    await node.drive(port.remove(MARKET, "p1"));
    expect(() =>
      book.write(() => {
        throw new Error("a bug");
      }),
    ).toThrow("a bug");
    node.inspector.exit(directoryKey().name, "kill");
    await node.settle();
    expect(value(port.list(MARKET)).total).toBe(4);
    await node.stop();
  });

  it("begins its counts anew when it is told to", async () => {
    const { node, port } = await startService();
    await node.drive(port.load(MARKET, many(3), "add"));
    value(port.pair(MARKET, all));
    value(port.pair(MARKET, all));
    await node.drive(port.enqueue(MARKET, [all]));
    await node.settle();
    const before = value(await node.drive(port.stats()));
    expect(before.markets[MARKET]).toMatchObject({ total_processed: 3, total_cache_hits: 2 });
    expect(value(await node.drive(port.resetStats()))).toBe("reset");
    const after = value(await node.drive(port.stats()));
    expect(after).toMatchObject({ total_processed: 0, results_buffer_size: 0 });
    expect(after.markets[MARKET]).toMatchObject({
      total_processed: 0,
      total_cache_hits: 0,
      average_process_time: 0,
      cache_stats: { hits: 0, misses: 0, size: 0 },
    });
    await node.stop();
  });

  it("says why somebody is not among the picks, by every filter that refuses", async () => {
    const { node, port } = await startService();
    await node.drive(port.load(MARKET, [provider("a", 5), provider("b", 50)], "add"));
    const wanted = { policy: policy({ requiredLocation: "EU", minStake: 10n }) };
    const why = value(port.why(MARKET, wanted, "a"));
    expect(why.refusals.map(({ filter }) => filter)).toEqual(["location", "stake"]);
    expect(value(port.why(MARKET, all, "b"))).toMatchObject({ isPicked: true, rank: 1 });
    expect(value(port.why(MARKET, all, "z"))).toMatchObject({ inMarket: false });
    expect(value(port.filterStats(MARKET, wanted.policy))).toEqual({
      initial: 2,
      LocationFilter: 0,
      FeatureFilter: 0,
      StakeFilter: 0,
    });
    expect(value(port.scoringStats(MARKET, all.policy)).count).toBe(2);
    expect(value(port.scoring(MARKET)).map(({ name }) => name)).toContain("pairing-strict");
    await node.stop();
  });

  it("gives many results in the order of their requests, and takes no more than it may", async () => {
    const { node, port } = await startService({ maxBatch: 3 });
    await node.drive(port.load(MARKET, many(20), "add"));
    const asked = [1n, 15n, 99n].map((minStake) => ({ policy: policy({ minStake }) }));
    const { results } = value(await port.batch(MARKET, asked));
    expect(results.map((result) => result?.filteredCount)).toEqual([19, 5, 0]);
    for (const call of [port.batch, port.enqueue]) {
      expect(await call(MARKET, [...asked, all])).toMatchObject({
        refusal: { code: "PAIRING_TOO_MANY" },
      });
    }
    await node.stop();
  });
});

describe("what the directory tells once a second", () => {
  it("names rebuilt orders, a match, failing scorers, full dictionaries, rankings that went", async () => {
    const { node, port, book, events } = await startService({ capacity: 1 });
    await node.drive(port.load(MARKET, many(200), "add"));
    const market = value(book.find(MARKET));
    const scorer = {
      name: "odd",
      description: "",
      bind: () => {
        throw new Error("never");
      },
    };
    market.profiles.composites.get("pairing")?.add("odd", scorer, 1);
    const places = Array.from({ length: 257 }, (_, i) =>
      provider(`at${i}`, 1, { location: `L${i}` }),
    );
    const report = value(await node.drive(port.load(MARKET, places, "add")));
    expect(report.rejectedCount).toBe(2);
    for (const top of [1, 2, 3]) market.answer({ policy: policy(), top });
    events.length = 0;
    await node.advance(1_000);
    const told = Object.fromEntries(events.map(({ name, fields }) => [name, fields]));
    expect(told).toEqual({
      "pairing.cache.evict": { count: 2, limit: 1 },
      "matching.match.stop": {
        market: MARKET,
        foundBy: "rank",
        considered: 455,
        left: 455,
        picks: 3,
        us: 0,
      },
      "matching.rank.rebuilt": { market: MARKET, count: 1, entries: 455 },
      "matching.scorer.failed": { market: MARKET, scorer: "odd", count: 6 },
      "matching.dictionary.full": { market: MARKET, kind: "location", count: 2 },
    });
    events.length = 0;
    await node.advance(3_000);
    expect(events).toEqual([]);
    await node.stop();
  });
});
