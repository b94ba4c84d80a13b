import { describe, expect, it } from "vitest";
import { buildSnapshot } from "../../../src/rpc/routing.ts";
import { rank } from "../../../src/rpc/selection/rank.ts";
import { chainConfig, chainState } from "../actors/kit.ts";

const MINUTE_MS = 60_000;

describe("a provider that was caught", () => {
  const ready = () => {
    const state = chainState(chainConfig(["a", "b"], "    selection: { min_healthy: 1 }"));
    for (const id of ["a", "b"]) state.rows(id).http.isUsable = true;
    state.evidence.setHalfLife(10 * MINUTE_MS, 0);
    for (let n = 0; n < 200; n++) {
      for (const id of ["a", "b"]) state.evidence.recordCall(id, "http", "eth_call", "ok", 20, 0);
    }
    return state;
  };
  const orderAt = (state: ReturnType<typeof ready>, nowMs: number) =>
    rank(buildSnapshot(state, 1, nowMs), { method: "eth_call" }).candidates;

  it("loses its place at the second wrong answer and stands behind all at the third", () => {
    const state = ready();
    expect(orderAt(state, 0).map(({ view }) => view.provider)).toEqual(["a", "b"]);
    state.evidence.recordMisbehaviour("a", 0);
    expect(orderAt(state, 0)[0]).toMatchObject({ tier: "qualified" });
    state.evidence.recordMisbehaviour("a", 0);
    const [first, second] = orderAt(state, 0);
    expect(first?.view.provider).toBe("b");
    expect(second).toMatchObject({ tier: "degraded", relaxed: [] });
    state.evidence.recordMisbehaviour("a", 0);
    expect(orderAt(state, 0)[1]).toMatchObject({ relaxed: ["misbehaviour"] });
    const byOrder = rank(buildSnapshot(state, 1, 0), { method: "eth_call", strategy: "priority" });
    expect(byOrder.candidates.map(({ view }) => view.provider)).toEqual(["b", "a"]);
  });

  it("is forgiven with time, but not forgotten", () => {
    const state = ready();
    for (let n = 0; n < 4; n++) state.evidence.recordMisbehaviour("a", 0);
    expect(state.evidence.misbehaviourOf("a", 0)).toEqual({ recent: 4, total: 4 });
    const later = state.evidence.misbehaviourOf("a", 20 * MINUTE_MS);
    expect(later.recent).toBeCloseTo(1, 2);
    expect(later.total).toBe(4);
    expect(orderAt(state, 20 * MINUTE_MS).every(({ relaxed }) => relaxed.length === 0)).toBe(true);
    state.evidence.forget("a");
    expect(state.evidence.misbehaviourOf("a", 0)).toEqual({ recent: 0, total: 0 });
  });
});
