import { describe, expect, it } from "vitest";
import type { ScriptedUpstream, World } from "./support.ts";
import { FakeReply, world } from "./support.ts";

const rpc = (body: unknown): string => JSON.stringify(body);
const call = (id: unknown, method = "eth_call", params: readonly unknown[] = []): object => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
});
/** A call that equals no other one, so that it shares no attempt. */
const ownCall = (id: number): object => call(id, "eth_call", [id]);

describe("the envelope over HTTP", () => {
  it.each([
    ["", 400, -32700, null],
    ["{", 400, -32700, null],
    ['{"jsonrpc":"2.0","id":1,"method":"eth_call"} x', 400, -32700, null],
    ["\u{feff}{}", 400, -32700, null],
    ['"hello"', 400, -32600, null],
    ["{}", 400, -32600, null],
    ['{"id":1}', 400, -32600, 1],
    ['{"id":1,"method":"eth_call"}', 400, -32600, 1],
    ['{"jsonrpc":"2.1","id":"x","method":"eth_call"}', 400, -32600, "x"],
    ['{"jsonrpc":2.0,"id":4,"method":"eth_call"}', 400, -32600, 4],
    ['{"jsonrpc":"2.0","id":{},"method":"eth_call"}', 400, -32600, null],
    ['{"jsonrpc":"2.0","id":[1],"method":"eth_call"}', 400, -32600, null],
    ['{"jsonrpc":"2.0","id":true,"method":"eth_call"}', 400, -32600, null],
    ['{"jsonrpc":"2.0","id":1.5,"method":"eth_call"}', 400, -32600, null],
    ['{"jsonrpc":"2.0","id":1e3,"method":"eth_call"}', 400, -32600, null],
    ['{"jsonrpc":"2.0","id":1,"method":5}', 400, -32600, 1],
    ['{"jsonrpc":"2.0","id":1,"method":""}', 400, -32600, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}', 400, -32600, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"a","m\\u0065thod":"b"}', 400, -32600, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"a","Method":"b"}', 400, -32600, 1],
    ['{"jsonrpc":"2.0","id":1,"id":2,"method":"a"}', 400, -32600, null],
    ['{"jsonrpc":"2.0","id":1,"method":"eth_call","params":"x"}', 400, -32602, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"eth_call","params":5}', 400, -32602, 1],
  ])("answers %s with %i and %i", (body, status, code, id) => {
    const reply = world().post(body);
    expect(reply.status).toBe(status);
    expect(reply.json.error.code).toBe(code);
    expect(reply.json.id).toBe(id);
    expect(reply.headers["content-length"]).toBe(String(reply.body.length));
  });

  it("refuses invalid UTF-8, overlong forms included", () => {
    const head = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"eth_call","params":["');
    for (const bytes of [[0xc0, 0xaf], [0xff], [0xed, 0xa0, 0x80]]) {
      const reply = world().post(Buffer.concat([head, Buffer.from(bytes), Buffer.from('"]}')]));
      expect(reply.json.error.code).toBe(-32700);
    }
  });

  it("refuses deep nesting at once", () => {
    const reply = world().post(`[${"[".repeat(5_000_000)}`);
    expect(reply.status).toBe(400);
    expect(reply.json.error).toMatchObject({
      code: -32700,
      message: expect.stringContaining("64"),
    });
  });

  it.each(['"a"', '"\\u00e9"', '"é"', "null", "-1", "12345678901234567890", '""'])(
    "echoes the id %s as it stood",
    (token) => {
      const reply = world().post(`{"jsonrpc":"2.0","id":${token},"method":"eth_call"}`);
      expect(reply.text).toBe(`{"jsonrpc":"2.0","id":${token},"result":"0x1"}`);
    },
  );

  it("refuses an id over 256 bytes", () => {
    const reply = world().post(rpc(call("x".repeat(257))));
    expect(reply.json).toMatchObject({ id: null, error: { code: -32600 } });
    expect(world().post(rpc(call("x".repeat(256)))).json.id).toBe("x".repeat(256));
  });

  it("processes a notification without a body", () => {
    const w = world();
    const reply = w.post('{"jsonrpc":"2.0","method":"eth_call","params":[1]}');
    expect([reply.status, reply.text]).toEqual([204, ""]);
    const sent = w.upstreams[0]?.calls[0];
    expect(sent?.request).toEqual({
      id: sent?.id,
      jsonrpc: "2.0",
      method: "eth_call",
      params: [1],
    });
  });
});

