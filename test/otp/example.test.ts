/** The reference's example, run on virtual time. */
import { describe, expect, it } from "vitest";
import { createVirtualNode } from "../../src/otp/index.ts";
import { breakerKey } from "./example/breaker.ts";
import { endpoint } from "./example/endpoint.ts";
import { headKey } from "./example/head.ts";

describe("the example of the reference", () => {
  it("answers waiting calls when the polled head arrives", async () => {
    const node = createVirtualNode();
    let block = 10;
    await node.start(endpoint({ chain: "eth", url: "a", fetchHead: async () => block }));
    const head = node.whereis(headKey("eth", "a"));
    const waiting = head?.call.above(5);
    await node.advance(1_000);
    expect(await waiting).toBe(10);
    block = 12;
    head?.cast.pushed({ number: 20 });
    await node.settle();
    expect(await head?.call.above(15)).toBe(20);
    await node.stop();
  });

  it("opens the breaker after five failures, restarts the tracker late, closes again", async () => {
    const node = createVirtualNode({ seed: 7 });
    const moves: unknown[] = [];
    node.telemetry.attach("moves", "rpc.breaker.moved", (event) =>
      moves.push(event.fields["open"]),
    );
    let isUp = false;
    const fetchHead = async (): Promise<number> => {
      if (!isUp) throw new Error("down");
      return 1;
    };
    await node.start(endpoint({ chain: "eth", url: "a", fetchHead }));
    const breaker = node.whereis(breakerKey("eth", "a"));
    await node.advance(5_000);
    expect(await breaker?.call.admit()).toEqual({ ok: false });
    expect(moves).toEqual([1]);
    // The tracker stopped itself after five misses and waits out its backoff.
    expect(node.whereis(headKey("eth", "a"))).toBeUndefined();
    expect(node.inspector.tree()?.children[1]).toMatchObject({ status: "restarting" });
    isUp = true;
    await node.advance(500);
    expect(node.whereis(headKey("eth", "a"))).toBeDefined();
    await node.advance(11_000);
    expect(moves).toEqual([1, 0]);
    expect(await breaker?.call.admit()).toEqual({ ok: true });
    await node.stop();
  });
});
