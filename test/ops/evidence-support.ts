/** A book with some evidence, for tests of what shows it. */
import { EvidenceBook } from "../../src/rpc/evidence/evidence-book.ts";
import { race } from "../rpc/evidence/races.ts";

/** Ten races that `best` won and `second` lost by 50 ms, nine of heads and one of logs, and calls. */
export const bookOf = (best: string, second: string, nowMs = 9_000): EvidenceBook => {
  const book = new EvidenceBook({ chain: "alpha" });
  const losers = [{ provider: second, marginMs: 50.1234 }];
  for (let i = 0; i < 9; i++) book.recordRaces([race({ winner: best, losers })], nowMs);
  book.recordRaces(
    [race({ event: "logs", winner: best, losers: [], missed: [second], absent: ["away"] })],
    nowMs,
  );
  for (let i = 0; i < 20; i++) book.recordCall(best, "http", "eth_call", "ok", 20, nowMs);
  book.recordCall(second, "ws", "eth_call", "rate_limit", 5, nowMs);
  book.history.add(book.toSnapshot(nowMs, 1_767_225_600_000));
  return book;
};
