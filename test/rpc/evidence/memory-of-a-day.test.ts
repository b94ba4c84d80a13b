import { describe, expect, it } from "vitest";
import { EvidenceBook } from "../../../src/rpc/evidence/evidence-book.ts";
import { StandingsHistory } from "../../../src/rpc/evidence/standings-history.ts";
import { race } from "./races.ts";

const H = 600_000;
const hourMs = 3_600_000;
const everything = { fromMs: -1e15, toMs: 1e15 };
const book = () => new EvidenceBook({ chain: "ethereum" });
const json = (data: unknown): unknown => JSON.parse(JSON.stringify(data));

describe("snapshots that hold only what is new", () => {
  /** Three hours of a host: a row of each kind an hour, a snapshot after each. */
  const day = () => {
    const evidence = book();
    const documents: unknown[] = [];
    for (let hour = 1; hour <= 3; hour++) {
      evidence.recordRaces([race({ missed: ["c"] })], hour * hourMs);
      evidence.recordCall("a", "http", `eth_${hour}`, "ok", hour, hour * hourMs);
      const snapshot = evidence.toSnapshot(hour * hourMs, hour * hourMs, "unsaved");
      evidence.saved(snapshot);
      documents.push(json(snapshot));
    }
    return { evidence, documents };
  };

  it("give back all rows in order, with their numbers, and the scores of the newest", () => {
    const { evidence, documents } = day();
    const after = book();
    expect(after.restore(documents, 3 * hourMs, 3 * hourMs)).toEqual({ ok: true, refused: [] });
    expect(after.raceRows(everything)).toEqual(evidence.raceRows(everything));
    expect(after.callRows(everything)).toEqual(evidence.callRows(everything));
    expect(after.leaderboard(3 * hourMs)).toEqual(evidence.leaderboard(3 * hourMs));
  });

  it("leave a hole where one is damaged, and are read on all the same", () => {
    const { documents } = day();
    const after = book();
    const result = after.restore([documents[0], "torn", documents[2]], 3 * hourMs, 3 * hourMs);
    expect(result).toMatchObject({ ok: true, refused: [{ code: "EVIDENCE_FORMAT" }] });
    expect(after.callRows(everything).map(({ method }) => method)).toEqual(["eth_1", "eth_3"]);
  });

  it("number what is recorded next after what was read back, and save only that", () => {
    const { documents } = day();
    const after = book();
    after.recordRaces([race({ winner: "early", losers: [] })], 3 * hourMs);
    after.restore(documents, 3 * hourMs, 3 * hourMs);
    after.recordRaces([race()], 3 * hourMs + 1);
    const rows = after.raceRows(everything);
    expect(rows.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(rows[9]?.provider).toBe("early");
    const next = after.toSnapshot(4 * hourMs, 4 * hourMs, "unsaved");
    expect(next.races.agesMs).toHaveLength(3);
  });

  it("keep a row for the next one until it is known to be on disk", () => {
    const evidence = book();
    evidence.recordCall("a", "http", "eth_call", "ok", 1, 0);
    expect(evidence.toSnapshot(1, 1, "unsaved").calls.agesMs).toHaveLength(1);
    expect(evidence.toSnapshot(2, 2, "unsaved").calls.agesMs).toHaveLength(1);
  });

  it("do not forgive a provider that was caught", () => {
    const evidence = book();
    for (let i = 0; i < 3; i++) evidence.recordMisbehaviour("a", 0);
    const after = book();
    after.restore([json(evidence.toSnapshot(0, 0))], 50, H);
    expect(after.misbehaviourOf("a", 50)).toEqual({ recent: 1.5, total: 3 });
  });
});

describe("rows by number", () => {
  const evidence = book();
  for (let i = 1; i <= 10; i++) evidence.recordRaces([race({ missed: ["c"] })], i * 1_000);

  it("go on where a poller stopped, oldest first, without a hole or a repeat", () => {
    const seen: number[] = [];
    for (let after = 0; ; ) {
      const rows = evidence.raceRowsAfter({ after, limit: 7 });
      if (rows.length === 0) break;
      seen.push(...rows.map(({ seq }) => seq));
      after = rows.at(-1)?.seq ?? after;
    }
    expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
  });

  it("can be of one provider, stream, result or time only", () => {
    const all = { after: 0, limit: 100 };
    expect(evidence.raceRowsAfter({ ...all, provider: "c" })).toHaveLength(10);
    expect(evidence.raceRowsAfter({ ...all, provider: "nobody" })).toEqual([]);
    expect(evidence.raceRowsAfter({ ...all, event: "logs" })).toEqual([]);
    expect(evidence.raceRowsAfter({ ...all, result: "loss" })).toHaveLength(10);
    // A race is stamped with its first arrival, two seconds before it was settled.
    expect(evidence.raceRowsAfter({ ...all, result: "win", sinceMs: 5_000 })).toHaveLength(4);
  });

  it("keep their numbers when old ones are dropped for age or for room", () => {
    const small = new EvidenceBook({ chain: "ethereum", maxRows: 4, retentionMs: 1_000 });
    for (let i = 0; i < 3; i++) small.recordRaces([race()], 10_000);
    expect(small.raceNumbers).toEqual({ first: 3, last: 6 });
    small.prune(20_000);
    expect(small.raceNumbers).toEqual({ first: 7, last: 6 });
    small.recordRaces([race()], 20_000);
    expect(small.raceRowsAfter({ after: 4, limit: 9 }).map(({ seq }) => seq)).toEqual([7, 8]);
  });
});

describe("evidence stream by stream", () => {
  it("keeps providers and streams apart, with misses, losses and what was not connected", () => {
    const evidence = book();
    evidence.recordRaces([race({ missed: ["c"], absent: ["d"] }), race({ event: "logs" })], 0);
    const matrix = evidence.raceMatrix(0);
    expect(matrix.map(({ provider, event }) => `${provider} ${event}`)).toEqual([
      "a newHeads",
      "a logs",
      "b newHeads",
      "b logs",
      "c newHeads",
      "d newHeads",
    ]);
    expect(matrix.find(({ provider }) => provider === "b")).toMatchObject({
      losses: 1,
      misses: 0,
      avgMarginMs: 50,
      availability: 1,
    });
    expect(matrix.at(-1)).toMatchObject({ races: 0, absences: 1, availability: 0 });
    expect(evidence.raceSummary("d", 0)).toMatchObject({ races: 0, paceScore: undefined });
  });

  it("lets what a provider missed while away fade like everything else", () => {
    const evidence = book();
    evidence.recordRaces([race({ absent: ["b"], losers: [] })], 0);
    evidence.recordRaces([race(), race()], H);
    const b = evidence.raceMatrix(H).find(({ provider }) => provider === "b");
    expect(b?.availability).toBeCloseTo(2 / 2.5, 6);
  });
});

describe("a change of the chain", () => {
  it("forgets whoever is no provider any more", () => {
    const evidence = book();
    evidence.recordRaces([race()], 0);
    evidence.recordCall("gone", "http", "eth_call", "ok", 5, 0);
    evidence.recordMisbehaviour("liar", 0);
    evidence.keepOnly(["a"]);
    expect(evidence.leaderboard(0).map(({ provider }) => provider)).toEqual(["a"]);
    expect(evidence.callMatrix(0)).toEqual([]);
    expect(evidence.misbehaviourOf("liar", 0)).toEqual({ recent: 0, total: 0 });
  });

  it("ages with another half-life from then on, and changes nothing at that moment", () => {
    const evidence = book();
    for (let i = 0; i < 50; i++) evidence.recordCall("a", "http", "eth_call", "ok", 5, 0);
    const n = (nowMs: number) => evidence.call("a", "http", "eth_call", nowMs)?.n ?? 0;
    expect(n(H)).toBeCloseTo(25, 1);
    evidence.setHalfLife(60_000, H);
    expect(n(H)).toBeCloseTo(25, 1);
    expect(n(H + 60_000)).toBeCloseTo(12.5, 1);
  });
});

describe("evidence of a thousand providers", () => {
  it("has a latency for every one of them", () => {
    const evidence = book();
    for (let p = 0; p < 1_000; p++) {
      for (let m = 0; m < 3; m++) evidence.recordCall(`p${p}`, "http", `eth_${m}`, "ok", 20, 0);
    }
    const known = Array.from({ length: 1_000 }, (_, p) =>
      evidence.call(`p${p}`, "http", undefined, 0),
    );
    expect(known.every((summary) => summary?.p50Ms !== undefined)).toBe(true);
    expect(evidence.stats().cells).toBeLessThanOrEqual(1_024 + 1_000);
  });
});

describe("the history of the leaderboard", () => {
  const point = (wallMs: number) => ({ wallMs, standings: [] });

  it("keeps a day, oldest first, each moment once", () => {
    const history = new StandingsHistory();
    for (let hour = 0; hour <= 30; hour++) history.add(point(hour * hourMs));
    history.add(point(30 * hourMs));
    const hours = history.range(0, 1e15, 1_000).map(({ wallMs }) => wallMs / hourMs);
    expect(hours).toEqual(Array.from({ length: 24 }, (_, i) => 7 + i));
    expect(history.range(10 * hourMs, 12 * hourMs, 1_000)).toHaveLength(3);
    expect(history.range(0, 1e15, 2).map(({ wallMs }) => wallMs / hourMs)).toEqual([29, 30]);
  });

  it("is bounded however short the interval, and holds the best hundred of many", () => {
    const history = new StandingsHistory();
    for (let second = 0; second < 1_000; second++) history.add(point(second * 1_000));
    expect(history.range(0, 1e15, 1_000)).toHaveLength(300);
    const evidence = book();
    for (let p = 0; p < 200; p++) {
      evidence.recordRaces(
        [race({ winner: `p${p}`, losers: [{ provider: "z", marginMs: 1 }] })],
        0,
      );
    }
    expect(evidence.toSnapshot(0, 0).standings).toHaveLength(100);
  });

  it("says what stood where, by races and by calls", () => {
    const evidence = book();
    for (let i = 0; i < 10; i++) evidence.recordRaces([race()], 0);
    for (let i = 0; i < 10; i++) evidence.recordCall("a", "ws", "eth_call", "ok", 5, 0);
    const [first, second] = evidence.toSnapshot(0, 0).standings;
    expect(first).toMatchObject({ provider: "a", raceScore: 1, wins: 10, races: 10 });
    expect(first?.reliabilityLb).toBeGreaterThan(0.8);
    expect(second).toMatchObject({ provider: "b", avgMarginMs: 50, reliabilityLb: null });
  });
});
