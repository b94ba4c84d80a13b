import { describe, expect, it } from "vitest";
import type { ErrorClass } from "../../../src/rpc/errors/classes.ts";
import { EvidenceBook } from "../../../src/rpc/evidence/evidence-book.ts";
import { ForecastBook, type ForecastSource } from "../../../src/rpc/prediction/forecast-book.ts";
import { rowOf } from "../rows.ts";
import { prediction } from "./kit.ts";

/** A chain with providers `a` and `b`, whose calls a test makes second by second. */
const world = () => {
  const providers = [{ id: "a" }, { id: "b" }];
  const row = rowOf("a", 0, { transport: "ws" });
  const sockets = new Map<unknown, object | undefined>();
  const source = {
    config: { prediction, selection: { maxLagBlocks: 3 }, providers },
    evidence: new EvidenceBook({ chain: "eth" }),
    snapshot: {
      blockTimeMs: 1_000,
      endpoints: providers.map(({ id }) => ({ provider: id, lag: 0 })),
    },
    rows: () => ({ ws: row }),
    upstream: (of: unknown) => sockets.get(of),
  } satisfies ForecastSource;
  const book = new ForecastBook();
  let nowMs = 0;
  const told: string[] = [];
  /** Seconds in which `a` answers in `durationMs(sec)`, or as `errorClass` says. */
  const play = (
    count: number,
    durationMs: (sec: number) => number,
    errorClass: (call: number) => ErrorClass = () => "ok",
  ): void => {
    for (let sec = 1; sec <= count; sec++) {
      nowMs += 1_000;
      for (let call = 0; call < 20; call++) {
        const took = durationMs(sec);
        source.evidence.recordCall("a", "http", "eth_call", errorClass(call), took, nowMs - 1);
        source.evidence.recordCall("b", "http", "eth_call", "ok", 30, nowMs - 1);
      }
      for (const { provider, step } of book.look(source, nowMs)) told.push(`${provider} ${step}`);
    }
  };
  return { book, source, sockets, row, told, play, now: () => nowMs };
};

describe("the forecasts of a chain", () => {
  it("tell of a ramp before it is there: first that others get ready, then that they go first", () => {
    const { book, told, play } = world();
    play(60, () => 50);
    expect(told).toEqual([]);
    expect(book.of("a")?.isDemoted).toBe(false);
    play(30, (sec) => 50 + 10 * sec);
    expect(told).toEqual(["a likely", "a predicted"]);
    expect(book.of("a")?.isDemoted).toBe(true);
    expect(book.of("b")?.isDemoted).toBe(false);
    expect(book.of("b")?.probability).toBeLessThan(0.05);
  });

  it("take the provider back once it is well", () => {
    const { book, told, play } = world();
    play(60, () => 50);
    play(30, (sec) => 50 + 10 * sec);
    play(60, () => 50);
    expect(told.at(-1)).toBe("a cleared");
    expect(book.of("a")?.isDemoted).toBe(false);
  });

  it("tell of refusals for the rate, which are no failures", () => {
    const { book, play } = world();
    play(30, () => 50);
    play(
      12,
      () => 50,
      (call) => (call % 5 === 0 ? "rate_limit" : "ok"),
    );
    const [strongest] = book.of("a")?.components ?? [];
    expect(strongest?.signal).toBe("rate_limits");
  });

  it("do not count what a client is to blame for", () => {
    const { book, told, play } = world();
    play(
      60,
      () => 50,
      (call) => (call % 2 === 0 ? "revert" : "user"),
    );
    expect(told).toEqual([]);
    expect(book.of("a")?.probability).toBeLessThan(0.05);
  });

  it("count events that others brought, and not those that came while it was not connected", () => {
    const { book, source, play, now } = world();
    const race = {
      event: "newHeads",
      key: "1",
      ageMs: 100,
      winner: "b",
      losers: [],
      neutral: [],
    } as const;
    const flags = { isCorroborated: true, isSuspicious: false };
    const misses = (missed: readonly string[], absent: readonly string[]): number | undefined => {
      for (let sec = 0; sec < 12; sec++) {
        const races = [1, 2, 3, 4].map(() => ({ ...race, ...flags, missed, absent }));
        source.evidence.recordRaces(races, now());
        play(1, () => 50);
      }
      return book.of("a")?.components.find(({ signal }) => signal === "misses")?.level;
    };
    expect(misses([], ["a"])).toBeUndefined();
    expect(misses(["a"], [])).toBe(1);
  });

  it("count a WebSocket that is lost, replaced, or found dead", () => {
    const { book, source, sockets, row, now, play } = world();
    sockets.set(row, {});
    play(1, () => 50);
    sockets.set(row, {});
    play(1, () => 50);
    row.suspect = true;
    play(1, () => 50);
    sockets.set(row, undefined);
    play(1, () => 50);
    const drops = book.of("a")?.components.find(({ signal }) => signal === "ws_drops");
    expect(drops?.level).toBe(3);
    book.look(source, now() + 61_000);
    expect(book.of("a")?.components.some(({ signal }) => signal === "ws_drops")).toBe(false);
  });

  it("look once a second, however often they are asked to", () => {
    const { book, source, play, now } = world();
    play(30, () => 50);
    const before = book.of("a");
    expect(book.look(source, now() + 250)).toEqual([]);
    expect(book.of("a")).toBe(before);
    book.look(source, now() + 1_000);
    expect(book.of("a")).not.toBe(before);
  });

  it("forget everything when they are switched off, and say who is taken back", () => {
    const { book, source, play, now } = world();
    play(60, () => 50);
    play(30, (sec) => 50 + 10 * sec);
    const off = {
      ...source,
      config: { ...source.config, prediction: { ...prediction, enabled: false } },
    };
    expect(book.look(off, now() + 10)).toEqual([
      { provider: "a", step: "cleared", probability: 0, reason: "prediction was switched off" },
    ]);
    expect(book.of("a")).toBeUndefined();
    expect(book.look(off, now() + 5_000)).toEqual([]);
  });

  it("begin anew with a provider that left and came back, and with another book of evidence", () => {
    const { book, source, play, now } = world();
    play(60, () => 50);
    play(30, (sec) => 50 + 10 * sec);
    book.forget("a");
    expect(book.of("a")).toBeUndefined();
    const renewed = { ...source, evidence: new EvidenceBook({ chain: "eth" }) };
    renewed.evidence.recordCall("a", "http", "eth_call", "server", 1, now());
    book.look(renewed, now() + 1_000);
    expect(book.of("a")).toMatchObject({ probability: 0, isDemoted: false });
  });
});