describe("a batch", () => {
  it("answers in order whatever the order of the answers", () => {
    const w = world({ script: () => undefined });
    const reply = w.post(rpc([ownCall(1), call("b"), call(1, "eth_call", [2])]));
    const [first, second, third] = w.upstreams[0]?.calls ?? [];
    third?.result('"c"');
    first?.result('"a"');
    second?.result('"b"');
    expect(reply.status).toBe(200);
    expect(reply.json.map((a: any) => [a.id, a.result])).toEqual([
      [1, "a"],
      ["b", "b"],
      [1, "c"],
    ]);
    expect(reply.headers["content-length"]).toBe(String(reply.body.length));
  });

  it("answers mixed junk item by item", () => {
    const reply = world().post(
      '[1,{"jsonrpc":"2.0","id":2,"method":"eth_chainId"},"x",{"id":3},[]]',
    );
    expect(reply.json.map((a: any) => [a.id, a.result ?? a.error.code])).toEqual([
      [null, -32600],
      [2, "0x1"],
      [null, -32600],
      [3, -32600],
      [null, -32600],
    ]);
  });

  it("answers an empty batch with one object, and notifications with nothing", () => {
    expect(world().post("[]").json).toMatchObject({ id: null, error: { code: -32600 } });
    const reply = world().post('[{"jsonrpc":"2.0","method":"eth_call"}]');
    expect([reply.status, reply.text]).toEqual([204, ""]);
  });

  it("refuses more calls than the limit with the first call's id", () => {
    const reply = world().post(rpc(Array.from({ length: 101 }, (_, id) => call(id + 5))));
    expect(reply.status).toBe(200);
    expect(reply.json).toMatchObject([{ id: 5, error: { code: -32600 } }]);
    expect(reply.json).toHaveLength(1);
    const notified = `[{"jsonrpc":"2.0","method":"eth_call"},${"1,".repeat(100)}${rpc(call(9))}]`;
    expect(world().post(notified).json).toMatchObject([{ id: 9, error: { code: -32600 } }]);
    const huge = world({ limits: { maxBatchItems: 1000 } });
    expect(huge.post(`[${"1,".repeat(500_000)}1]`).json).toHaveLength(1);
    expect(huge.post(`[${"1,".repeat(999)}1]`).json).toHaveLength(1000);
  });

  it("runs 16 calls at a time", () => {
    const w = world({ script: () => undefined });
    w.post(rpc(Array.from({ length: 40 }, (_, id) => ownCall(id))));
    expect(w.upstreams[0]?.calls).toHaveLength(16);
    w.upstreams[0]?.calls[3]?.result("1");
    expect(w.upstreams[0]?.calls).toHaveLength(17);
  });

  it("lets a failing call fail alone", () => {
    const w = world({
      script: (c) => {
        if (c.request.method === "eth_gasPrice") c.error(3, "execution reverted");
        else c.result("1");
      },
    });
    const reply = w.post(rpc([call(1), call(2, "eth_gasPrice"), call(3)]));
    expect(reply.json.map((a: any) => a.result ?? a.error.code)).toEqual([1, 3, 1]);
  });

  it("replaces answers beyond the size cap", () => {
    const w = world({
      limits: { maxBatchResponseBytes: 1000 },
      script: (c) => c.result(`"${"x".repeat(400)}"`),
    });
    const reply = w.post(rpc([call(1), call(2), call(3), call(4)]));
    expect(reply.json.map((a: any) => a.error?.code)).toEqual([
      undefined,
      undefined,
      -32008,
      -32008,
    ]);
  });

  it("stops when the client leaves", () => {
    const w = world({ script: () => undefined });
    const reply = w.post(rpc(Array.from({ length: 40 }, (_, id) => ownCall(id))));
    reply.isOpen = false;
    reply.onGone?.();
    expect(w.gateway.inFlight).toBe(0);
    expect(w.upstreams[0]?.calls).toHaveLength(16);
  });
});

