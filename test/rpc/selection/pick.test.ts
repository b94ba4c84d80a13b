import fc from "fast-check";
import type { StrategyName } from "../../../config/schema.ts";
import { strategies } from "../../../src/rpc/selection/strategies/registry.ts";
import { describe, expect, it } from "vitest";
import { explorationTarget } from "../../../src/rpc/selection/exploration.ts";
import {
  createPanicGate,
  firstUsable,
  lastResort,
  pickProvider,
  TriedSet,
} from "../../../src/rpc/selection/pick.ts";
import { rangeDemand } from "../../../src/rpc/selection/filters.ts";
import { rank } from "../../../src/rpc/selection/rank.ts";
import type { RoutingSnapshot, SelectionDemand } from "../../../src/rpc/selection/snapshot.ts";
import { snapshotOf, type Told } from "./world.ts";

const ranked = (snapshot: RoutingSnapshot, demand: Partial<SelectionDemand> = {}) =>
  rank(snapshot, { method: "eth_call", ...demand });
const names = (snapshot: RoutingSnapshot, demand: Partial<SelectionDemand> = {}): string[] =>
  ranked(snapshot, demand).candidates.map(({ view }) => view.provider);

describe("hard filters", () => {
  it("never relax and each names its reason", () => {
    const snapshot = snapshotOf({
      wsOnly: { http: false, ws: {} },
      cordoned: { http: { isUsable: false, unusableReason: "wrong chain" } },
      lacking: { unsupported: new Set(["eth_call"]) },
      shallow: {},
      excluded: { archival: true },
      ok: { archival: true },
    });
    const { candidates, excluded } = ranked(snapshot, {
      transport: "http",
      needsArchive: true,
      exclude: ["excluded"],
    });
    expect(candidates.map(({ view }) => view.provider)).toEqual(["ok"]);
    const rules = Object.fromEntries(excluded.map(({ provider, rule }) => [provider, rule]));
    expect(rules).toEqual({
      wsOnly: "archive",
      cordoned: "archive",
      lacking: "method_unsupported",
      shallow: "archive",
      excluded: "excluded",
    });
    const plain = ranked(snapshot, { transport: "http" }).excluded;
    expect(plain.map(({ provider, rule }) => [provider, rule])).toEqual([
      ["wsOnly", "transport"],
      ["cordoned", "cordoned"],
      ["lacking", "method_unsupported"],
    ]);
  });

  it("let a provider with one transport serve that one, and either by default", () => {
    const snapshot = snapshotOf({ h: {}, w: { http: false, ws: {} }, both: { ws: {} } });
    expect(names(snapshot, { transport: "http" }).toSorted()).toEqual(["both", "h"]);
    expect(names(snapshot, { transport: "ws" }).toSorted()).toEqual(["both", "w"]);
    expect(new Set(names(snapshot))).toEqual(new Set(["h", "w", "both"]));
  });

  it("leave out who serves shorter ranges of logs than are asked for", () => {
    const snapshot = snapshotOf({
      a: { maxBlockRange: 1_000 },
      b: {},
      c: { maxBlockRange: 5_000 },
    });
    const ask = (blockRange: number) =>
      names(snapshot, { method: "eth_getLogs", blockRange }).toSorted();
    expect([ask(1_000), ask(1_001), ask(9_000)]).toEqual([["a", "b", "c"], ["b", "c"], ["b"]]);
  });

  it("keep a demand to one provider, by id or by tag", () => {
    const snapshot = snapshotOf({ a: { tags: ["eu"] }, b: {}, c: { tags: ["eu"] } });
    expect(names(snapshot, { provider: "b" })).toEqual(["b"]);
    expect(names(snapshot, { provider: "eu" })).toEqual(["a", "c"]);
    expect(names(snapshot, { provider: "nobody" })).toEqual([]);
  });
});

