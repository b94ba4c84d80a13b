import { describe, expect, it } from "vitest";
import { circuitBreaker, circuitBreakerKey } from "../../../actors/rpc/circuit-breaker.ts";
import { child, createVirtualNode, supervisor, type VirtualNode } from "../../../src/otp/index.ts";
import type { AttemptOutcome } from "../../../src/rpc/chain-view.ts";
import type { ChainState } from "../../../src/rpc/chain-state.ts";
import { chainState } from "./kit.ts";

const key = circuitBreakerKey("eth", "a", "http");

const start = async (): Promise<{ node: VirtualNode; state: ChainState; events: string[] }> => {
  const node = createVirtualNode({ seed: 1 });
  const state = chainState();
  const events: string[] = [];
  node.telemetry.attach("test", "*", ({ name, fields }) => {
    if (name.startsWith("circuit_breaker."))
      events.push([name, fields["reason"]].filter(Boolean).join(" "));
  });
  await node.start(
    supervisor("root", {
      intensity: 5,
      children: [
        child(circuitBreaker, { state, provider: "a", transport: "http" }, { register: key }),
      ],
    }),
  );
  return { node, state, events };
};

const outcome = (state: ChainState, errorClass: AttemptOutcome["errorClass"]): AttemptOutcome => {
  const row = state.rows("a").http;
  const { generation } = row;
  return { row, generation, method: "eth_call", errorClass, durationMs: 1 };
};

const fail = async (node: VirtualNode, state: ChainState, times: number): Promise<void> => {
  for (let i = 0; i < times; i += 1) node.via(key).cast.outcome(outcome(state, "transport"));
  await node.settle();
};

describe("the circuit breaker's process", () => {
  it("opens the cell after the failures of its category and says why", async () => {
    const { node, state, events } = await start();
    await fail(node, state, 2);
    expect(state.rows("a").http.state).toBe("closed");
    await fail(node, state, 1);
    expect(state.rows("a").http.state).toBe("open");
    expect(events).toEqual(["circuit_breaker.open network"]);
  });

  it("asks for a trial by itself when the pause is over", async () => {
    const { node, state, events } = await start();
    await fail(node, state, 3);
    await node.advance(9_999);
    expect(state.rows("a").http.state).toBe("open");
    await node.advance(10);
    expect(state.rows("a").http.state).toBe("half_open");
    expect(events.at(-1)).toBe("circuit_breaker.half_open recovery_timeout");
  });

  it("gives the permit back when a trial never settles, and opens again", async () => {
    const { node, state } = await start();
    await fail(node, state, 3);
    await node.advance(10_010);
    await node.advance(6_010);
    expect(state.rows("a").http.state).toBe("open");
  });

  it("stays open over its own death and forgets nothing but the count", async () => {
    const { node, state } = await start();
    await fail(node, state, 3);
    const { openUntilMs } = state.rows("a").http;
    node.inspector.exit(key.name, "kill");
    await node.settle();
    expect(node.whereis(key)).toBeDefined();
    expect(state.rows("a").http).toMatchObject({ state: "open", openUntilMs });
  });

  it("obeys an operator, and ends a forced state by itself", async () => {
    const { node, state, events } = await start();
    await node.drive(node.via(key).call.force({ action: "open", forMs: 3_000 }));
    expect(state.rows("a").http).toMatchObject({ state: "open", forced: true });
    await node.advance(3_010);
    expect(state.rows("a").http.state).toBe("half_open");
    await node.drive(node.via(key).call.force({ action: "reset" }));
    expect(state.rows("a").http).toMatchObject({ state: "closed", forced: false });
    expect(events[0]).toBe("circuit_breaker.forced");
  });

  it("leaves rate limits and reverts out of account", async () => {
    const { node, state } = await start();
    for (const errorClass of ["rate_limit", "revert", "capability"] as const) {
      for (let i = 0; i < 10; i += 1) node.via(key).cast.outcome(outcome(state, errorClass));
    }
    await node.settle();
    expect(state.rows("a").http.state).toBe("closed");
  });
});
