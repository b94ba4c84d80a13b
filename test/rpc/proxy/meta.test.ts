/** Explanations that clients ask for: headers, a member, notifications; and who may ask at all. */
import { describe, expect, it } from "vitest";
import { MAX_META_HEADER } from "../../../src/rpc/explain/trim.ts";
import type { SessionSink } from "../../../src/rpc/proxy/ports.ts";
import type { World } from "./support.ts";
import { world } from "./support.ts";

const call = (id: unknown, method = "eth_call", more: object = {}): object => ({
  jsonrpc: "2.0",
  id,
  method,
  params: [],
  ...more,
});
const text = JSON.stringify;
const json = ["Content-Type", "application/json"];
const decoded = (header: string | undefined): any =>
  JSON.parse(Buffer.from(header ?? "", "base64url").toString());

/** A WebSocket client: what it says, and what it was sent. */
function connect(w: World, url = "/rpc/ethereum", headers: readonly string[] = []) {
  const admission = w.gateway.ws.admit(url, headers);
  if (!admission.ok) return admission;
  const sent: string[] = [];
  const sink: SessionSink = {
    id: 1,
    send: (message) => void sent.push(message.toString()),
    sendFrame: () => undefined,
    bufferedBytes: 0,
    sentBytes: 0,
    close: () => undefined,
    isOpen: true,
    pause: () => undefined,
    resume: () => undefined,
  };
  const session = w.gateway.ws.open(admission.route, sink, `ws://h${url}`);
  const say = (message: unknown): void =>
    session.onMessage(Buffer.from(typeof message === "string" ? message : text(message)));
  return { ok: true as const, say, sent, read: (): any[] => sent.map((one) => JSON.parse(one)) };
}

function connected(...args: Parameters<typeof connect>) {
  const made = connect(...args);
  if (!made.ok) throw new Error(made.body);
  return made;
}

const upstreamBodies = (w: World): string[] =>
  w.upstreams.flatMap(({ calls }) => calls.map(({ body }) => body.toString()));

describe("a batch over HTTP", () => {
  it("says in its headers what its calls have in common", () => {
    const w = world();
    w.upstreams[0]!.script = (one) =>
      one.request.method === "eth_gasPrice" ? one.error(3, "reverted") : one.result("1");
    const { headers } = w.post(text([call(1), call(2, "eth_gasPrice"), call(3, "eth_chainId")]));
    expect(headers["x-paceline-batch"]).toBe("items=3;errors=1;attempts=2");
    expect(headers["x-paceline-cache"]).toBe("MIXED");
    expect(headers["x-paceline-provider"]).toBe("a");
    expect(headers["server-timing"]).toMatch(/^total;dur=\d/);
    expect(headers["x-paceline-strategy"]).toBe("priority");
    expect(w.post(text([call(1), call(2)])).headers["x-paceline-cache"]).toBe("MISS");
  });

  it("lists its calls in the explanation header, as many as fit", () => {
    const w = world({ limits: { maxBatchItems: 100 } });
    const few = w.post(text([call(1), call(2)]), "/rpc/ethereum?include_meta=headers");
    const meta = decoded(few.headers["x-paceline-meta"]);
    expect(meta.request_id).toBe(few.headers["x-paceline-request-id"]);
    expect(meta.items).toMatchObject([
      { method: "eth_call", provider: "a", outcome: "ok", attempts: "a=primary:ok:0:won" },
      { method: "eth_call" },
    ]);
    expect(w.gateway.explainer.request(meta.items[1].request_id)).toMatchObject({ provider: "a" });
    const calls = Array.from({ length: 100 }, (_, i) => call(i));
    const many = w.post(text(calls), "/rpc/ethereum?include_meta=headers").headers[
      "x-paceline-meta"
    ];
    expect(many?.length).toBeLessThanOrEqual(MAX_META_HEADER);
    expect(decoded(many)).toMatchObject({ truncated: true, items: expect.any(Array) });
  });

  it("explains each call in its own answer", () => {
    const w = world();
    const { json: answers } = w.post(
      text([call(1), call("x", "eth_chainId"), { jsonrpc: "2.0", method: "eth_call" }]),
      "/rpc/debug/ethereum",
    );
    expect(answers).toMatchObject([
      { id: 1, result: "0x1", paceline: { method: "eth_call", attempts: [{ class: "ok" }] } },
      { id: "x", result: "0x1", paceline: { cache: { status: "LOCAL" }, attempts: [] } },
    ]);
    expect(answers).toHaveLength(2);
  });
});