describe("paths and directives", () => {
  it.each([
    "/rpc/ethereum",
    "/rpc/eth",
    "/rpc/1",
    "/rpc/0x1",
    "/ws/ethereum",
    "/ws/rpc/ethereum",
    "/rpc/ethereum/",
  ])("serves %s", (url) => {
    expect(world().post(rpc(call(1)), url).json.result).toBe("0x1");
  });

  it("takes the strategy from the path, a header or the query, and the query wins", () => {
    const strategy = (url: string, headers?: string[]) =>
      world().post(rpc(call(1)), url, headers).headers["x-paceline-strategy"];
    expect(strategy("/rpc/ethereum")).toBe("priority");
    expect(strategy("/rpc/fastest/ethereum")).toBe("fastest");
    expect(strategy("/rpc/ethereum", ["X-Paceline-Strategy", "cheapest"])).toBe("cheapest");
    expect(strategy("/rpc/ethereum?strategy=fastest", ["x-paceline-strategy", "cheapest"])).toBe(
      "fastest",
    );
  });

  it("asks only the provider that the path names", () => {
    for (const url of ["/rpc/provider/b/ethereum", "/rpc/ethereum/b"]) {
      const w = world({ script: (c) => c.fail("refused") });
      expect(w.post(rpc(call(1)), url).json.error.code).toBe(-32002);
      expect(w.upstreams.map(({ calls }) => calls.length)).toEqual([0, 1, 0]);
    }
  });

  it("leaves the provider that the path names only when failover=on says so", () => {
    const brokenB = (): World => {
      const w = world();
      (w.upstreams[1] as ScriptedUpstream).script = (c) => c.fail("refused");
      return w;
    };
    for (const url of [
      "/rpc/provider/b/ethereum?failover=on",
      "/rpc/ethereum?failover=on&provider=b",
    ]) {
      const reply = brokenB().post(rpc(call(1)), url);
      expect(reply.json.result, url).toBe("0x1");
      expect(reply.headers["x-paceline-attempts"]).toMatch(
        /^b=primary:transport:\d+;a=failover:ok/,
      );
    }
    const strict = brokenB().post(rpc(call(1)), "/rpc/ethereum?provider=b");
    expect(strict.json.error.code).toBe(-32002);
  });

  it("names the request in the headers of every JSON answer, refusals and empty ones included", () => {
    const notification = '{"jsonrpc":"2.0","method":"eth_call"}';
    for (const [body, url] of [
      [rpc(call(1)), "/rpc/nowhere"],
      [rpc(call(1)), "/rpc/ethereum?timeout=2h"],
      ["junk", "/rpc/ethereum"],
      ["[]", "/rpc/ethereum"],
      [notification, "/rpc/ethereum"],
      [`[${notification}]`, "/rpc/ethereum"],
    ] as const) {
      const { headers, text } = world().post(body, url);
      expect(headers["x-paceline-request-id"], body).toMatch(/./);
      const named = text === "" ? undefined : JSON.parse(text).error.data.request_id;
      if (named !== undefined) expect(headers["x-paceline-request-id"]).toBe(named);
    }
  });

  it("takes a header's underscores for dashes, as the query's", () => {
    const headers = ["X-Paceline-Include_Meta", "body"];
    expect(world().post(rpc(call(1)), "/rpc/ethereum", headers).json.paceline).toBeDefined();
  });

  it.each([
    ["/rpc/nowhere", 404, -32001, "unknown_chain"],
    ["/rpc/fastest/nowhere", 404, -32001, "unknown_chain"],
    ["/rpc/provider/z/ethereum", 404, -32001, "unknown_provider"],
    ["/rpc/ethereum/z", 404, -32001, "unknown_provider"],
    ["/rpc/ethereum?provider=z", 404, -32001, "unknown_provider"],
    ["/rpc", 404, -32001, "unknown_route"],
    ["/rpc/a/b/c/d", 404, -32001, "unknown_route"],
    ["/rpc/ethereum?strategy=best", 404, -32001, "unknown_strategy"],
    ["/rpc/ethereum?timeout=2h", 400, -32602, "bad_directive"],
    ["/rpc/ethereum?timeout=61s", 400, -32602, "bad_directive"],
  ])("answers %s with %i and a JSON-RPC error", (url, status, code, reason) => {
    const reply = world().post(rpc(call(9)), url);
    expect(reply.status).toBe(status);
    expect(reply.json).toMatchObject({ jsonrpc: "2.0", id: 9, error: { code, data: { reason } } });
  });

  it("keeps the caller's timeout and failover choice", () => {
    const w = world({ script: () => undefined });
    const reply = w.post(rpc(call(1)), "/rpc/ethereum?timeout=500ms&failover=off");
    w.advance(510);
    expect(reply.json.error.code).toBe(-32002);
    expect(w.upstreams.map(({ calls }) => calls.length)).toEqual([1, 0, 0]);
  });

  it("refuses other content types, other methods and bodies it could not read", () => {
    const w = world();
    const plain = w.post(rpc(call(1)), "/rpc/ethereum", ["Content-Type", "text/plain"]);
    expect(plain.status).toBe(415);
    const send = (fields: object): FakeReply => {
      const reply = new FakeReply();
      w.gateway.http.handle(
        {
          method: "POST",
          url: "/rpc/ethereum",
          host: "h:1",
          isSecure: false,
          rawHeaders: [],
          body: Buffer.alloc(0),
          bodyFault: undefined,
          ...fields,
        },
        reply,
      );
      return reply;
    };
    expect(send({ method: "PUT" })).toMatchObject({ status: 405, headers: { allow: "POST, GET" } });
    expect(send({ bodyFault: "too_large" }).status).toBe(413);
    expect(send({ bodyFault: "bad_encoding" }).status).toBe(415);
    const page = send({ method: "GET" });
    expect(page.status).toBe(200);
    expect(page.text).toContain("curl -s http://h:1/rpc/ethereum");
    expect(send({ method: "GET", url: "/rpc/nowhere" }).status).toBe(404);
  });

  it("explains in a header or in the body", () => {
    const w = world();
    const header = w.post(rpc(call(1)), "/rpc/ethereum?include_meta=headers").headers[
      "x-paceline-meta"
    ];
    const meta = JSON.parse(Buffer.from(header as string, "base64url").toString());
    expect(meta).toMatchObject({ method: "eth_call", attempts: [{ provider: "a", class: "ok" }] });
    expect(meta.candidates).toHaveLength(6);
    const body = w.post(rpc(call(1)), "/rpc/ethereum?include_meta=body").json;
    expect(body).toMatchObject({ id: 1, result: "0x1", paceline: { chain: "ethereum" } });
  });
});

