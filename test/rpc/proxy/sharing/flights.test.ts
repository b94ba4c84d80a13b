import { describe, expect, it } from "vitest";
import { FakeReply, type Script } from "../support.ts";
import { cachingWorld, servedAs } from "./world.ts";

const silent: Script = () => undefined;
const params = [{ to: "0xab" }, "0x1"];

describe("equal calls at the same time", () => {
  it("cause one attempt, and each gets its own id", () => {
    const w = cachingWorld({ script: silent });
    const replies = Array.from({ length: 32 }, () => w.ask("eth_call", params));
    expect(w.attempts).toBe(1);
    w.upstreams[0]?.calls[0]?.result('"0xcafe"');
    expect(replies.map(({ json }) => json)).toEqual(
      replies.map((_, index) => ({ jsonrpc: "2.0", id: index + 1, result: "0xcafe" })),
    );
    expect(replies.map(servedAs)).toEqual(["MISS", ...Array(31).fill("COALESCED")]);
    expect(replies.map(({ headers }) => headers["x-paceline-provider"])).toEqual(
      Array(32).fill("a"),
    );
    const ids = replies.map(({ headers }) => headers["x-paceline-request-id"]);
    expect(new Set(ids).size).toBe(32);
    expect(new Set(w.records.map(({ requestId }) => requestId))).toEqual(new Set(ids));
    expect(w.gateway.inFlight).toBe(0);
  });

  it("share whatever their method's answers are worth, but not beyond a new head", () => {
    const w = cachingWorld({ script: silent });
    w.ask("eth_syncing");
    expect([w.attempts, w.ask("eth_syncing").status]).toEqual([1, 0]);
    w.mine(1_001);
    w.ask("eth_syncing");
    expect(w.attempts).toBe(2);
    w.ask("eth_unheardOf");
    w.ask("eth_unheardOf");
    expect(w.attempts).toBe(4);
  });

  it("are not equal when params, method or the caller's wishes differ", () => {
    const w = cachingWorld({ script: silent });
    w.ask("eth_call", params);
    w.ask("eth_call", [{ to: "0xac" }, "0x1"]);
    w.ask("eth_estimateGas", params);
    w.ask("eth_call", params, "?provider=b");
    w.ask("eth_call", params, "?strategy=round-robin");
    w.ask("eth_call", params, "?no-failover=1");
    w.ask("eth_call", params, "?no-cache=1");
    w.ask("eth_call", params, "?no-cache=1");
    expect(w.attempts).toBe(8);
    w.ask("eth_call", params, "?provider=b");
    w.ask("eth_call", params, "?include_meta=headers");
    w.ask("eth_call", params, "?timeout=2s");
    expect(w.attempts).toBe(8);
  });

  it("never are notifications; equal writes share by rules of their own", () => {
    const w = cachingWorld({ script: silent });
    w.ask("eth_sendRawTransaction", ["0x01"]);
    // Two copies at once, and none for the same bytes again (test/rpc/write).
    expect(w.attempts).toBe(2);
    w.ask("eth_sendRawTransaction", ["0x01"]);
    expect(w.attempts).toBe(2);
    const notice = JSON.stringify({ jsonrpc: "2.0", method: "eth_call", params });
    const before = w.attempts;
    w.post(notice);
    w.post(notice);
    expect(w.attempts).toBe(before + 2);
  });

  it("share in a batch too", () => {
    const w = cachingWorld({ script: silent });
    const item = (id: number) => ({ jsonrpc: "2.0", id, method: "eth_call", params });
    const reply = w.post(JSON.stringify([item(1), item(1), item(2)]));
    expect(w.attempts).toBe(1);
    w.upstreams[0]?.calls[0]?.result("7");
    expect(reply.json).toEqual([1, 1, 2].map((id) => ({ jsonrpc: "2.0", id, result: 7 })));
  });

  it("share a failure, told in each one's own words", () => {
    const w = cachingWorld({
      providers: ["a"],
      script: silent,
    });
    const [first, second] = [w.ask("eth_call", params), w.ask("eth_call", params)];
    w.upstreams[0]?.calls[0]?.fail("refused");
    expect(w.attempts).toBe(1);
    for (const reply of [first, second]) {
      expect(reply.json.error).toMatchObject({ code: -32002, data: { reason: "exhausted" } });
      const own = reply.headers["x-paceline-request-id"];
      expect(reply.json.error.data.request_id).toBe(own);
    }
    expect([first?.json.id, second?.json.id]).toEqual([1, 2]);
    expect(w.records.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ["error", "exhausted"],
      ["error", "exhausted"],
    ]);
  });

  it("keep an id that looks like another one's error text", () => {
    const w = cachingWorld({ providers: ["a"], script: silent });
    const ask = (id: string) =>
      w.post(`{"jsonrpc":"2.0","id":${id},"method":"eth_call","params":[{},"0x1"]}`);
    const ids = ['"request_id"', '"\\u00e9é"', "12345678901234567890", "null"];
    const replies = ids.map(ask);
    w.upstreams[0]?.calls[0]?.error(-32000, "no such thing");
    replies.forEach((reply, index) => {
      expect(reply.text).toContain(`{"jsonrpc":"2.0","id":${ids[index]},"error":`);
      expect(reply.json.error).toEqual({ code: -32000, message: "no such thing" });
    });
  });
});

