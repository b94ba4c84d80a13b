import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { STRATEGIES, type StrategyName } from "../../../config/schema.ts";
import { rank } from "../../../src/rpc/selection/rank.ts";
import type { RoutingSnapshot, SelectionDemand } from "../../../src/rpc/selection/snapshot.ts";
import { createSelectionMemory, takeSwitches } from "../../../src/rpc/selection/sticky.ts";
import { strategyNamed } from "../../../src/rpc/selection/strategies/registry.ts";
import { snapshotOf, type Told } from "./world.ts";

const order = (
  snapshot: RoutingSnapshot,
  strategy?: StrategyName,
  demand: Partial<SelectionDemand> = {},
): string[] =>
  rank(snapshot, { method: "eth_call", strategy, ...demand }).candidates.map(
    ({ view }) => view.provider,
  );

const firstOf = (snapshot: RoutingSnapshot, strategy: StrategyName): string =>
  order(snapshot, strategy)[0] ?? "";

describe("strategy names", () => {
  it("are known with their aliases and with underscores", () => {
    for (const name of STRATEGIES) expect(strategyNamed(name)).toBe(name);
    expect(strategyNamed("latency")).toBe("fastest");
    expect(strategyNamed("latency_based")).toBe("latency-weighted");
    expect(strategyNamed("round_robin")).toBe("round-robin");
    expect(strategyNamed("price-optimised")).toBe("cheapest");
    expect(strategyNamed("latency_weighted")).toBe("latency-weighted");
    expect(strategyNamed("toString")).toBeUndefined();
    expect(strategyNamed("best")).toBeUndefined();
  });
});

describe("leaderboard", () => {
  it("puts the better racer first, other things being equal", () => {
    expect(order(snapshotOf({ a: { pace: 0.3 }, b: { pace: 0.9 }, c: { pace: 0.6 } }))).toEqual([
      "b",
      "c",
      "a",
    ]);
  });

  it("weighs reliability, latency and freshness too", () => {
    const snapshot = snapshotOf({
      lagging: { lag: 3 },
      slow: { call: { p50Ms: 900 } },
      shaky: { call: { reliabilityLb: 0.81 } },
      good: {},
    });
    expect(firstOf(snapshot, "leaderboard")).toBe("good");
  });

  it("is the pure race when the weights say so", () => {
    const weights = { race: 1, reliability: 0, latency: 0, freshness: 0 };
    const snapshot = snapshotOf(
      { a: { pace: 0.8, call: { p50Ms: 5_000, reliabilityLb: 0.8 } }, b: { pace: 0.79 } },
      { rules: { weights } },
    );
    expect(firstOf(snapshot, "leaderboard")).toBe("a");
  });

  it("counts a provider that cannot race as the median, not as the worst", () => {
    const snapshot = snapshotOf({
      a: { pace: 0.2 },
      aHttpOnly: {},
      b: { pace: 0.9 },
      c: { pace: 0.4 },
    });
    expect(order(snapshot)).toEqual(["b", "aHttpOnly", "c", "a"]);
  });

  it("follows Livechain's score under formula livechain", () => {
    const told = { a: { pace: 0.9, raceScore: 0.5 }, b: { pace: 0.5, raceScore: 3 } };
    expect(firstOf(snapshotOf(told), "leaderboard")).toBe("a");
    expect(firstOf(snapshotOf(told, { rules: { formula: "livechain" } }), "leaderboard")).toBe("b");
  });

  it("breaks ties by priority, then by id", () => {
    expect(order(snapshotOf({ z: { priority: 1 }, b: {}, a: {} }))).toEqual(["z", "a", "b"]);
  });
});

describe("a provider without evidence", () => {
  const evidence = ["leaderboard", "fastest", "latency-weighted", "hybrid"] as const;

  it("is never rank 1 while a qualified one exists, and never invisible", () => {
    const told: fc.Arbitrary<Told> = fc.record({
      pace: fc.double({ min: 0, max: 0.99, noNaN: true }),
      price: fc.nat(50),
      priority: fc.nat(5),
      call: fc.oneof(
        fc.constant<false>(false),
        fc.record({ n: fc.nat(30), reliabilityLb: fc.constantFrom(0.5, 0.9), p50Ms: fc.nat(500) }),
      ),
    });
    fc.assert(
      fc.property(fc.array(told, { minLength: 1, maxLength: 12 }), fc.nat(), (list, seed) => {
        const snapshot = snapshotOf(Object.fromEntries(list.map((one, i) => [`p${i}`, one])));
        for (const strategy of evidence) {
          const { candidates } = rank(snapshot, { method: "eth_call", strategy, seed });
          expect(candidates).toHaveLength(list.length);
          const hasQualified = candidates.some(({ tier }) => tier === "qualified");
          if (hasQualified) expect(candidates[0]?.tier).toBe("qualified");
        }
      }),
    );
  });

  it("leads where nobody is known, by priority", () => {
    const snapshot = snapshotOf({ a: { call: false }, b: { call: false, priority: 1 } });
    for (const strategy of evidence) {
      if (strategy !== "latency-weighted") expect(firstOf(snapshot, strategy)).toBe("b");
    }
  });

  it("keeps its place in the operator's own orders", () => {
    const snapshot = snapshotOf({ a: { priority: 2 }, b: { call: false, priority: 1, price: 0 } });
    expect(firstOf(snapshot, "priority")).toBe("b");
  });

  it("is judged by its whole record where the method itself is rare", () => {
    const base = snapshotOf({ a: { call: { p50Ms: 80 } }, b: {} });
    const endpoints = base.endpoints.map((view) => {
      if (view.provider !== "b") return view;
      const all = view.calls.get("http", undefined);
      return {
        ...view,
        calls: { get: (_: unknown, method?: string) => (method === undefined ? all : undefined) },
      };
    });
    const { candidates } = rank({ ...base, endpoints }, { method: "eth_rare" });
    expect(candidates.every(({ tier }) => tier === "qualified")).toBe(true);
  });
});