describe("health filters", () => {
  it("relax in order: lag, unknown head, failure ratio", () => {
    const snapshot = snapshotOf({
      failing: { call: { failureRatio: 0.9, reliabilityLb: 0.05 } },
      behind: { lag: 4 },
      headless: { lag: undefined, head: -1 },
      well: { pace: 0.01, call: { p50Ms: 5_000 } },
    });
    expect(names(snapshot)).toEqual(["well", "behind", "headless", "failing"]);
  });

  it("never put first who has reported no head while another one has", () => {
    const told: Record<string, Told> = {
      headless: { lag: undefined, head: -1, pace: 0.99 },
      behind: { lag: 40, pace: 0.01 },
    };
    for (const strategy of Object.keys(strategies) as StrategyName[]) {
      const snapshot = snapshotOf(told, { rules: { strategy } });
      expect([strategy, names(snapshot)[0]]).toEqual([strategy, "behind"]);
    }
  });

  it("send a head far above the tip behind, so that a wrong number never leads", () => {
    const snapshot = snapshotOf({ a: { head: 10_100, lag: 0, pace: 0.99 }, b: { pace: 0.01 } });
    expect(names(snapshot)).toEqual(["b", "a"]);
  });

  it("say nothing of heads before there is a tip", () => {
    const snapshot = snapshotOf({ a: { lag: undefined, head: -1 } }, { tip: -1 });
    expect(ranked(snapshot).candidates[0]?.relaxed).toEqual([]);
  });

  it("use backups only when fewer primaries than min_healthy are well", () => {
    const told: Record<string, Told> = {
      spare: { role: "backup", pace: 0.99 },
      a: { pace: 0.01 },
      b: { pace: 0.02, http: { state: "open" } },
    };
    expect(names(snapshotOf(told))[0]).toBe("a");
    expect(names(snapshotOf(told, { rules: { minHealthy: 2 } }))[0]).toBe("spare");
    const sick = { ...told, a: { lag: 99 } };
    expect(names(snapshotOf(sick))[0]).toBe("spare");
  });

  it("order qualified, unknown, degraded, recently limited, recovering", () => {
    const snapshot = snapshotOf({
      recovering: { http: { state: "half_open" } },
      limited: { http: { cooldownUntilMs: 99_000 } },
      degraded: { call: { reliabilityLb: 0.5 } },
      unknown: { call: false },
      qualified: {},
    });
    expect(ranked(snapshot).candidates.map(({ tier }) => tier)).toEqual([
      "qualified",
      "unknown",
      "degraded",
      "limited",
      "recovering",
    ]);
  });
});

describe("the first usable candidate", () => {
  const snapshot = snapshotOf({ a: { pace: 0.9 }, b: { pace: 0.6 }, c: { pace: 0.3 } });
  const ranking = ranked(snapshot);
  const row = (id: string) => {
    const found = ranking.candidates.find(({ view }) => view.provider === id);
    if (found === undefined) throw new Error(id);
    return found.row;
  };
  const first = (nowMs = 0, tried?: TriedSet, minHead?: number) =>
    firstUsable(ranking, nowMs, tried, minHead)?.view.provider;

  it("reads breaker, cooldown, suspicion and head from the row at that moment", () => {
    expect(first()).toBe("a");
    row("a").state = "open";
    expect(first()).toBe("b");
    row("b").cooldownUntilMs = 50;
    expect([first(49), first(50)]).toEqual(["c", "b"]);
    row("b").suspect = true;
    expect(first(50)).toBe("c");
    row("c").isUsable = false;
    expect(first(50)).toBeUndefined();
    Object.assign(row("a"), { state: "closed", head: 90 });
    Object.assign(row("b"), { suspect: false, head: 95 });
    expect(first(50, undefined, 92)).toBe("b");
    row("b").head = -1;
    expect(first(50, undefined, 92)).toBe("b");
    expect(first(50, undefined, 89)).toBe("a");
  });

  it("skips what was tried, with more than 31 providers too", () => {
    const many = snapshotOf(
      Object.fromEntries(
        Array.from({ length: 70 }, (_, i) => [`p${String(i).padStart(2, "0")}`, {}]),
      ),
    );
    const all = ranked(many);
    const tried = new TriedSet();
    const taken = new Set<string>();
    for (let i = 0; i < 70; i++) {
      const candidate = firstUsable(all, 0, tried);
      expect(candidate).toBeDefined();
      if (candidate === undefined) return;
      expect(taken.has(candidate.view.provider)).toBe(false);
      taken.add(candidate.view.provider);
      tried.add(candidate.row.index);
    }
    expect(firstUsable(all, 0, tried)).toBeUndefined();
  });
});

describe("the last resort", () => {
  it("is the endpoint whose cooldown ends first, then one panic call a second to the nearest open", () => {
    const gate = createPanicGate();
    const resting = ranked(
      snapshotOf({
        a: { http: { cooldownUntilMs: 9_000 } },
        b: { http: { cooldownUntilMs: 5_000 } },
        c: { http: { state: "open" } },
      }),
    );
    expect(lastResort(resting, 0, gate)).toMatchObject({
      relaxed: "cooldown",
      candidate: { view: { provider: "b" } },
    });
    const open = ranked(
      snapshotOf({
        a: { http: { state: "open", openUntilMs: 9_000 } },
        b: { http: { state: "open", openUntilMs: 5_000 } },
        held: { http: { state: "open", openUntilMs: 1, forced: true } },
      }),
    );
    const admitted = [0, 1, 500, 999, 1_000, 1_500, 2_000].filter(
      (nowMs) => lastResort(open, nowMs, gate) !== undefined,
    );
    expect(admitted).toEqual([0, 1_000, 2_000]);
    expect(lastResort(open, 9_000, gate)).toMatchObject({
      relaxed: "panic",
      candidate: { view: { provider: "b" } },
    });
  });
});