describe("a follower", () => {
  it("keeps its own deadline", () => {
    const w = cachingWorld({ providers: ["a"], script: silent });
    const first = w.ask("eth_call", params);
    const second = w.ask("eth_call", params, "?timeout=500ms");
    w.advance(600);
    expect(second.json.error).toMatchObject({ code: -32002, data: { reason: "deadline" } });
    expect(second.json.id).toBe(2);
    expect(w.records.at(-1)).toMatchObject({ outcome: "error", reason: "deadline" });
    w.upstreams[0]?.calls[0]?.result("1");
    expect(first.json.result).toBe(1);
    expect(w.gateway.inFlight).toBe(0);
  });

  it("has no less time than it asked for", () => {
    const w = cachingWorld({ providers: ["a"], script: silent });
    w.ask("eth_call", params, "?timeout=500ms");
    w.ask("eth_call", params);
    expect(w.attempts).toBe(2);
    w.advance(6_000);
    const late = w.ask("eth_call", params);
    expect(w.attempts).toBe(3);
    w.upstreams[0]?.calls.at(-1)?.result("1");
    expect(late.json.result).toBe(1);
  });

  it("gets its answer although the first caller has left", () => {
    const w = cachingWorld({ script: silent });
    const [first, second] = [w.ask("eth_call", params), w.ask("eth_call", params)] as const;
    first.isOpen = false;
    first.onGone?.();
    const [attempt] = w.upstreams[0]?.calls ?? [];
    expect(attempt?.isAborted).toBe(false);
    attempt?.result("1");
    expect(second.json).toEqual({ jsonrpc: "2.0", id: 2, result: 1 });
    expect(w.gateway.inFlight).toBe(0);
  });

  it("leaves without disturbing the others; the last one ends the attempt", () => {
    const w = cachingWorld({ script: silent });
    const replies = [1, 2, 3].map(() => w.ask("eth_call", params));
    const [attempt] = w.upstreams[0]?.calls ?? [];
    for (const index of [1, 0, 2]) {
      expect(attempt?.isAborted).toBe(false);
      (replies[index] as FakeReply).isOpen = false;
      replies[index]?.onGone?.();
    }
    expect(attempt?.isAborted).toBe(true);
    expect(w.gateway.inFlight).toBe(0);
    expect(w.records.map(({ outcome }) => outcome)).toEqual(["gone", "gone", "gone"]);
    // Nothing is left to join.
    w.ask("eth_call", params);
    expect(w.attempts).toBe(2);
  });

  it("makes a large answer come whole, while a lone caller's streams", () => {
    const script: Script = (c) => {
      if (w.attempts !== 2) return;
      c.chunks(large);
    };
    const large = ['{"jsonrpc":"2.0","id":$ID,"result":"', "x".repeat(300_000), '"}'];
    const w = cachingWorld({ script });
    const [first, second] = [w.ask("eth_call", params), w.ask("eth_call", params)] as const;
    w.upstreams[0]?.calls[0]?.chunks(large);
    expect(first.json.result).toHaveLength(300_000);
    expect(second.json.id).toBe(2);
    expect(second.json.result).toHaveLength(300_000);
  });

  it("does not join an answer that is already streaming", () => {
    const w = cachingWorld({ script: silent });
    const first = w.ask("eth_syncing");
    const [attempt] = w.upstreams[0]?.calls ?? [];
    attempt?.handler.onHead({ status: 200, sizeBytes: 600_000, retryAfter: undefined });
    attempt?.handler.onData(
      Buffer.from(`{"jsonrpc":"2.0","id":${attempt.id},"result":"${"x".repeat(300_000)}`),
    );
    expect(first.status).toBe(200);
    const second = w.ask("eth_syncing");
    expect(w.attempts).toBe(2);
    attempt?.handler.onData(Buffer.from('"}'));
    attempt?.handler.onEnd();
    w.upstreams[0]?.calls[1]?.result("1");
    expect([first.json.id, second.json.id]).toEqual([1, 2]);
  });

  it("is told in the explanation whose attempts brought the answer", () => {
    const w = cachingWorld({ script: silent });
    const first = w.ask("eth_call", params);
    const second = w.ask("eth_call", params, "?include_meta=body");
    w.upstreams[0]?.calls[0]?.result("1");
    expect(second.json.paceline).toMatchObject({
      cache: { status: "COALESCED" },
      flight: { shared_with: first.headers["x-paceline-request-id"] },
    });
  });
});

