import { describe, expect, it } from "vitest";
import type { CallSummary } from "../../../src/rpc/selection/snapshot.ts";
import type { Script, ScriptedCall, World, WorldOptions } from "./support.ts";
import { world } from "./support.ts";

const call = (method = "eth_call", params: unknown = []): string =>
  JSON.stringify({ jsonrpc: "2.0", id: 7, method, params });

const silent: Script = () => undefined;
const sent = (w: World): number[] => w.upstreams.map(({ calls }) => calls.length);
const nth = (w: World, provider: number, at = 0): ScriptedCall =>
  w.upstreams[provider]?.calls[at] as ScriptedCall;
const names = (w: World): string[] => w.events.map(({ name }) => name);

/** A world in which the first provider says nothing. */
const slowFirst = (options: WorldOptions = {}): World => {
  const w = world(options);
  (w.upstreams[0] as { script: Script }).script = silent;
  return w;
};

const usual = (q95Ms: number, q99Ms = q95Ms): NonNullable<WorldOptions["calls"]> => ({
  get: () =>
    ({
      samples: 100,
      n: 100,
      q95Ms,
      q99Ms,
      answeredQ99Ms: q99Ms,
      p50Ms: 5,
      failureRatio: 0,
    }) as CallSummary,
});

describe("a hedge", () => {
  it("asks a second provider after 500 ms while nothing is known, and its answer wins", () => {
    const w = slowFirst();
    const reply = w.post(call());
    w.advance(495);
    expect(sent(w)).toEqual([1, 0, 0]);
    w.advance(10);
    expect(sent(w)).toEqual([1, 1, 0]);
    expect(reply.json).toEqual({ jsonrpc: "2.0", id: 7, result: "0x1" });
    expect(reply.headers["x-paceline-provider"]).toBe("b");
    expect(reply.headers["x-paceline-attempts"]).toBe("a=primary:cancelled:500;b=hedge:ok:0:won");
    expect(nth(w, 0).isAborted).toBe(true);
    expect(names(w)).toEqual(["rpc.hedge.fired", "rpc.hedge.won"]);
    expect(w.gateway.engine.wheel.size).toBe(0);
    expect(w.rows.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0]);
  });

  it.each([
    [3, 100],
    [250, 250],
    [9000, 2000],
  ])("waits for the q95 of the method, %d ms, within bounds: %d ms", (q95Ms, waitMs) => {
    const w = slowFirst({ calls: usual(q95Ms, 10_000) });
    w.post(call());
    w.advance(waitMs - 5);
    expect(sent(w)).toEqual([1, 0, 0]);
    w.advance(10);
    expect(sent(w)).toEqual([1, 1, 0]);
  });

  it("leaves the loser without blame, and its slowness as a sample when it was unusual", () => {
    const w = slowFirst({ calls: usual(100, 120) });
    w.post(call());
    w.advance(105);
    expect(w.recorded).toEqual([{ provider: "b", errorClass: "ok", durationMs: 0 }]);
    w.upstreams.forEach((upstream) => {
      upstream.script = silent;
    });
    w.post(call());
    w.advance(200);
    nth(w, 1, 1).result('"0x2"');
    expect(w.recorded.slice(1)).toEqual([
      { provider: "b", errorClass: "ok", durationMs: 100 },
      { provider: "a", errorClass: "censored", durationMs: 200 },
    ]);
    expect(w.reports).toEqual([]);
  });

  it.each([
    ["a raw transaction", call("eth_sendRawTransaction", ["0x01"]), "/rpc/ethereum"],
    ["a call that forbids it", call(), "/rpc/ethereum?no-hedge=on"],
    ["a call without failover", call(), "/rpc/no-failover/ethereum"],
    ["a call to one provider", call(), "/rpc/provider/a/ethereum"],
  ])("is not sent for %s", (_what, body, url) => {
    const w = world({ script: silent, calls: usual(50, 5_000) });
    w.post(body, url);
    w.advance(700);
    expect(names(w).filter((name) => name.includes("hedge"))).toEqual([]);
  });

  it("goes to another vendor where there is one", () => {
    const w = slowFirst({ vendors: { a: "one", b: "one", c: "two" } });
    w.post(call());
    w.advance(510);
    expect(sent(w)).toEqual([1, 0, 1]);
  });

  // Logs, because the stall rule looks after many cheap calls that hang together.
  it("spends a twentieth of the requests, with ten saved up", () => {
    const w = world({ script: silent });
    for (let at = 0; at < 40; at++) w.post(call("eth_getLogs", [{ address: `0x${at}` }]));
    w.advance(510);
    expect(sent(w)).toEqual([40, 10, 0]);
    expect(names(w).filter((name) => name === "rpc.hedge.fired")).toHaveLength(10);
    expect(names(w).filter((name) => name === "rpc.hedge.budget_exhausted")).toHaveLength(30);
  });

  it("never wins with an empty answer while the first provider may know more", () => {
    const w = world({ script: silent });
    const reply = w.post(call("eth_getTransactionReceipt", ["0xaa"]));
    w.advance(510);
    nth(w, 1).result("null");
    expect(reply.isEnded).toBe(false);
    nth(w, 0).result('{"status":"0x1"}');
    expect(reply.json.result).toEqual({ status: "0x1" });
    expect(reply.headers["x-paceline-provider"]).toBe("a");
  });

  it("gives the empty answer once both legs have", () => {
    const w = world({ script: silent });
    const reply = w.post(call("eth_getTransactionReceipt", ["0xaa"]));
    w.advance(510);
    nth(w, 1).result("null");
    nth(w, 0).result("null");
    expect(reply.text).toBe('{"jsonrpc":"2.0","id":7,"result":null}');
    expect(w.gateway.engine.wheel.size).toBe(0);
  });

  it("fails over at once when one leg breaks, and waits for the other when nobody is left", () => {
    const w = world({ script: silent });
    const reply = w.post(call());
    w.advance(510);
    nth(w, 1).fail("reset");
    expect(sent(w)).toEqual([1, 1, 1]);
    nth(w, 2).fail("reset");
    expect(reply.isEnded).toBe(false);
    nth(w, 0).result('"0x5"');
    expect(reply.json.result).toBe("0x5");
  });

  it("ends both legs with an error that is the same everywhere", () => {
    const w = world({ script: silent });
    const reply = w.post(call());
    w.advance(510);
    nth(w, 1).error(3, "execution reverted", "0x");
    expect(reply.json.error.code).toBe(3);
    expect(nth(w, 0).isAborted).toBe(true);
  });

  it("does not move a breaker when it fails itself", () => {
    const w = slowFirst();
    (w.upstreams[1] as { script: Script }).script = (c) => c.fail("refused");
    w.post(call());
    w.advance(510);
    expect(w.reports).toEqual([]);
    expect(w.rows[1]?.dirty).toBe(false);
  });

  it("comes on top of the three tries, so a fourth provider can still save the call", () => {
    const w = world({ providers: ["a", "b", "c", "d"], script: silent });
    (w.upstreams[3] as { script: Script }).script = (c) => c.result('"0x9"');
    const reply = w.post(call());
    w.advance(9_900);
    expect(reply.json.result).toBe("0x9");
  });

  it("takes both legs with it when the client leaves", () => {
    const w = world({ script: silent });
    const reply = w.post(call());
    w.advance(510);
    reply.onGone?.();
    expect([nth(w, 0).isAborted, nth(w, 1).isAborted]).toEqual([true, true]);
    expect(w.gateway.inFlight).toBe(0);
    expect(w.gateway.engine.wheel.size).toBe(0);
  });

  it("is not sent once bytes of the answer are with the client", () => {
    const w = world({ script: silent });
    const big = `"${"a".repeat(300_000)}"`;
    w.post(call());
    const first = nth(w, 0);
    first.handler.onHead({ status: 200, sizeBytes: -1, retryAfter: undefined });
    first.handler.onData(Buffer.from(`{"jsonrpc":"2.0","id":${first.id},"result":${big}`));
    w.advance(700);
    expect(sent(w)).toEqual([1, 0, 0]);
  });
});
