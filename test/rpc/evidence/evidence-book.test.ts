import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EvidenceBook } from "../../../src/rpc/evidence/evidence-book.ts";
import { race } from "./races.ts";

const H = 600_000;
const book = (options: Partial<ConstructorParameters<typeof EvidenceBook>[0]> = {}) =>
  new EvidenceBook({ chain: "ethereum", ...options });

const calls = (evidence: EvidenceBook, times: number, nowMs = 0, durationMs = 50): void => {
  for (let i = 0; i < times; i++) {
    evidence.recordCall("a", "http", "eth_call", "ok", durationMs, nowMs);
  }
};

describe("race evidence", () => {
  it("counts wins, losses with their margins, and misses", () => {
    const evidence = book();
    evidence.recordRaces([race({ missed: ["c"] }), race(), race({ winner: "b", losers: [] })], 0);
    evidence.recordRaces([race({ losers: [{ provider: "b", marginMs: 150 }] })], 0);
    expect(evidence.raceSummary("a", 0)).toMatchObject({ wins: 3, races: 3, winRate: 1 });
    expect(evidence.raceSummary("b", 0)).toMatchObject({ wins: 1, races: 4, winRate: 0.25 });
    expect(evidence.raceSummary("b", 0).avgMarginMs).toBeCloseTo(250 / 3);
    expect(evidence.raceSummary("c", 0)).toMatchObject({ wins: 0, races: 1, missRate: 1 });
  });

  it("does not average wins into the margin, nor misses", () => {
    const evidence = book();
    evidence.recordRaces(
      [race(), race({ winner: "b", losers: [{ provider: "a", marginMs: 9 }] })],
      0,
    );
    evidence.recordRaces([race({ winner: "a", losers: [], missed: ["b"] })], 0);
    expect(evidence.raceSummary("b", 0).avgMarginMs).toBe(50);
  });

  it("lets the score of a silent provider fall", () => {
    const evidence = book();
    for (let i = 0; i < 20; i++) evidence.recordRaces([race()], i);
    const before = evidence.raceSummary("b", 20).paceScore ?? 0;
    for (let i = 0; i < 20; i++) {
      evidence.recordRaces([race({ losers: [{ provider: "c", marginMs: 9 }], missed: ["b"] })], 20);
    }
    expect(evidence.raceSummary("b", 20).paceScore).toBeLessThan(before);
  });

  it("earns nothing for an uncorroborated event but a note of misbehaviour", () => {
    const evidence = book();
    const alone = { losers: [], neutral: ["b"], isCorroborated: false, isSuspicious: true };
    evidence.recordRaces([race(alone)], 0);
    const [entry] = evidence.leaderboard(0);
    expect(entry).toMatchObject({ provider: "a", races: 0, score: 0, misbehaviour: 1 });
    expect(evidence.raceSummary("a", 0).paceScore).toBeUndefined();
  });

  it("weighs heads .6 and logs .4, pending not at all, and renormalises", () => {
    const evidence = book();
    evidence.recordRaces([race({ event: "newHeads" })], 0);
    const headsOnly = evidence.raceSummary("b", 0).paceScore ?? 0;
    evidence.recordRaces([race({ event: "newPendingTransactions", losers: [], missed: ["b"] })], 0);
    expect(evidence.raceSummary("b", 0).paceScore).toBe(headsOnly);
    evidence.recordRaces([race({ event: "logs", losers: [], missed: ["b"] })], 0);
    expect(evidence.raceSummary("b", 0).paceScore).toBeCloseTo(0.6 * headsOnly);
  });

  it("halves the weight of a race in ten minutes", () => {
    const evidence = book();
    for (let i = 0; i < 100; i++) evidence.recordRaces([race()], 0);
    for (let i = 0; i < 50; i++) {
      evidence.recordRaces([race({ winner: "b", losers: [{ provider: "a", marginMs: 0 }] })], H);
    }
    // 50 decayed losses at credit 2/3 and 50 wins: p = 5/6, N = 100.
    expect(evidence.raceSummary("b", H).paceScore).toBeCloseTo(0.78, 1);
    const later = evidence.raceSummary("b", 20 * H).paceScore ?? 1;
    expect(later).toBeLessThan(0.01);
  });

  it("ranks the leaderboard by either formula, best first, ties by id", () => {
    const evidence = book();
    const tied = race({ winner: "z", losers: [{ provider: "y", marginMs: 0 }] });
    evidence.recordRaces(
      [tied, race({ winner: "y", losers: [{ provider: "z", marginMs: 0 }] })],
      0,
    );
    evidence.recordRaces([race({ winner: "q", losers: [{ provider: "slow", marginMs: 900 }] })], 0);
    const ids = evidence.leaderboard(0).map(({ provider }) => provider);
    expect(ids).toEqual(["y", "z", "q", "slow"]);
    for (let i = 0; i < 9; i++) evidence.recordRaces([race({ winner: "q" })], 0);
    const [first] = evidence.leaderboard(0, "livechain");
    expect(first).toMatchObject({ provider: "q", score: 1 });
  });
});