describe("a client's own request id", () => {
  it("comes back beside ours and finds the request", () => {
    const w = world();
    const { headers } = w.post(text(call(1)), "/rpc/ethereum", [
      ...json,
      "x-paceline-request-id",
      "trace:4bf92f/77",
    ]);
    expect(headers["x-paceline-client-request-id"]).toBe("trace:4bf92f/77");
    expect(headers["x-paceline-request-id"]).toBe("req1");
    const { explainer } = w.gateway;
    expect(explainer.request("trace:4bf92f/77")?.request_id).toBe("req1");
    expect(explainer.request("req1")?.client_request_id).toBe("trace:4bf92f/77");
    expect(explainer.request("nobody")).toBeUndefined();
  });

  it.each(["", "x".repeat(65), "a b", "ä", "a\r\nb", "<x>"])("is not taken note of: %j", (id) => {
    const { headers } = world().post(text(call(1)), "/rpc/ethereum", [
      ...json,
      "X-Paceline-Request-Id",
      id,
    ]);
    expect(headers["x-paceline-client-request-id"]).toBeUndefined();
  });
});

describe("a call over WebSocket", () => {
  it("is explained in a notification behind its answer, and the wish is not passed on", () => {
    const w = world();
    const { say, read } = connected(w);
    say('{"jsonrpc":"2.0","paceline_meta":"notify","id":7,"method":"eth_call","params":[1]}');
    say('{"jsonrpc":"2.0","id":8,"method":"eth_call" , "paceline_meta" : "notify" }');
    say('{"jsonrpc":"2.0","id":9,"method":"eth_call","paceline_meta":"other"}');
    expect(read()).toMatchObject([
      { id: 7, result: "0x1" },
      { method: "paceline_meta", params: { id: 7, method: "eth_call", provider: "a" } },
      { id: 8, result: "0x1" },
      { method: "paceline_meta", params: { id: 8, v: 1 } },
      { id: 9, result: "0x1" },
    ]);
    const bodies = upstreamBodies(w);
    expect(bodies.join()).not.toContain("paceline_meta");
    expect(bodies.map((body) => JSON.parse(body).method)).toEqual(Array(3).fill("eth_call"));
  });

  it("is refused when it wants it twice, as any member that stands twice", () => {
    const { say, read } = connected(world());
    say('{"jsonrpc":"2.0","id":1,"method":"eth_call","paceline_meta":"notify","paceline_meta":1}');
    expect(read()[0]).toMatchObject({ id: 1, error: { code: -32600 } });
  });

  it("is explained after the whole batch, where it is one of several", () => {
    const w = world();
    const { say, read } = connected(w);
    say([call(1), call(2, "eth_call", { paceline_meta: "notify" })]);
    expect(read()).toMatchObject([
      [{ id: 1 }, { id: 2 }],
      { method: "paceline_meta", params: { id: 2 } },
    ]);
    expect(upstreamBodies(w).join()).not.toContain("paceline_meta");
  });

  it("gets what the handshake's directives ask for, on the whole connection", () => {
    const w = world();
    const { say, read } = connected(w, "/rpc/ethereum", [
      "X-Paceline-Provider",
      "b",
      "X-Paceline-Include-Meta",
      "body",
    ]);
    say(call(1));
    say(call(2));
    expect(read()).toMatchObject([
      { id: 1, result: "0x1", paceline: { provider: "b" } },
      { id: 2, paceline: { provider: "b" } },
    ]);
    expect(connect(w, "/rpc/ethereum", ["X-Paceline-Strategy", "nonsense"])).toMatchObject({
      ok: false,
      status: 404,
    });
    expect(connect(w, "/rpc/ethereum?provider=c", ["X-Paceline-Provider", "nobody"]).ok).toBe(true);
  });
});