describe("pickProvider", () => {
  it("gives a provider id, or an error that says who is how", () => {
    expect(pickProvider(snapshotOf({ a: {} }), "eth_call", {}, 0)).toMatchObject({
      ok: true,
      provider: "a",
    });
    const open = { http: { state: "open" } } as const;
    const snapshot = snapshotOf({ a: open, b: open, c: open, d: { http: { cooldownUntilMs: 9 } } });
    expect(pickProvider(snapshot, "eth_call", {}, 0)).toMatchObject({
      ok: false,
      code: "RPC_NO_PROVIDER",
      message: "no provider for eth_call on ethereum: 3 open, 1 rate limited",
    });
  });

  it("honours breakers, cooldowns and exclusions whatever the strategy", () => {
    const told = fc.record({
      http: fc.record({
        state: fc.constantFrom("closed" as const, "open" as const, "half_open" as const),
        cooldownUntilMs: fc.constantFrom(0, 50, 200_000),
        isUsable: fc.boolean(),
        suspect: fc.boolean(),
      }),
      lag: fc.constantFrom(0, 9, undefined),
      call: fc.constantFrom(false as const, {}, { failureRatio: 1, reliabilityLb: 0 }),
    });
    const strategies = fc.constantFrom(
      ...(["leaderboard", "fastest", "latency-weighted", "cheapest"] as const),
      ...(["priority", "round-robin", "hybrid"] as const),
    );
    fc.assert(
      fc.property(
        fc.array(told, { maxLength: 8 }),
        strategies,
        fc.nat(),
        (list, strategy, seed) => {
          const snapshot = snapshotOf(Object.fromEntries(list.map((one, i) => [`p${i}`, one])));
          const picked = pickProvider(
            snapshot,
            "eth_call",
            { strategy, exclude: ["p0"], seed },
            100,
          );
          const usable = list.filter(
            ({ http }, i) =>
              i > 0 &&
              http.state === "closed" &&
              http.isUsable &&
              !http.suspect &&
              http.cooldownUntilMs <= 100,
          );
          expect(picked.ok).toBe(usable.length > 0);
          if (picked.ok) {
            const { state, cooldownUntilMs } = picked.candidate.row;
            expect(picked.provider).not.toBe("p0");
            expect([state, cooldownUntilMs <= 100]).toEqual(["closed", true]);
          }
        },
      ),
    );
  });

  it("is deterministic: the same snapshot and seed give the same ranking, cached or not", () => {
    const snapshot = snapshotOf({ a: { pace: 0.5 }, b: { pace: 0.7 }, c: { call: false } });
    const cached = ranked(snapshot);
    expect(ranked(snapshot)).toBe(cached);
    const anew = ranked({ ...snapshot, cache: new Map() });
    expect(anew).toEqual(cached);
  });

  it("bounds the rankings it keeps, whatever names clients invent", () => {
    const snapshot = snapshotOf({ a: {} });
    for (let i = 0; i < 5_000; i++) ranked(snapshot, { method: `m${i}` });
    expect(snapshot.cache.size).toBeLessThanOrEqual(256);
  });
});

describe("a range of blocks", () => {
  it("is no demand while nobody limits it, so that such calls share one ranking", () => {
    const free = snapshotOf({ a: { maxBlockRange: 100 }, b: {} });
    expect(rangeDemand(free, 100)).toBeUndefined();
    expect(rangeDemand(free, 101)).toBe(101);
    const blockRange = rangeDemand(free, 100);
    expect(ranked(free, { blockRange })).toBe(ranked(free));
    expect(ranked(free, { blockRange: 101 }).excluded).toMatchObject([
      { provider: "a", rule: "block_range", value: 101, limit: 100 },
    ]);
  });
});

describe("exploration", () => {
  it("copies reads to whom nobody knows or who is set back, never to whom it must not", () => {
    const snapshot = snapshotOf({
      known: {},
      fresh: { call: false },
      some: { call: { n: 4 } },
      cordoned: { call: false, http: { isUsable: false } },
      open: { call: false, http: { state: "open" } },
      resting: { call: false, http: { cooldownUntilMs: 9_000 } },
      optedOut: { call: false, mayProbe: false },
    });
    const target = explorationTarget(snapshot, { method: "eth_call" }, 0);
    expect(target?.view.provider).toBe("fresh");
    const all = snapshotOf({ known: {} });
    expect(explorationTarget(all, { method: "eth_call" }, 0)).toBeUndefined();
  });
});