describe("call evidence", () => {
  it("is unknown without samples, not fast", () => {
    expect(book().callsOf("a", 0).get("http", "eth_call")).toBeUndefined();
    const evidence = book();
    evidence.recordCall("a", "http", "eth_call", "transport", 1, 0);
    expect(evidence.call("a", "http", undefined, 0)).toMatchObject({ n: 1, p50Ms: undefined });
  });

  it("takes latency of successes only, within 5 %", () => {
    const evidence = book();
    for (let i = 1; i <= 1_000; i++) {
      evidence.recordCall("a", "http", "eth_call", "ok", i, 0);
      evidence.recordCall("a", "http", "eth_call", "server", 60_000, 0);
    }
    const summary = evidence.call("a", "http", "eth_call", 0);
    expect(Math.abs((summary?.p50Ms ?? 0) / 500 - 1)).toBeLessThan(0.06);
    expect(Math.abs((summary?.q95Ms ?? 0) / 950 - 1)).toBeLessThan(0.06);
    expect(Math.abs((summary?.q99Ms ?? 0) / 990 - 1)).toBeLessThan(0.06);
    expect(summary?.meanMs).toBeCloseTo(500.5);
  });

  it("keeps the q99 of the answers apart from the time that others ran into", () => {
    const evidence = book();
    for (let i = 0; i < 100; i++) evidence.recordCall("a", "http", "eth_call", "ok", 10, 0);
    for (let i = 0; i < 20; i++) evidence.recordCall("a", "http", "eth_call", "timeout", 800, 0);
    const summary = evidence.call("a", "http", "eth_call", 0);
    expect(summary?.q99Ms).toBe(800);
    expect(Math.abs((summary?.answeredQ99Ms ?? 0) / 10 - 1)).toBeLessThan(0.06);
  });

  it("does not count reverts, client errors, rate limits and cancelled calls as failures", () => {
    const evidence = book();
    const harmless = ["revert", "invalid_params", "tx_known", "rate_limit", "cancelled"] as const;
    const others = ["user", "capability", "block_unavailable", "unmatched", "empty"] as const;
    for (const errorClass of [...harmless, ...others]) {
      for (let i = 0; i < 10; i++) evidence.recordCall("a", "http", "m", errorClass, 5, 0);
    }
    const summary = evidence.call("a", "http", "m", 0) ?? evidence.call("a", "http", undefined, 0);
    expect(summary?.failureRatio).toBe(0);
    expect(summary?.n).toBeCloseTo(30);
  });

  it("reports the time limit as the 95th percentile when timeouts are frequent", () => {
    const evidence = book();
    calls(evidence, 90);
    for (let i = 0; i < 4; i++) evidence.recordCall("a", "http", "eth_call", "timeout", 4_000, 0);
    expect(evidence.call("a", "http", "eth_call", 0)?.q95Ms).toBeLessThan(60);
    for (let i = 0; i < 4; i++) evidence.recordCall("a", "http", "eth_call", "timeout", 4_000, 0);
    expect(evidence.call("a", "http", "eth_call", 0)?.q95Ms).toBe(4_000);
  });

  it("forgets latencies after five minutes and halves counts in ten", () => {
    const evidence = book();
    calls(evidence, 100);
    expect(evidence.call("a", "http", "eth_call", 299_000)?.samples).toBe(100);
    expect(evidence.call("a", "http", "eth_call", 330_000)?.samples).toBe(0);
    expect(evidence.call("a", "http", "eth_call", H)?.n).toBeCloseTo(50, 5);
  });

  it("keeps http and ws apart and sums methods up", () => {
    const evidence = book();
    calls(evidence, 10);
    evidence.recordCall("a", "ws", "eth_call", "server", 5, 0);
    evidence.recordCall("a", "http", "eth_chainId", "ok", 5, 0);
    expect(evidence.call("a", "ws", "eth_call", 0)?.failureRatio).toBe(1);
    expect(evidence.call("a", "http", undefined, 0)?.n).toBeCloseTo(11);
  });

  it("gives 64 methods a cell, the rest one together, and none to names that never worked", () => {
    const evidence = book();
    for (let i = 0; i < 5_000; i++) {
      evidence.recordCall("a", "http", `junk_${i}`, "capability", 1, 0);
    }
    expect(evidence.callMatrix(0).map(({ method }) => method)).toEqual(["_OTHER"]);
    for (let i = 0; i < 200; i++) evidence.recordCall("a", "http", `eth_${i}`, "ok", 1, 0);
    expect(evidence.callMatrix(0)).toHaveLength(65);
  });

  it("still counts right after weights have grown beyond all bounds", () => {
    const evidence = book();
    calls(evidence, 10);
    calls(evidence, 10, 600 * H);
    evidence.recordRaces([race()], 600 * H);
    expect(evidence.call("a", "http", "eth_call", 600 * H)?.n).toBeCloseTo(10, 5);
    expect(evidence.raceSummary("a", 600 * H).paceScore).toBeCloseTo(0.378, 3);
  });
});