describe("fastest", () => {
  it("works with three good providers of ordinary win rates", () => {
    const snapshot = snapshotOf({
      a: { call: { p50Ms: 80 } },
      b: { call: { p50Ms: 20 } },
      c: { call: { p50Ms: 40 } },
    });
    expect(order(snapshot, "fastest")).toEqual(["b", "c", "a"]);
    expect(rank(snapshot, { method: "eth_call", strategy: "fastest" }).fallback).toBeUndefined();
  });

  it("tells medians within 5 % apart by their tails", () => {
    const snapshot = snapshotOf({
      a: { call: { p50Ms: 100, q95Ms: 900 } },
      b: { call: { p50Ms: 104, q95Ms: 150 } },
      c: { call: { p50Ms: 106, q95Ms: 110 } },
    });
    expect(order(snapshot, "fastest")).toEqual(["b", "a", "c"]);
  });

  it("falls back to priority without a qualified provider, and says so", () => {
    const snapshot = snapshotOf({
      a: { call: { n: 2, p50Ms: 1 }, priority: 9 },
      b: { call: { n: 3, p50Ms: 50 }, priority: 1 },
    });
    const ranking = rank(snapshot, { method: "eth_call", strategy: "fastest" });
    expect(ranking.candidates[0]?.view.provider).toBe("b");
    expect(ranking.fallback).toBe("no_qualified");
  });
});

describe("latency-weighted", () => {
  it("prefers the faster by the cube of the ratio, and repeats itself for a seed", () => {
    const snapshot = snapshotOf({ fast: { call: { p50Ms: 50 } }, slow: { call: { p50Ms: 100 } } });
    let fast = 0;
    for (let seed = 0; seed < 9_000; seed++) {
      const [first] = order(snapshot, "latency-weighted", { seed });
      expect(order(snapshot, "latency-weighted", { seed })[0]).toBe(first);
      if (first === "fast") fast++;
    }
    expect(fast / 9_000).toBeGreaterThan(8 / 9 - 0.02);
    expect(fast / 9_000).toBeLessThan(8 / 9 + 0.02);
  });

  it("takes fractions of one as seeds too", () => {
    const snapshot = snapshotOf({ a: {}, b: {} });
    const firsts = [0.1, 0.3, 0.5, 0.7, 0.9, 0.21, 0.42, 0.63].map(
      (seed) => order(snapshot, "latency-weighted", { seed })[0],
    );
    expect(new Set(firsts).size).toBe(2);
  });

  it("shuffles the unmeasured behind the measured", () => {
    const unmeasured = { call: { p50Ms: undefined, meanMs: undefined } };
    const snapshot = snapshotOf({ u: unmeasured, v: unmeasured, m: { call: { p50Ms: 9_000 } } });
    const orders = new Set(
      Array.from({ length: 50 }, (_, seed) =>
        order(snapshot, "latency-weighted", { seed }).join(""),
      ),
    );
    expect(orders).toEqual(new Set(["muv", "mvu"]));
  });
});

describe("cheapest", () => {
  it("goes by the price of the method, public before paid", () => {
    const cost = { pricePerMillionUnits: 1, defaultUnits: 1, unitsByMethod: { eth_getLogs: 75 } };
    const snapshot = snapshotOf({
      heavy: { cost },
      flat: { price: 20 },
      free: { price: 0, type: "public" },
      gift: { price: 0, type: "paid" },
    });
    expect(order(snapshot, "cheapest")).toEqual(["free", "gift", "heavy", "flat"]);
    expect(order(snapshot, "cheapest", { method: "eth_getLogs" })).toEqual([
      "free",
      "gift",
      "flat",
      "heavy",
    ]);
  });

  it("lets equal costs take turns", () => {
    const snapshot = snapshotOf({ a: { price: 1 }, b: { price: 1 }, c: { price: 2 } });
    const firsts = Array.from({ length: 6 }, () => order(snapshot, "cheapest")[0]);
    expect(firsts).toEqual(["a", "b", "a", "b", "a", "b"]);
  });

  it("leaves out what costs more than the demand allows", () => {
    const snapshot = snapshotOf({ a: { price: 5 }, b: { price: 10 } });
    const ranking = rank(snapshot, { method: "eth_call", maxCost: 7 });
    expect(ranking.candidates.map(({ view }) => view.provider)).toEqual(["a"]);
    expect(ranking.excluded).toEqual([
      { provider: "b", transport: undefined, rule: "max_cost", value: 10, limit: 7 },
    ]);
  });
});

