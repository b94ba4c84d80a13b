import { describe, expect, it } from "vitest";
import { chainView } from "../../src/main/views.ts";
import { buildSnapshot } from "../../src/rpc/routing.ts";
import { chainConfig, chainState } from "../rpc/actors/kit.ts";

describe("the view of a provider", () => {
  it("lists its configured limits, then what its answers have shown", () => {
    const config = chainConfig(["a"]);
    const [only] = config.providers;
    if (only === undefined) throw new Error("no provider");
    const capabilities = { unsupported: ["debug_*"], maxBlockRange: undefined, archiveDepth: 100 };
    const state = chainState({ ...config, providers: [{ ...only, capabilities }] });
    state.head = { number: 1_000, hash: undefined, atMs: 0, blockTimeMs: 1_000 };
    state.capabilities.learn(
      {
        provider: "a",
        method: "eth_getLogs",
        code: -32614,
        message: "eth_getLogs is limited to a 50 range",
        data: "",
        asked: undefined,
      },
      5,
    );
    state.snapshot = buildSnapshot(state, 1, 10);
    const [provider] = chainView(state, () => undefined, undefined, 0).providers;
    expect(provider?.capabilities).toMatchObject([
      { kind: "method", method: "debug_*", limit: 0 },
      { kind: "state", limit: 900 },
      { kind: "range", method: "eth_getLogs", limit: 50, untilMs: 3_600_005 },
    ]);
  });

  it("counts the errors that no rule knows", () => {
    const state = chainState();
    state.unmatched.note(-32000, "the moon is full", "a", "eth_call");
    expect(chainView(state, () => undefined, undefined, 0).unmatched).toMatchObject([
      { code: -32000, count: 1 },
    ]);
  });
});
