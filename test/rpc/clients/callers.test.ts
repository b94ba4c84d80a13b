import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Caller } from "../../../src/rpc/clients/caller.ts";
import { CallerBook } from "../../../src/rpc/clients/caller-book.ts";
import { UnitTable } from "../../../src/rpc/clients/units.ts";
import { readVisit } from "../../../src/rpc/clients/visit.ts";
import { anonymousOf, clientsOf, keyOf } from "./config.ts";

const NOV_28 = Date.parse("2026-11-28T12:00:00Z");

describe("a caller", () => {
  const callerOf = (more: Parameters<typeof keyOf>[1]) =>
    new Caller("dapp", keyOf("k", more), NOV_28);

  it("never gets more than its burst and its rate, whatever it asks when", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 40, noNaN: true }), { minLength: 50, maxLength: 300 }),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 50 }),
        (pauses, rps, burst) => {
          const caller = callerOf({ rate: { rps, burst } });
          let nowMs = 5_000;
          let served = 0;
          for (const pauseMs of pauses) {
            nowMs += pauseMs;
            const refusal = caller.charge("eth_call", 26, nowMs, NOV_28);
            if (refusal === undefined) served++;
            else {
              expect(refusal).toMatchObject({ reason: "rate_limited" });
              expect(refusal.retryAfterMs).toBeGreaterThan(0);
            }
          }
          expect(served).toBeLessThanOrEqual(burst + ((nowMs - 5_000) / 1000) * rps + 0.01);
          expect(caller.calls).toBe(served);
        },
      ),
    );
  });

  it("is served again after the time that it was told", () => {
    const caller = callerOf({ rate: { rps: 3, burst: 1 } });
    expect(caller.charge("eth_call", 1, 0, NOV_28)).toBeUndefined();
    const waitMs = caller.charge("eth_call", 1, 0, NOV_28)?.retryAfterMs ?? 0;
    expect(caller.charge("eth_call", 1, waitMs - 2, NOV_28)?.reason).toBe("rate_limited");
    expect(caller.charge("eth_call", 1, waitMs, NOV_28)).toBeUndefined();
  });

  it("is limited in units of a second, where dear methods weigh more", () => {
    const caller = callerOf({ units: { perSecond: 100, perDay: undefined, perMonth: undefined } });
    expect(caller.charge("eth_getLogs", 60, 0, NOV_28)).toBeUndefined();
    expect(caller.charge("eth_getLogs", 60, 0, NOV_28)?.reason).toBe("rate_limited");
    expect(caller.charge("eth_blockNumber", 10, 0, NOV_28)).toBeUndefined();
  });

  it("is refused for the rest of the day when the day's units are used, and told how long", () => {
    const caller = callerOf({ units: { perSecond: undefined, perDay: 50, perMonth: undefined } });
    expect(caller.charge("eth_call", 50, 0, NOV_28)).toBeUndefined();
    expect(caller.charge("eth_call", 1, 0, NOV_28)).toMatchObject({
      reason: "quota_spent",
      retryAfterMs: 12 * 3_600_000,
    });
    caller.turn(NOV_28 + 12 * 3_600_000);
    expect(caller.charge("eth_call", 1, 0, NOV_28)).toBeUndefined();
  });

  it("costs nothing when it is refused", () => {
    const caller = callerOf({
      rate: { rps: 1, burst: 1 },
      methods: { allow: [], deny: ["eth_x"] },
    });
    expect(caller.charge("eth_x", 1, 0, NOV_28)?.reason).toBe("method_denied");
    expect(caller.charge("eth_call", 1, 0, NOV_28)).toBeUndefined();
    expect([caller.calls, caller.units, caller.refused.denied]).toEqual([1, 1, 1]);
  });

  it.each([
    [["eth_*"], [], "eth_call", undefined],
    [["eth_*"], [], "net_version", "method_denied"],
    [["eth_*"], ["eth_get*"], "eth_getLogs", "method_denied"],
    [[], ["eth_get*"], "eth_call", undefined],
  ] as const)("with allow %j and deny %j and %s gets %s", (allow, deny, method, reason) => {
    const caller = callerOf({ methods: { allow, deny } });
    expect(caller.charge(method, 1, 0, NOV_28)?.reason).toBe(reason);
  });
});