describe("the bounds of sharing", () => {
  it("are 1,000 followers; whoever comes then asks alone, and that is told", () => {
    const w = cachingWorld({ script: silent });
    for (let i = 0; i < 1_001; i++) w.ask("eth_call", params);
    expect(w.attempts).toBe(1);
    w.ask("eth_call", params);
    w.ask("eth_call", params);
    expect(w.attempts).toBe(3);
    const told = w.events.filter(({ name }) => name === "rpc.coalesce.overflow");
    expect(told.map(({ fields }) => fields)).toEqual([
      { chain: "ethereum", method: "eth_call", reason: "followers" },
    ]);
  });

  it("are 10,000 flights of a chain", () => {
    const w = cachingWorld({ script: silent, limits: { maxInFlight: 20_000 } });
    for (let i = 0; i < 10_001; i++) w.ask("eth_call", [{}, `0x${i.toString(16)}`]);
    expect(w.attempts).toBe(10_001);
    // The last one was alone, so nobody can join it; the first one can be joined.
    w.ask("eth_call", [{}, "0x2710"]);
    w.ask("eth_call", [{}, "0x0"]);
    expect(w.attempts).toBe(10_002);
    const told = w.events.filter(({ name }) => name === "rpc.coalesce.overflow");
    expect(told[0]?.fields).toEqual({ chain: "ethereum", method: "eth_call", reason: "flights" });
  });

  it("are 16 KiB of params", () => {
    const w = cachingWorld({ script: silent });
    const long = [{ data: `0x${"0".repeat(20_000)}` }, "0x1"];
    w.ask("eth_call", long);
    w.ask("eth_call", long);
    expect(w.attempts).toBe(2);
  });

  it("count followers among the calls in flight", () => {
    const w = cachingWorld({ script: silent, limits: { maxInFlight: 3 } });
    for (let i = 0; i < 3; i++) w.ask("eth_call", params);
    expect(w.gateway.inFlight).toBe(3);
    expect(w.ask("eth_call", params).json.error.data.reason).toBe("overloaded");
  });
});
