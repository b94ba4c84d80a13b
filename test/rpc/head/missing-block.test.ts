import { describe, expect, it } from "vitest";
import { headTracker, headTrackerKey } from "../../../actors/rpc/head-tracker.ts";
import { child, createVirtualNode, supervisor } from "../../../src/otp/index.ts";
import { chainState } from "../actors/kit.ts";

const start = async () => {
  const node = createVirtualNode({ seed: 3 });
  const state = chainState();
  await node.start(
    supervisor("root", {
      children: [child(headTracker, { state }, { register: headTrackerKey("eth") })],
    }),
  );
  const { cast } = node.via(headTrackerKey("eth"));
  cast.polled({ provider: "a", number: 1_000, atMs: 0 });
  await node.settle();
  const headOf = (): number => state.rows("a").http.head;
  return { node, cast, headOf, rows: state.rows("a") };
};

describe("a provider without a block near the head that it told", () => {
  it("is believed to be below that block until it tells a head again", async () => {
    const { node, cast, headOf, rows } = await start();
    expect(headOf()).toBe(1_000);
    cast.lacks({ provider: "a", block: 998 });
    await node.settle();
    expect(headOf()).toBe(997);
    expect(rows.ws.head).toBe(-1);
    cast.polled({ provider: "a", number: 1_000, atMs: 1 });
    await node.settle();
    expect(headOf()).toBe(1_000);
  });

  it("is left alone when the block is old, or above its head anyway", async () => {
    const { node, cast, headOf } = await start();
    cast.lacks({ provider: "a", block: 872 });
    cast.lacks({ provider: "a", block: 1_001 });
    await node.settle();
    expect(headOf()).toBe(1_000);
  });
});
