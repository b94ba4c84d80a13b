import { describe, expect, it } from "vitest";
import { benchmarkStore, benchmarkStoreKey } from "../../../actors/rpc/benchmark-store.ts";
import { child, createVirtualNode, supervisor } from "../../../src/otp/index.ts";
import { EvidenceBook } from "../../../src/rpc/evidence/evidence-book.ts";
import type { SettledRace } from "../../../src/rpc/race/settled-race.ts";

const race: SettledRace = {
  event: "newHeads",
  key: "k",
  ageMs: 2_000,
  winner: "a",
  losers: [{ provider: "b", marginMs: 20 }],
  missed: [],
  neutral: [],
  absent: [],
  isCorroborated: true,
  isSuspicious: false,
};

const start = async (
  options: { readonly maxRows?: number; readonly retentionMs?: number } = {},
) => {
  const node = createVirtualNode({ seed: 1 });
  const book = new EvidenceBook({ chain: "eth", ...options });
  const events: unknown[] = [];
  node.telemetry.attach("test", ["aggregation.rows_dropped"], ({ fields }) => {
    events.push(fields);
  });
  const args = { books: () => new Map([["eth", book]]) };
  await node.start(
    supervisor("root", {
      strategy: "one_for_one",
      intensity: 1,
      children: [child(benchmarkStore, args, { register: benchmarkStoreKey() })],
    }),
  );
  return { node, book, events };
};

describe("the benchmark store", () => {
  it("knows who leads on a chain, and nobody on one that is gone", async () => {
    const { node, book } = await start();
    const store = node.via(benchmarkStoreKey());
    book.recordRaces([race, race], node.nowMs());
    const board = await node.drive(store.call.leaderboard("eth"));
    expect(board.map(({ provider, wins }) => [provider, wins])).toEqual([
      ["a", 2],
      ["b", 0],
    ]);
    expect(await node.drive(store.call.leaderboard("gone"))).toEqual([]);
  });

  it("drops rows out of retention each hour", async () => {
    const { node, book } = await start({ retentionMs: 60_000 });
    book.recordCall("a", "http", "eth_call", "ok", 5, 0);
    await node.advance(3_599_000);
    expect(book.stats().callRows).toBe(1);
    await node.advance(2_000);
    expect(book.stats().callRows).toBe(0);
  });

  it("tells of rows that a full table had to drop, once, with their number", async () => {
    const { node, book, events } = await start({ maxRows: 10 });
    for (let i = 0; i < 25; i++) book.recordCall("a", "http", "eth_call", "ok", 5, i);
    await node.advance(60_000);
    expect(events).toEqual([{ chain: "eth", kind: "calls", count: 15 }]);
  });
});