describe("raw rows", () => {
  it("say when, who, what, how it ended and by how much", () => {
    const evidence = book();
    evidence.recordCall("a", "ws", "eth_call", "timeout", 4_000, 10);
    evidence.recordRaces([race({ missed: ["c"], ageMs: 5 })], 10);
    expect(evidence.callRows({ fromMs: 0, toMs: 99 })).toEqual([
      {
        seq: 1,
        atMs: 10,
        provider: "a",
        transport: "ws",
        method: "_OTHER",
        result: "timeout",
        durationMs: 4_000,
      },
    ]);
    expect(evidence.raceRows({ fromMs: 0, toMs: 99 })).toEqual([
      { seq: 1, atMs: 5, provider: "a", event: "newHeads", result: "win", marginMs: 0 },
      { seq: 2, atMs: 5, provider: "b", event: "newHeads", result: "loss", marginMs: 50 },
      { seq: 3, atMs: 5, provider: "c", event: "newHeads", result: "missed", marginMs: 0 },
    ]);
  });

  it("are at most 86,400 a table: the oldest go at once, and are reported", () => {
    const evidence = book();
    for (let i = 0; i < 86_410; i++) evidence.recordCall("a", "http", "eth_call", "ok", 1, i);
    expect(evidence.stats().callRows).toBe(86_400);
    expect(evidence.takeOverflow()).toEqual({ raceRows: 0, callRows: 10 });
    expect(evidence.takeOverflow()).toEqual({ raceRows: 0, callRows: 0 });
    expect(evidence.callRows({ fromMs: 0, toMs: 12 }).map(({ atMs }) => atMs)).toEqual([10, 11]);
  });

  it("are read newest first up to a limit, and pruned by age", () => {
    const evidence = book({ retentionMs: 100 });
    for (let i = 0; i < 200; i++) evidence.recordCall("a", "http", "eth_call", "ok", 1, i);
    const some = evidence.callRows({ fromMs: 0, toMs: 1e9, limit: 3 });
    expect(some.map(({ atMs }) => atMs)).toEqual([197, 198, 199]);
    expect(evidence.prune(200)).toEqual({ raceRows: 0, callRows: 100 });
    expect(evidence.stats().callRows).toBe(100);
  });

  it("fit with everything else into 10 MB a chain when all is full", () => {
    const evidence = book();
    for (let p = 0; p < 20; p++) {
      for (let m = 0; m < 64; m++) {
        evidence.recordCall(`p${p}`, "http", `eth_${m}`, "ok", 5, 0);
        evidence.recordCall(`p${p}`, "ws", `eth_${m}`, "ok", 5, 0);
      }
    }
    for (let i = 0; i < 90_000; i++) {
      evidence.recordCall(`p${i % 20}`, "http", "eth_1", "ok", 5, i);
      evidence.recordRaces([race({ losers: [] })], i);
    }
    const stats = evidence.stats();
    expect([stats.callRows, stats.raceRows]).toEqual([86_400, 86_400]);
    expect(stats.sizeBytes).toBeLessThanOrEqual(10 * 1_048_576);
  });
});

