import { describe, expect, it } from "vitest";
import { providerPool, providerPoolKey } from "../../../actors/rpc/provider-pool.ts";
import { planChains } from "../../../config/plan.ts";
import {
  child,
  createVirtualNode,
  defineActor,
  keyFor,
  supervisor,
} from "../../../src/otp/index.ts";
import type { Transport } from "../../../src/rpc/ids.ts";
import { chainConfig, chainState } from "../actors/kit.ts";

const key = providerPoolKey("eth");
const idle = defineActor({ name: "test/provider", init: (id: string) => ({ id }) });

/** A chain whose provider `a` answers ever more slowly, and what its pool made of it. */
const start = async (extra = "") => {
  const state = chainState(chainConfig(["a", "b"], extra));
  const node = createVirtualNode({ seed: 3 });
  const told: { event: string; [field: string]: unknown }[] = [];
  const warmed: Transport[] = [];
  const names = ["provider.predicted", "provider.prediction_cleared"];
  node.telemetry.attach("test", names, ({ name, fields }) => told.push({ event: name, ...fields }));
  // Stands where the pool looks for the probe of `b`, and hears what that one is asked.
  const probe = defineActor({
    name: "rpc/probe",
    init: () => ({}),
    casts: {
      warm: (same, transport: Transport) => {
        warmed.push(transport);
        return same;
      },
    },
  });
  await node.start(
    supervisor("root", {
      intensity: 10,
      children: [
        supervisor("providers", { register: "eth/providers", intensity: 10, children: [] }),
        child(probe, undefined, { register: keyFor(probe, "chain", "provider")("eth", "b") }),
        child(
          providerPool,
          {
            state,
            supervisor: "eth/providers",
            provider: (_state, { id }) => child(idle, id, { id: `provider:${id}` }),
            openHttp: () => ({
              transport: "http",
              send: () => ({ abort: () => {}, resume: () => {} }),
              close: () => {},
            }),
          },
          { register: key },
        ),
      ],
    }),
  );
  for (const provider of ["a", "b"]) {
    node.via(key).cast.verified({ provider, transport: "http" });
  }
  await node.settle();
  const seconds = async (count: number, durationMs: (sec: number) => number): Promise<void> => {
    for (let sec = 1; sec <= count; sec++) {
      for (let call = 0; call < 20; call++) {
        const nowMs = node.nowMs();
        state.evidence.recordCall("a", "http", "eth_call", "ok", durationMs(sec), nowMs);
        state.evidence.recordCall("b", "http", "eth_call", "ok", 30, nowMs);
      }
      await node.advance(1_000);
    }
  };
  const ramp = async (): Promise<void> => {
    await seconds(60, () => 20);
    await seconds(30, (sec) => 20 + 12 * sec);
  };
  const forecast = (id: string) =>
    state.snapshot?.endpoints.find(({ provider }) => provider === id)?.forecast;
  return { node, state, told, warmed, seconds, ramp, forecast };
};

describe("the provider pool looks ahead", () => {
  it("tells of a provider that is likely to fail, with a reason, once the next one is warm", async () => {
    const { told, warmed, ramp, forecast } = await start();
    await ramp();
    expect(warmed).toEqual(["http"]);
    expect(told).toEqual([
      {
        event: "provider.predicted",
        chain: "eth",
        provider: "a",
        probability: expect.any(Number),
        reason: expect.stringMatching(
          /^q95 rose .* ms\/s over .* s to .* ms, limit 500 ms in .* s$/,
        ),
      },
    ]);
    expect(forecast("a")?.isDemoted).toBe(true);
    expect(forecast("b")?.isDemoted).toBe(false);
  });

  it("does nothing where it is switched off", async () => {
    const { told, warmed, ramp, forecast } = await start("    prediction: { enabled: false }");
    await ramp();
    expect(told).toEqual([]);
    expect(warmed).toEqual([]);
    expect(forecast("a")).toBeUndefined();
  });

  it("takes a provider back at once when a reload switches it off, without a restart", async () => {
    const { node, state, told, ramp, forecast } = await start();
    await ramp();
    const { config } = state;
    const wanted = { ...config, prediction: { ...config.prediction, enabled: false } };
    expect(planChains([config], [wanted])).toEqual([
      { action: "patch", chain: "eth", keys: ["prediction.enabled"] },
    ]);
    state.config = wanted;
    await node.advance(1_300);
    expect(told.at(-1)).toMatchObject({ event: "provider.prediction_cleared", provider: "a" });
    expect(forecast("a")).toBeUndefined();
  });
});