describe("priority", () => {
  it("takes the lowest number first and lets equals take turns", () => {
    const snapshot = snapshotOf({ a: { priority: 2 }, b: { priority: 1 }, c: { priority: 1 } });
    expect([1, 2, 3].map(() => order(snapshot, "priority").join(""))).toEqual([
      "bca",
      "cba",
      "bca",
    ]);
  });
});

describe("round-robin", () => {
  it("gives everybody the same share, also when the set changes", () => {
    const memory = createSelectionMemory();
    const all = snapshotOf({ a: {}, b: {}, c: {} }, { memory });
    const less = { ...all, endpoints: all.endpoints.slice(0, 2), cache: new Map() };
    const counts = new Map<string, number>();
    const draw = (snapshot: RoutingSnapshot, times: number): void => {
      for (let i = 0; i < times; i++) {
        const first = firstOf(snapshot, "round-robin");
        counts.set(first, (counts.get(first) ?? 0) + 1);
      }
    };
    draw(all, 300);
    expect([...counts.values()]).toEqual([100, 100, 100]);
    draw(less, 100);
    draw({ ...all, cache: new Map() }, 300);
    expect(counts.get("c")).toBe(200);
    expect(Math.abs((counts.get("a") ?? 0) - (counts.get("b") ?? 0))).toBeLessThanOrEqual(1);
  });

  it("follows weights smoothly: never two turns of the light one between few of the heavy", () => {
    const snapshot = snapshotOf({ a: { weight: 3 }, b: { weight: 1 } });
    const firsts = Array.from({ length: 8 }, () => firstOf(snapshot, "round-robin")).join("");
    expect(firsts).toBe("aabaaaba");
  });

  it("gives a provider with two transports one turn, not two", () => {
    const snapshot = snapshotOf({ a: { ws: {} }, b: {} });
    const firsts = Array.from({ length: 6 }, () => firstOf(snapshot, "round-robin"));
    expect(firsts.filter((first) => first === "a")).toHaveLength(3);
  });
});

describe("hybrid", () => {
  it("moves from score to price with the bias", () => {
    const told = { good: { pace: 0.9, price: 100 }, cheap: { pace: 0.5, price: 1 } };
    expect(firstOf(snapshotOf(told, { rules: { costBias: 0 } }), "hybrid")).toBe("good");
    expect(firstOf(snapshotOf(told, { rules: { costBias: 1 } }), "hybrid")).toBe("cheap");
  });
});

describe("a sticky primary", () => {
  const at = (memory: ReturnType<typeof createSelectionMemory>, builtAtMs: number, b: Told) =>
    snapshotOf({ a: { pace: 0.5 }, b }, { memory, builtAtMs });
  const pure = { race: 1, reliability: 0, latency: 0, freshness: 0 };

  it("stays until a challenger is 30 % better and the last change is 30 s ago", () => {
    const memory = createSelectionMemory();
    const show = (builtAtMs: number, pace: number): string => {
      const snapshot = at(memory, builtAtMs, { pace });
      return firstOf({ ...snapshot, rules: { ...snapshot.rules, weights: pure } }, "leaderboard");
    };
    expect(show(0, 0.4)).toBe("a");
    expect(show(100_000, 0.64)).toBe("a");
    expect(show(101_000, 0.66)).toBe("b");
    expect(takeSwitches(memory)).toEqual([
      { key: "leaderboard/any/read", from: "a", to: "b", atMs: 101_000 },
    ]);
    expect(show(102_000, 0.1)).toBe("b");
    expect(show(130_999, 0.1)).toBe("b");
    expect(show(131_000, 0.1)).toBe("a");
  });

  it("gives way at once when it is open, limited, behind or excluded", () => {
    for (const unwell of [
      { http: { state: "open" } },
      { http: { cooldownUntilMs: 200_000 } },
      { lag: 50 },
      { http: { isUsable: false } },
    ] as const) {
      const memory = createSelectionMemory();
      expect(firstOf(at(memory, 0, { pace: 0.9 }), "leaderboard")).toBe("b");
      expect(firstOf(at(memory, 100_000, { pace: 0.9, ...unwell }), "leaderboard")).toBe("a");
    }
  });

  it("is held for each strategy and class of methods on its own", () => {
    const memory = createSelectionMemory();
    order(at(memory, 0, { pace: 0.9 }), "leaderboard");
    order(at(memory, 0, { pace: 0.1 }), "leaderboard", { method: "eth_getLogs" });
    expect([...memory.sticky].map(([key, { provider }]) => [key, provider])).toEqual([
      ["leaderboard/any/read", "b"],
      ["leaderboard/any/logs", "a"],
    ]);
  });
});
