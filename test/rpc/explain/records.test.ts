/** Header texts, the header's limit, and the slow log. */
import { describe, expect, it } from "vitest";
import { attemptsText } from "../../../src/rpc/explain/attempts.ts";
import { RequestBook } from "../../../src/rpc/explain/book.ts";
import { explain } from "../../../src/rpc/explain/explain.ts";
import { SlowLog } from "../../../src/rpc/explain/slow-log.ts";
import { MAX_META_HEADER, metaHeader } from "../../../src/rpc/explain/trim.ts";
import { scanBody } from "../../../src/rpc/json-rpc/scan.ts";
import { snapshotOf } from "../selection/world.ts";
import { attemptOf, selectedOf, toldOf } from "./support.ts";

const spoken = (told: ReturnType<typeof toldOf>, nowMs = 2000) =>
  attemptsText({ ...told, now: () => nowMs });

describe("the attempts header", () => {
  it("says who was asked, why, how it ended, how long it took and who won", () => {
    const attempts = [
      attemptOf({ provider: "alchemy", errorClass: "timeout", durationMs: 812.3 }),
      attemptOf({ provider: "infura", kind: "hedge", durationMs: 44 }),
    ];
    expect(spoken(toldOf({ attempts, provider: "infura" }))).toBe(
      "alchemy=primary:timeout:812;infura=hedge:ok:44:won",
    );
  });

  it("gives the win to the fresh connection, not to the one that was closed", () => {
    const attempts = [
      attemptOf({ errorClass: "cancelled", failureKind: "reset", durationMs: 1 }),
      attemptOf({ kind: "retry" }),
    ];
    expect(spoken(toldOf({ attempts }))).toBe("a=primary:cancelled:1;a=retry:ok:40:won");
    expect(explain(toldOf({ attempts }), 2000).attempts).toMatchObject([
      { cancelled_because: "reused_socket", won: false },
      { cancelled_because: null, won: true },
    ]);
  });

  it("counts on while an answer streams", () => {
    const attempts = [attemptOf({ isSettled: false, errorClass: "cancelled", durationMs: 0 })];
    expect(spoken(toldOf({ attempts, isDone: false }), 1500)).toBe("a=primary:ok:500:won");
  });

  it("names sixteen attempts at most", () => {
    const attempts = Array.from({ length: 20 }, () => attemptOf({ kind: "part" }));
    expect(spoken(toldOf({ attempts }))).toMatch(/^(a=part:ok:40(:won)?;){16}\+4$/);
  });
});

describe("an explanation in a header", () => {
  it.each([1, 5, 20, 200])("of %i providers fits, and says when it was cut", (count) => {
    const names = Array.from({ length: count }, (_, i) => [`provider-with-a-long-name-${i}`, {}]);
    const selected = selectedOf(snapshotOf(Object.fromEntries(names)), { method: "eth_call" }, 0);
    const attempts = Array.from({ length: count }, () => attemptOf());
    const record = explain(toldOf({ selected, attempts }), 1);
    const header = metaHeader(record);
    expect(header.length).toBeLessThanOrEqual(MAX_META_HEADER);
    const read = JSON.parse(Buffer.from(header, "base64url").toString());
    expect(read).toMatchObject({ v: 1, request_id: "r1" });
    if (count === 1) expect(read).toEqual(record);
    else expect(read.truncated).toBe(count > 3 ? true : undefined);
  });
});

describe("the slow log", () => {
  const limits = { thresholdMs: 100, entries: 3 };
  const failed = { outcome: "error", reason: "exhausted", provider: undefined } as const;

  it("keeps the last slow and the last failed requests apart", () => {
    const log = new SlowLog(limits);
    log.add(toldOf({ requestId: "slow", durationMs: 101 }), false, undefined);
    for (let i = 0; i < 10; i++)
      log.add(toldOf({ ...failed, requestId: `f${i}` }), true, undefined);
    const { total, entries } = log.select(0, 100);
    expect(total).toBe(4);
    expect(entries.map(({ request_id }) => request_id)).toEqual(["slow", "f7", "f8", "f9"]);
    expect(entries.map(({ why }) => why)).toEqual(["slow", "failed", "failed", "failed"]);
    expect(log.select(entries[2]?.seq ?? 0, 100).entries).toHaveLength(1);
    expect(log.select(0, 1).entries.map(({ request_id }) => request_id)).toEqual(["f9"]);
    log.resize({ thresholdMs: 1, entries: 1 });
    expect(log.select(0, 100).total).toBe(2);
  });

  it("takes failures of ours and of providers, not the answers that clients have asked for", () => {
    const book = new RequestBook({ ring: { requests: 10, maxBytes: 1e6 }, slow: limits });
    const body = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{},"latest"]}');
    const scanned = scanBody(body);
    if (scanned.kind !== "single") throw new Error("not a call");
    const keep = (told: ReturnType<typeof toldOf>) =>
      book.keep(told, { body, envelope: scanned.envelope }, "state");
    keep(toldOf({ requestId: "ok" }));
    keep(
      toldOf({
        requestId: "revert",
        outcome: "error",
        attempts: [attemptOf({ errorClass: "revert" })],
      }),
    );
    keep(
      toldOf({
        requestId: "server",
        outcome: "error",
        attempts: [attemptOf({ errorClass: "server" })],
      }),
    );
    keep(toldOf({ ...failed, requestId: "none", attempts: [] }));
    keep(toldOf({ requestId: "gone", outcome: "gone" }));
    keep(toldOf({ requestId: "late", outcome: "gone", durationMs: 101 }));
    const { entries } = book.slow.select(0, 100);
    expect(entries.map(({ request_id, why }) => [request_id, why])).toEqual([
      ["server", "failed"],
      ["none", "failed"],
      ["late", "slow"],
    ]);
    expect(entries[0]?.params).toMatchObject({ outline: "[{},latest]" });
    expect(book.ring.size).toBe(6);
  });
});
