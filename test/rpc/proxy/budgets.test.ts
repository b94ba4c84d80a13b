import { describe, expect, it } from "vitest";
import { ProviderBudget, type BudgetConfig } from "../../../src/rpc/budget/provider-budget.ts";
import { refusals } from "../../../src/rpc/selection/pick.ts";
import { rank } from "../../../src/rpc/selection/rank.ts";
import type { RoutingSnapshot } from "../../../src/rpc/selection/snapshot.ts";
import { gateOf } from "../clients/config.ts";
import { world, type World } from "./support.ts";

const CALL = '{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{},"latest"]}';
const CHEAP = { pricePerMillionUnits: 0, defaultUnits: 1, unitsByMethod: { eth_call: 5 } };

const limited = (w: World, at: number, config: Partial<BudgetConfig>): ProviderBudget => {
  const budget = new ProviderBudget({ rate: undefined, quota: undefined, cost: CHEAP, ...config });
  for (const rows of [w.rows, w.wsRows]) rows[at]!.budget = budget;
  return budget;
};

const providers = (w: World, times: number): readonly (string | undefined)[] =>
  Array.from({ length: times }, () => w.post(CALL).headers["x-paceline-provider"]);

describe("budgets of providers on the request path", () => {
  it("sends what is beyond a provider's rate to the next one, without an error", () => {
    const w = world();
    limited(w, 0, { rate: { rps: 10, burst: 3 } });
    expect(providers(w, 5)).toEqual(["a", "a", "a", "b", "b"]);
    w.advance(100);
    expect(providers(w, 2)).toEqual(["a", "b"]);
    expect(w.events).toEqual([]);
  });

  it("charges the units of the method, failed attempts and failovers included", () => {
    const w = world();
    const a = limited(w, 0, { quota: { units: 1_000, per: "month" } });
    const b = limited(w, 1, { quota: { units: 1_000, per: "month" } });
    w.upstreams[0]!.script = (call) => call.fail("reset");
    expect(providers(w, 1)).toEqual(["b"]);
    expect([a.quota?.used, b.quota?.used]).toEqual([5, 5]);
  });

  it("leaves a provider whose quota is spent, and names rule, use and limit", () => {
    const w = world();
    limited(w, 0, { quota: { units: 10, per: "day" } });
    expect(providers(w, 4)).toEqual(["a", "a", "b", "b"]);
    const snapshot = w.chain.snapshot as RoutingSnapshot;
    const why = refusals(rank(snapshot, { method: "eth_call" }), w.nowMs);
    expect(why).toContainEqual({
      provider: "a",
      transport: "http",
      rule: "quota",
      value: 10,
      limit: 10,
    });
  });

  it("keeps the limits when nobody else is left, and says so", () => {
    const w = world({ providers: ["a", "b"] });
    limited(w, 0, { quota: { units: 5, per: "day" } });
    limited(w, 1, { rate: { rps: 1, burst: 1 } });
    expect(providers(w, 2)).toEqual(["a", "b"]);
    const reply = w.post(CALL);
    expect(reply.status).toBe(503);
    expect(reply.json.error).toMatchObject({ code: -32002, data: { reason: "no_provider" } });
    expect(reply.json.error.message).toContain("1 out of quota");
    expect(reply.json.error.message).toContain("1 at their rate");
    expect(w.upstreams.map(({ calls }) => calls.length)).toEqual([1, 1]);
    w.advance(1_000);
    expect(providers(w, 1)).toEqual(["b"]);
  });

  it("sends no copies to a provider whose quota is nearly spent", () => {
    const w = world({ providers: ["a", "b"], probed: ["b"], random: () => 0 });
    const budget = limited(w, 1, { quota: { units: 60, per: "month" } });
    for (let at = 0; at < 30; at++) w.post(CALL);
    expect(budget.quota?.used).toBeGreaterThanOrEqual(54);
    expect(budget.quota?.used).toBeLessThan(60);
  });

  it("sends a shadow nothing once a tenth of its quota is left, or from outside a profile", () => {
    const shadowed = () => {
      const w = world({ providers: ["a", "b"], random: () => 0.5, views: { b: { shadow: 1 } } });
      return { w, copies: () => w.upstreams[1]?.calls.length ?? 0 };
    };
    const spent = shadowed();
    limited(spent.w, 1, { quota: { units: 40, per: "month" } });
    providers(spent.w, 20);
    expect(spent.copies()).toBe(8);
    const { w, copies } = shadowed();
    const profile = {
      providers: ["a"],
      strategy: undefined,
      quorum: undefined,
      rpsLimit: 100,
      burstLimit: 100,
    };
    w.gateway.configure(gateOf({}, { profiles: { own: profile } }));
    w.post(CALL, "/rpc/profile/own/ethereum");
    expect(copies()).toBe(0);
    w.post(CALL);
    expect(copies()).toBe(1);
  });

  it("sends no hedge to a provider whose rate is nearly taken", () => {
    const w = world({ providers: ["a", "b"], script: () => undefined });
    const budget = limited(w, 1, { rate: { rps: 1, burst: 10 } });
    for (let at = 0; at < 10; at++) budget.charge("eth_call", w.nowMs);
    w.post(CALL);
    w.advance(700);
    expect(w.upstreams.map(({ calls }) => calls.length)).toEqual([1, 0]);
  });
});