describe("directives", () => {
  it("may name a glob of providers or tags", () => {
    const w = world({ providers: ["eu-one", "us-one", "us-two"] });
    const served = (provider: string) =>
      w.post(text(call(1)), `/rpc/ethereum?provider=${encodeURIComponent(provider)}`);
    expect(served("us-*").headers["x-paceline-provider"]).toBe("us-one");
    expect(served("*-two").headers["x-paceline-provider"]).toBe("us-two");
    expect(served("tag:us-*").status).toBe(404);
    expect(served("asia-*").status).toBe(404);
  });

  it("are refused by a chain that takes none, while paths and request ids stay", () => {
    const w = world({ chain: { takesDirectives: false } });
    const refused = w.post(text(call(1)), "/rpc/ethereum?strategy=fastest");
    expect(refused.status).toBe(400);
    expect(refused.json).toMatchObject({
      id: 1,
      error: { code: -32602, data: { reason: "directives_off" } },
    });
    const byHeader = w.post(text(call(1)), "/rpc/ethereum", [...json, "X-Paceline-Provider", "a"]);
    expect(byHeader.json.error.data.reason).toBe("directives_off");
    expect(connect(w, "/rpc/ethereum", ["X-Paceline-No-Cache", ""])).toMatchObject({
      ok: false,
      status: 400,
    });
    expect(w.post(text(call(1)), "/rpc/fastest/ethereum").status).toBe(200);
    expect(w.post(text(call(1)), "/rpc/ethereum?x=1").status).toBe(200);
    const named = w.post(text(call(1)), "/rpc/ethereum", [...json, "X-Paceline-Request-Id", "m"]);
    expect(named.headers["x-paceline-client-request-id"]).toBe("m");
  });
});

describe("a dry run", () => {
  it("says who would serve a call, sends nothing, and takes nobody's turn", () => {
    const w = world();
    const ask = () =>
      w.gateway.explainer.method({ chain: "eth", method: "eth_call", strategy: "round-robin" });
    const first = ask();
    for (let i = 0; i < 5; i++) expect(ask()).toMatchObject({ ok: true });
    if (!first.ok) throw new Error(first.message);
    expect(first.record).toMatchObject({ outcome: "dry_run", request_id: "", attempts: [] });
    expect(w.upstreams.flatMap(({ calls }) => calls)).toEqual([]);
    const { headers } = w.post(text(call(1)), "/rpc/round-robin/ethereum");
    expect(headers["x-paceline-provider"]).toBe(first.record.provider);
  });

  it("knows what is answered here or not at all, and when nobody could serve", () => {
    const w = world({ deny: ["eth_getProof"], allow: ["debug_traceCall"] });
    const ask = (method: string) => {
      const answer = w.gateway.explainer.method({ chain: "ethereum", method });
      return answer.ok ? answer.record : undefined;
    };
    expect(ask("eth_chainId")).toMatchObject({ cache: { status: "LOCAL" }, reason: null });
    expect(ask("admin_peers")).toMatchObject({ reason: "method_denied", candidates: [] });
    expect(ask("eth_getProof")).toMatchObject({ reason: "method_denied", provider: null });
    expect(ask("debug_traceCall")).toMatchObject({ reason: null, provider: "a" });
    for (const row of [...w.rows, ...w.wsRows]) row.state = "open";
    expect(ask("eth_call")).toMatchObject({ provider: null, reason: "no_provider" });
    expect(ask("eth_call")?.excluded).toHaveLength(6);
  });

  it.each([
    [{ chain: "nowhere" }, true],
    [{ method: "eth call" }, false],
    [{ params: "{" }, false],
    [{ params: "1" }, false],
    [{ strategy: "best" }, false],
    [{ provider: "nobody" }, true],
  ])("refuses a question it cannot read: %j", (more, isUnknown) => {
    const question = { chain: "ethereum", method: "eth_call", ...more };
    expect(world().gateway.explainer.method(question)).toMatchObject({ ok: false, isUnknown });
  });
});
