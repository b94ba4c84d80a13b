import { describe, expect, it } from "vitest";
import { MISSING_METHOD_MS } from "../../../src/rpc/capabilities/capability-book.ts";
import type { ChainState } from "../../../src/rpc/chain-state.ts";
import type { BlockDemand } from "../../../src/rpc/json-rpc/block-demand.ts";
import { buildSnapshot } from "../../../src/rpc/routing.ts";
import { oldestDemand } from "../../../src/rpc/selection/filters.ts";
import { rank } from "../../../src/rpc/selection/rank.ts";
import type { SelectionDemand } from "../../../src/rpc/selection/snapshot.ts";
import { chainConfig, chainState } from "../actors/kit.ts";

const head = { number: 10_000, hash: undefined, atMs: 0, blockTimeMs: 12_000 };

const stateOf = (
  limits: Partial<ChainState["config"]["providers"][number]["capabilities"]> = {},
) => {
  const config = chainConfig(["a", "b"]);
  const [first, ...rest] = config.providers;
  if (first === undefined) throw new Error("no provider");
  const state = chainState({
    ...config,
    providers: [{ ...first, capabilities: { ...first.capabilities, ...limits } }, ...rest],
  });
  for (const id of ["a", "b"]) state.rows(id).http.isUsable = true;
  state.head = head;
  return state;
};

const refuse = (
  state: ChainState,
  message: string,
  method: string,
  asked?: BlockDemand,
  nowMs = 0,
): void => {
  state.capabilities.learn(
    { provider: "a", method, code: -32000, message, data: "", asked },
    nowMs,
  );
};

const excluded = (state: ChainState, demand: SelectionDemand, nowMs = 0) =>
  rank(buildSnapshot(state, 1, nowMs), demand).excluded.filter(({ rule }) => rule !== "cordoned");

const oldState = (block: number): BlockDemand => ({
  block,
  fromBlock: block,
  isState: true,
  range: 0,
});

describe("what was learned of a provider", () => {
  it("keeps calls of a missing method away until it is forgotten", () => {
    const state = stateOf();
    refuse(state, "method not found", "eth_foo");
    expect(excluded(state, { method: "eth_foo" })).toEqual([]);
    refuse(state, "method not found", "eth_foo");
    expect(excluded(state, { method: "eth_foo" })).toMatchObject([
      { provider: "a", rule: "method_unsupported", value: "eth_foo" },
    ]);
    expect(excluded(state, { method: "eth_call" })).toEqual([]);
    expect(excluded(state, { method: "eth_foo" }, MISSING_METHOD_MS)).toEqual([]);
  });

  it("keeps long ranges of logs away, with both numbers", () => {
    const state = stateOf();
    const asked = { block: 3000, fromBlock: 1, isState: false, range: 3000 };
    refuse(state, "eth_getLogs is limited to a 1,000 range", "eth_getLogs", asked);
    expect(excluded(state, { method: "eth_getLogs", blockRange: 1001 })).toMatchObject([
      { provider: "a", rule: "block_range", value: 1001, limit: 1000 },
    ]);
    expect(excluded(state, { method: "eth_getLogs", blockRange: 1000 })).toEqual([]);
  });

  it("keeps old state away, and the block itself not", () => {
    const state = stateOf();
    refuse(state, "missing trie node", "eth_getBalance", oldState(500));
    const snapshot = buildSnapshot(state, 1, 0);
    expect(oldestDemand(snapshot, 501, true)).toBeUndefined();
    expect(oldestDemand(snapshot, 500, false)).toBeUndefined();
    const oldest = oldestDemand(snapshot, 500, true);
    expect(excluded(state, { method: "eth_call", oldest })).toMatchObject([
      { provider: "a", rule: "archive", value: 500, limit: 501 },
    ]);
  });

  it("goes with a provider that is withdrawn: its successor is another node", () => {
    const state = stateOf();
    refuse(state, "eth_getLogs is limited to a 1,000 range", "eth_getLogs");
    state.dismiss("a");
    expect(buildSnapshot(state, 1, 0).endpoints[0]?.maxBlockRange).toBeUndefined();
  });
});

describe("the operator's word", () => {
  it("stands above what was learned", () => {
    const state = stateOf({ maxBlockRange: 5000, archiveDepth: 1000 });
    const asked = { block: 3000, fromBlock: 1, isState: false, range: 3000 };
    refuse(state, "eth_getLogs is limited to a 1,000 range", "eth_getLogs", asked);
    refuse(state, "missing trie node", "eth_getBalance", oldState(9500));
    expect(buildSnapshot(state, 1, 0).endpoints[0]).toMatchObject({
      maxBlockRange: 5000,
      stateFrom: 9000,
    });
  });

  it("takes globs for methods that are not served", () => {
    const state = stateOf({ unsupported: ["debug_*", "*_sign*", "eth_foo"] });
    const unsupported = buildSnapshot(state, 1, 0).endpoints[0]?.unsupported;
    for (const method of ["debug_traceCall", "eth_signTypedData", "eth_foo"]) {
      expect(unsupported?.has(method), method).toBe(true);
    }
    expect(unsupported?.has("eth_call")).toBe(false);
  });

  it("makes an archive of a depth beyond the threshold, as far as it goes", () => {
    const deep = buildSnapshot(stateOf({ archiveDepth: 5000 }), 1, 0);
    expect(deep.endpoints.map(({ archival }) => archival)).toEqual([true, false]);
    const shallow = buildSnapshot(stateOf({ archiveDepth: 128 }), 1, 0);
    expect(shallow.endpoints.map(({ archival }) => archival)).toEqual([false, false]);
    expect(oldestDemand(deep, 4999, true)).toEqual({ block: 4999, isState: true });
    expect(oldestDemand(deep, 5000, true)).toBeUndefined();
  });
});
