import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ProviderConfig } from "../../../config/schema.ts";
import { BudgetBook } from "../../../src/rpc/budget/budget-book.ts";
import { ProviderBudget } from "../../../src/rpc/budget/provider-budget.ts";

const NOV_28 = Date.parse("2026-11-28T12:00:00Z");
const DEC_1 = Date.parse("2026-12-01T00:00:00Z");

const provider = (more: Partial<ProviderConfig> = {}): ProviderConfig =>
  ({
    id: "a",
    cost: { pricePerMillionUnits: 0, defaultUnits: 1, unitsByMethod: { eth_getLogs: 75 } },
    rate: undefined,
    quota: undefined,
    ...more,
  }) as ProviderConfig;

describe("a provider's budget", () => {
  it("admits its burst, then names the wait", () => {
    const budget = new ProviderBudget(provider({ rate: { rps: 10, burst: 2 } }));
    budget.charge("eth_call", 0);
    expect(budget.admits(0)).toBe(true);
    budget.charge("eth_call", 0);
    expect(budget.admits(0)).toBe(false);
    expect(budget.spent(0)).toEqual({ rule: "rate", value: 100, limit: undefined });
    expect(budget.admits(100)).toBe(true);
    expect(budget.spent(100)).toBeUndefined();
  });

  it("counts the units of each method against its quota", () => {
    const budget = new ProviderBudget(provider({ quota: { units: 100, per: "month" } }));
    budget.charge("eth_getLogs", 0);
    expect(budget.quota?.used).toBe(75);
    for (let at = 0; at < 25; at++) budget.charge("eth_call", 0);
    expect(budget.spent(0)).toEqual({ rule: "quota", value: 100, limit: 100 });
    expect(budget.admits(1e9)).toBe(false);
  });

  it("stops background traffic at 90 % and users at 100 %", () => {
    const budget = new ProviderBudget(provider({ quota: { units: 10, per: "day" } }));
    for (let at = 0; at < 8; at++) budget.charge("eth_call", 0);
    expect(budget.sparesBackground(0)).toBe(true);
    budget.charge("eth_call", 0);
    expect(budget.sparesBackground(0)).toBe(false);
    expect(budget.admits(0)).toBe(true);
    budget.charge("eth_call", 0);
    expect(budget.admits(0)).toBe(false);
  });

  it("never admits more in an interval than burst and rate, whatever is charged when", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 50, maxLength: 300 }),
        (pauses) => {
          const budget = new ProviderBudget(provider({ rate: { rps: 20, burst: 5 } }));
          let nowMs = 0;
          let sent = 0;
          for (const pauseMs of pauses) {
            nowMs += pauseMs;
            if (!budget.admits(nowMs)) continue;
            budget.charge("eth_call", nowMs);
            sent++;
          }
          expect(sent).toBeLessThanOrEqual(5 + (nowMs / 1000) * 20 + 0.01);
        },
      ),
    );
  });
});

describe("the budgets of a chain", () => {
  const withQuota = provider({ quota: { units: 100, per: "month" } });

  it("gives no budget to a provider without limits", () => {
    const book = new BudgetBook();
    book.configure([provider()], NOV_28);
    expect(book.of("a")).toBeUndefined();
    expect(book.toSnapshot()).toEqual({});
  });

  it("keeps what was used over a change of the limit, and a new process", () => {
    const book = new BudgetBook();
    book.configure([withQuota], NOV_28);
    book.of("a")?.charge("eth_getLogs", 0);
    const before = book.of("a");
    book.configure([provider({ quota: { units: 70, per: "month" } })], NOV_28);
    expect(book.of("a")).toBe(before);
    expect(before?.spent(0)?.rule).toBe("quota");
  });

  it("tells each step once, and turns the page with the month", () => {
    const book = new BudgetBook();
    book.configure([withQuota], NOV_28);
    expect(book.look(NOV_28)).toEqual([]);
    book.of("a")?.charge("eth_getLogs", 0);
    for (let at = 0; at < 15; at++) book.of("a")?.charge("eth_call", 0);
    expect(book.look(NOV_28)).toEqual([{ provider: "a", step: "low", used: 90, limit: 100 }]);
    expect(book.look(NOV_28)).toEqual([]);
    book.of("a")?.charge("eth_getLogs", 0);
    expect(book.look(DEC_1 - 1)).toMatchObject([{ step: "spent", used: 165 }]);
    expect(book.of("a")?.admits(0)).toBe(false);
    expect(book.look(DEC_1)).toMatchObject([{ step: "renewed", used: 0 }]);
    expect(book.of("a")?.admits(0)).toBe(true);
  });

  it.each(["before", "after"])(
    "takes up a month's use when restored %s it is configured",
    (when) => {
      const old = new BudgetBook();
      old.configure([withQuota], NOV_28);
      old.of("a")?.charge("eth_getLogs", 0);
      const document: unknown = JSON.parse(JSON.stringify(old.toSnapshot()));
      const book = new BudgetBook();
      if (when === "before") book.restore(document);
      book.configure([withQuota], NOV_28);
      if (when === "after") book.restore(document);
      expect(book.of("a")?.quota?.used).toBe(75);
    },
  );

  it("forgets last month's use", () => {
    const old = new BudgetBook();
    old.configure([withQuota], NOV_28);
    old.of("a")?.charge("eth_getLogs", 0);
    const book = new BudgetBook();
    book.configure([withQuota], DEC_1);
    book.restore(old.toSnapshot());
    expect(book.of("a")?.quota?.used).toBe(0);
  });

  it("is not confused by any document", () => {
    fc.assert(
      fc.property(fc.anything(), (document) => {
        const book = new BudgetBook();
        book.restore(document);
        book.restore({ a: document });
        book.configure([withQuota], NOV_28);
        expect(book.of("a")?.quota?.used).toBeGreaterThanOrEqual(0);
        expect(book.of("a")?.admits(0)).toBeTypeOf("boolean");
      }),
    );
  });
});