describe("a snapshot of the evidence", () => {
  const full = (): EvidenceBook => {
    const evidence = book();
    calls(evidence, 40);
    evidence.recordCall("b", "ws", "eth_getLogs", "timeout", 4_000, 0);
    for (let i = 0; i < 30; i++) evidence.recordRaces([race({ missed: ["c"] })], 0);
    return evidence;
  };

  it("restores scores, latencies and rows through JSON, aged by the time between", () => {
    const before = full();
    const saved = JSON.parse(JSON.stringify(before.toSnapshot(1_000, 1_700_000_000_000)));
    const after = book();
    expect(after.restore([saved], 50, 1_700_000_060_000)).toEqual({ ok: true, refused: [] });
    expect(
      after.leaderboard(50).map(({ provider, wins, races }) => [provider, wins, races]),
    ).toEqual(
      before.leaderboard(61_000).map(({ provider, wins, races }) => [provider, wins, races]),
    );
    for (const provider of ["a", "b", "c"]) {
      expect(after.raceSummary(provider, 50).paceScore).toBeCloseTo(
        before.raceSummary(provider, 61_000).paceScore ?? 0,
        3,
      );
    }
    const [was, is] = [
      before.call("a", "http", "eth_call", 61_000),
      after.call("a", "http", "eth_call", 50),
    ];
    expect(is?.n).toBeCloseTo(was?.n ?? 0, 1);
    expect(is?.p50Ms).toBe(was?.p50Ms);
    const all = { fromMs: -1e12, toMs: 1e12 };
    const shifted = before.callRows(all).map((row) => ({ ...row, atMs: row.atMs - 60_950 }));
    expect(after.callRows(all)).toEqual(shifted);
    expect(after.raceRows(all)).toHaveLength(90);
  });

  it("puts old rows before those that came since the start, and drops those out of age", () => {
    const saved = full().toSnapshot(0, 0);
    const after = book();
    after.recordCall("n", "http", "eth_call", "ok", 1, 100);
    after.restore([saved], 200, 1_000);
    const rows = after.callRows({ fromMs: -1e12, toMs: 1e12 });
    expect(rows.at(-1)?.provider).toBe("n");
    expect(rows).toHaveLength(42);
    const later = book();
    later.restore([saved], 200, 86_400_000 + 1_000);
    expect(later.stats()).toMatchObject({ callRows: 0, raceRows: 0 });
  });

  it("refuses another format, version or chain, and broken columns, before it uses any of it", () => {
    const saved = full().toSnapshot(0, 0);
    const broken: readonly [unknown, string][] = [
      [null, "EVIDENCE_FORMAT"],
      [{}, "EVIDENCE_FORMAT"],
      [{ ...saved, version: 1 }, "EVIDENCE_VERSION"],
      [{ ...saved, chain: "polygon" }, "EVIDENCE_CHAIN"],
      [{ ...saved, races: { ...saved.races, kinds: [] } }, "EVIDENCE_FORMAT"],
      [{ ...saved, callCells: [{ ...saved.callCells[0], ok: "1" }] }, "EVIDENCE_FORMAT"],
      [{ ...saved, raceCells: [{ ...saved.raceCells[0], event: "x" }] }, "EVIDENCE_FORMAT"],
    ];
    for (const [data, code] of broken) {
      const evidence = book();
      expect(evidence.restore([data], 0, 0)).toMatchObject({ ok: false, code });
      expect(evidence.stats()).toMatchObject({ callRows: 0, cells: 0 });
    }
  });

  it("survives any JSON value without a throw", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (data) => {
        expect(book().restore([data], 0, 0).ok).toBe(false);
      }),
    );
  });
});