describe("the book of callers", () => {
  it("finds the holder of a key, and nobody for any other text", () => {
    const book = new CallerBook(clientsOf({ keys: [keyOf("right")] }), NOV_28);
    expect(book.find("right")?.id).toBe("id-right");
    expect(book.find("right")).toBe(book.find("right"));
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(book.find(text)?.id).toBe(text === "right" ? "id-right" : undefined);
      }),
    );
    expect(book.find("x".repeat(1_000_000))).toBeUndefined();
  });

  it("keeps what was used over a reload, and revokes keys that are gone", () => {
    const limits = { rate: { rps: 1, burst: 1 } };
    const book = new CallerBook(clientsOf({ keys: [keyOf("a", limits), keyOf("b")] }), NOV_28);
    const [a, b] = [book.find("a"), book.find("b")];
    expect(a?.charge("eth_call", 1, 0, NOV_28)).toBeUndefined();
    book.configure(clientsOf({ keys: [keyOf("a", { ...limits, chains: ["base"] })] }), NOV_28);
    expect(book.find("a")).toBe(a);
    expect(a?.charge("eth_call", 1, 0, NOV_28)?.reason).toBe("rate_limited");
    expect(a?.mayUseChain("ethereum")).toBe(false);
    expect(book.find("b")).toBeUndefined();
    expect(b?.charge("eth_call", 1, 0, NOV_28)?.reason).toBe("unauthorised");
  });

  it("gives a key that comes back under another name nothing of the old one", () => {
    const book = new CallerBook(clientsOf({ keys: [keyOf("a")] }), NOV_28);
    const old = book.find("a");
    book.configure(clientsOf({ keys: [keyOf("a", { id: "renamed" })] }), NOV_28);
    expect(book.find("a")).not.toBe(old);
    expect(old?.isRevoked).toBe(true);
  });

  it("keeps day and month across a restart of the host", () => {
    const units = { perSecond: undefined, perDay: 100, perMonth: 1_000 };
    const config = clientsOf({ keys: [keyOf("a", { units })], anonymous: anonymousOf({ units }) });
    const before = new CallerBook(config, NOV_28);
    before.find("a")?.charge("eth_call", 26, 0, NOV_28);
    before.anonymous.charge("eth_call", 60, 0, NOV_28);
    const document: unknown = JSON.parse(JSON.stringify(before.toSnapshot()));
    expect(JSON.stringify(document)).not.toContain("sha256");
    const after = new CallerBook(config, NOV_28);
    after.restore(document);
    expect(after.find("a")?.day?.used).toBe(26);
    expect(after.anonymous.month?.used).toBe(60);
    const nextDay = new CallerBook(config, NOV_28 + 86_400_000);
    nextDay.restore(document);
    expect(nextDay.find("a")?.day?.used).toBe(0);
    expect(nextDay.find("a")?.month?.used).toBe(26);
  });

  it("is not confused by any document", () => {
    const units = { perSecond: undefined, perDay: 100, perMonth: 1_000 };
    const book = new CallerBook(clientsOf({ keys: [keyOf("a", { units })] }), NOV_28);
    fc.assert(
      fc.property(fc.anything(), (document) => {
        book.restore(document);
        book.restore({ "id-a": document });
        book.restore({ "id-a": { day: document, month: document } });
        expect(book.find("a")?.day?.used).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe("the cost of a method", () => {
  it.each([
    ["eth_call", 26],
    ["eth_getLogs", 60],
    ["eth_chainId", 0],
    ["debug_traceTransaction", 170],
    ["eth_getBalance", 20],
    ["made_up", 20],
  ])("%s is %i by default", (method, units) => {
    expect(new UnitTable({}).of(method)).toBe(units);
  });

  it("is the operator's own, the most exact name first", () => {
    const table = new UnitTable({ "eth_get*": 5, eth_getLogs: 100, "*": 1 });
    expect(
      ["eth_getBalance", "eth_getLogs", "made_up", "eth_call"].map((m) => table.of(m)),
    ).toEqual([5, 100, 1, 26]);
  });
});

describe("what a request says of its sender", () => {
  it.each([
    [["X-Paceline-Key", "a"], "/rpc/e?key=c", "a"],
    [["Authorization", "Bearer b"], "/rpc/e?key=c", "b"],
    [["authorization", "bearer  b "], "/rpc/e", "b"],
    [["Authorization", "Basic Zm9v"], "/rpc/e?key=c%2F", "c/"],
    [[], "/rpc/e?x=1&key=c", "c"],
    [[], "/rpc/e?monkey=c", undefined],
    [[], "/rpc/e", undefined],
  ])("%j at %s is the key %s", (headers, url, key) => {
    expect(readVisit(headers, url).key).toBe(key);
  });

  it("joins several lines of proxies", () => {
    const headers = ["X-Forwarded-For", "1.1.1.1", "x-forwarded-for", "2.2.2.2"];
    expect(readVisit(headers, "/").forwardedFor).toBe("1.1.1.1,2.2.2.2");
  });
});