describe("what needs no provider", () => {
  it.each([
    ["eth_chainId", "0x1"],
    ["net_version", "1"],
    ["web3_clientVersion", "Paceline/test"],
    ["net_listening", true],
    ["eth_accounts", []],
  ])("answers %s itself", (method, result) => {
    const w = world();
    const reply = w.post(rpc(call(1, method)));
    expect(reply.json.result).toEqual(result);
    expect(reply.headers["x-paceline-cache"]).toBe("LOCAL");
    expect(w.upstreams[0]?.calls).toHaveLength(0);
  });

  it.each([
    "personal_sign",
    "admin_peers",
    "eth_sendTransaction",
    "eth_signTypedData_v9",
    "debug_x",
  ])("denies %s", (method) => {
    const w = world();
    const reply = w.post(rpc(call(1, method)));
    expect(reply.status).toBe(200);
    expect(reply.json.error).toMatchObject({ code: -32004, data: { reason: "method_denied" } });
    expect(w.upstreams[0]?.calls).toHaveLength(0);
  });

  it("names the methods it serves to rpc.discover, and none that it denies", () => {
    const { result } = world().post(rpc(call(1, "rpc.discover"))).json;
    expect(result.openrpc).toMatch(/^1\./);
    const names = result.methods.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(["eth_call", "eth_chainId", "eth_subscribe"]));
    expect(names).not.toContain("eth_sign");
  });

  it("relays a denied method that the chain allows, and only that", () => {
    const w = world({ allow: ["debug_traceTransaction"] });
    expect(w.post(rpc(call(1, "debug_traceTransaction"))).json.result).toBe("0x1");
    expect(w.post(rpc(call(1, "debug_traceCall"))).json.error.code).toBe(-32004);
  });

  it("denies what the chain denies, allowed, local or standard though it be", () => {
    const deny = ["debug_traceCall", "eth_chainId", "eth_getProof"];
    const w = world({ allow: ["debug_traceCall"], deny });
    for (const method of deny) {
      const { error } = w.post(rpc(call(1, method))).json;
      expect(error, method).toMatchObject({ code: -32004, data: { reason: "method_denied" } });
    }
    expect(w.upstreams[0]?.calls).toHaveLength(0);
    const { result } = w.post(rpc(call(1, "rpc.discover"))).json;
    expect(result.methods.map(({ name }: { name: string }) => name)).not.toContain("eth_getProof");
  });

  it("asks another provider for a trace that one fails to give", () => {
    const w = world({ allow: ["trace_block"] });
    (w.upstreams[0] as ScriptedUpstream).script = (c) => c.answer("down", 502);
    expect(w.post(rpc(call(1, "trace_block"))).json.result).toBe("0x1");
    expect(w.upstreams[1]?.calls).toHaveLength(1);
  });

  it("points a subscriber to the WebSocket", () => {
    const { error } = world().post(rpc(call(1, "eth_subscribe"))).json;
    expect(error.code).toBe(-32004);
    expect(error.data.websocket_url).toBe("ws://localhost:8080/rpc/ethereum");
  });

  it("answers 503 while it drains", () => {
    const w = world();
    w.isDraining = true;
    const reply = w.post(rpc(call(1)));
    expect(reply.status).toBe(503);
    expect(reply.headers["retry-after"]).toBe("1");
    expect(reply.json.error.data.reason).toBe("draining");
  });

  it("answers 503 when too much is in flight", () => {
    const w = world({ script: () => undefined, limits: { maxInFlight: 2 } });
    w.post(rpc(call(1)));
    w.post(rpc(call(2)));
    expect(w.post(rpc(call(3)))).toMatchObject({ status: 503 });
  });
});
