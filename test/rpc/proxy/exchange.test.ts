import { describe, expect, it } from "vitest";
import type { CallSummary } from "../../../src/rpc/selection/snapshot.ts";
import type { Script, ScriptedCall, ScriptedUpstream } from "./support.ts";
import { world } from "./support.ts";

const call = (method = "eth_call", id: string | number = 7, params: unknown = []): string =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params });

const silent: Script = () => undefined;

describe("an exchange", () => {
  it("sends the call with our id and returns the answer with the client's", () => {
    const w = world();
    const reply = w.post(
      '{"jsonrpc":"2.0","id":9007199254740993,"method":"eth_call","params":[ {"a":1} ]}',
    );
    expect(reply.status).toBe(200);
    expect(reply.text).toBe('{"jsonrpc":"2.0","id":9007199254740993,"result":"0x1"}');
    const sent = w.upstreams[0]?.calls[0];
    expect(sent?.body.toString()).toBe(
      `{"jsonrpc":"2.0","id":${sent?.id},"method":"eth_call","params":[ {"a":1} ]}`,
    );
    expect(reply.headers["x-paceline-provider"]).toBe("a");
    expect(reply.headers["x-paceline-attempts"]).toBe("a=primary:ok:0:won");
    expect(reply.headers["content-length"]).toBe(String(reply.body.length));
    expect(w.rows[0]).toMatchObject({ inFlight: 0, successes: 1, completed: 1, dirty: false });
    expect(w.reports).toEqual([]);
  });

  it.each([
    ["refused", (c) => c.fail("refused")],
    ["a 500", (c) => c.answer("oops", 500)],
    ["a 429", (c) => c.answer("slow down", 429, "3")],
    ["HTML in a 200", (c) => c.answer("<html>")],
    ["a foreign id", (c) => c.answer('{"jsonrpc":"2.0","id":1,"result":"0x2"}')],
    ["a cut answer", (c) => c.answer('{"jsonrpc":"2.0","id":$ID,"result":"0x')],
    ["a rate limit in the body", (c) => c.error(429, "Too many")],
    ["a capability error", (c) => c.error(-32601, "method not found")],
    ["an expired key", (c) => c.answer("no", 401)],
  ] satisfies [string, Script][])("fails over after %s", (_what, script) => {
    const w = world();
    (w.upstreams[0] as { script: Script }).script = script;
    const reply = w.post(call());
    expect(reply.json).toEqual({ jsonrpc: "2.0", id: 7, result: "0x1" });
    expect(reply.headers["x-paceline-provider"]).toBe("b");
    expect(w.reports).toHaveLength(1);
    expect(w.rows[0]?.inFlight).toBe(0);
  });

  it("relays reverts and invalid parameters unchanged and asks nobody else", () => {
    for (const [code, message, data] of [
      [3, "execution reverted: no", "0x08c379a0"],
      [-32000, "execution reverted", undefined],
      [-32602, "invalid argument 0: hex string has length 3", undefined],
    ] as const) {
      const w = world({ script: (c) => c.error(code, message, data) });
      const reply = w.post(call());
      expect(reply.json.error).toEqual(
        data === undefined ? { code, message } : { code, message, data },
      );
      expect(w.upstreams[1]?.calls).toHaveLength(0);
      expect(w.rows[0]?.successes).toBe(1);
    }
  });

  it("reports Retry-After of a throttled provider and leaves its breaker alone", () => {
    const w = world();
    (w.upstreams[0] as { script: Script }).script = (c) => c.answer("slow", 429, "3");
    w.post(call());
    expect(w.reports[0]).toMatchObject({
      errorClass: "rate_limit",
      retryAfterMs: 3000,
      status: 429,
    });
    expect(w.rows[0]?.dirty).toBe(false);
  });

  it("reports the wait that a throttled provider asks for in words", () => {
    const w = world();
    (w.upstreams[0] as { script: Script }).script = (c) =>
      c.error(-32090, "Too many requests, reason: call rate limit exhausted, retry in 10s");
    w.post(call());
    expect(w.reports[0]).toMatchObject({ errorClass: "rate_limit", retryAfterMs: 10_000 });
  });

  it("counts errors that no rule knows by their words, without secrets", () => {
    const w = world({ script: (c) => c.error(-32000, "moon 12 of s3cr3t is full") });
    w.post(call());
    expect(w.chain.unmatched?.most()).toMatchObject([
      { code: -32000, text: "moon # of *** is full", count: 2, method: "eth_call" },
    ]);
  });

  it("gives each attempt a budget and keeps one deadline for all", () => {
    const w = world({ script: silent });
    const reply = w.post(call(), "/rpc/ethereum?no_hedge");
    w.advance(790);
    expect(w.upstreams[1]?.calls).toHaveLength(0);
    w.advance(20);
    expect(w.upstreams[0]?.calls[0]?.isAborted).toBe(true);
    expect(w.upstreams[1]?.calls).toHaveLength(1);
    w.advance(810);
    expect(w.upstreams[2]?.calls).toHaveLength(1);
    w.advance(8000);
    expect(reply.status).toBe(200);
    expect(reply.json.error).toMatchObject({ code: -32002, data: { reason: "exhausted" } });
    expect(reply.json.error.data.attempts).toHaveLength(3);
    expect(w.gateway.inFlight).toBe(0);
    expect(w.gateway.engine.wheel.size).toBe(0);
  });

  it("tries three providers at most and each once", () => {
    const w = world({ providers: ["a", "b", "c", "d"], script: (c) => c.fail("refused") });
    const reply = w.post(call());
    expect(w.upstreams.map(({ calls }) => calls.length)).toEqual([1, 1, 1, 0]);
    expect(reply.json.error.message).toBe("no provider answered eth_call on ethereum: 3 transport");
    expect(reply.headers["x-paceline-attempts"]).toBe(
      "a=primary:transport:0;b=failover:transport:0;c=failover:transport:0",
    );
  });

  it("retries a reset of a reused connection at once, and nobody is blamed", () => {
    const w = world();
    let resets = 0;
    (w.upstreams[0] as { script: Script }).script = (c) => {
      if (resets++ === 0) c.fail("reset", true);
      else c.result('"0x1"');
    };
    const reply = w.post(call());
    expect(reply.headers["x-paceline-provider"]).toBe("a");
    expect(w.reports).toEqual([]);
    expect(w.rows[0]).toMatchObject({ dirty: false, inFlight: 0 });
  });

  it("returns the most informative upstream error once all have failed", () => {
    const w = world();
    w.upstreams.forEach((upstream, index) => {
      upstream.script = [
        (c: Parameters<Script>[0]) => c.answer("down", 503),
        (c: Parameters<Script>[0]) => c.error(-32000, "history has been pruned for this block"),
        (c: Parameters<Script>[0]) => c.fail("refused"),
      ][index] as Script;
    });
    const { error } = w.post(call()).json;
    expect(error).toMatchObject({
      code: -32000,
      message: "history has been pruned for this block",
    });
    expect(error.data).toMatchObject({ reason: "exhausted", request_id: "req1" });
    expect(error.data.attempts.map((a: { class: string }) => a.class)).toEqual([
      "server",
      "capability",
      "transport",
    ]);
  });

  it.each<[string, Script, object]>([
    ["a hex string", (c) => c.error(-32000, "odd", "0x01"), { data: "0x01" }],
    [
      "an object",
      (c) => c.error(-32000, "odd", { a: [1, "\u00e9"] }),
      { data: { a: [1, "\u00e9"] } },
    ],
  ])(
    "relays an error's own data unchanged when it is %s, whatever else was tried",
    (_w, script, data) => {
      const w = world({ script });
      expect(w.post(call()).json.error).toEqual({ code: -32000, message: "odd", ...data });
      expect(w.upstreams[1]?.calls).toHaveLength(1);
    },
  );

  it("adds nothing to a final error, although other attempts came before it", () => {
    const w = world({ script: (c) => c.error(-32000, "execution reverted") });
    (w.upstreams[0] as { script: Script }).script = (c) => c.answer("down", 503);
    expect(w.post(call()).json.error).toEqual({ code: -32000, message: "execution reverted" });
  });

  it("adds nothing to a final error that came while a hedge was under way", () => {
    const pending: Parameters<Script>[0][] = [];
    const w = world({ script: (c) => pending.push(c) });
    const reply = w.post(call());
    w.advance(600);
    expect(pending).toHaveLength(2);
    pending[0]?.error(-32000, "execution reverted");
    expect(reply.json.error).toEqual({ code: -32000, message: "execution reverted" });
    expect(pending[1]?.isAborted).toBe(true);
  });

  it.each<[string, Script, number]>([
    ["has not got the method", (c) => c.error(-32601, "method not found"), 1],
    ["may have run it", (c) => c.error(-32603, "internal error"), 0],
  ])("asks another provider about an unknown method when one %s: %#", (_why, script, asked) => {
    const w = world();
    (w.upstreams[0] as { script: Script }).script = script;
    w.post(call("zks_doSomething"));
    expect(w.upstreams[1]?.calls).toHaveLength(asked);
  });

  it("gives the same error in whatever order equal providers fail", () => {
    const scripts: Record<string, Script> = {
      unmatched: (c) => c.error(-32000, "the moon is full"),
      capability: (c) => c.error(-32601, "method not found"),
      block: (c) => c.error(-32000, "header not found"),
    };
    const orders = [
      ["unmatched", "capability", "block"],
      ["block", "unmatched", "capability"],
      ["capability", "block", "unmatched"],
    ];
    for (const order of orders) {
      const w = world();
      for (const [index, name] of order.entries()) {
        (w.upstreams[index] as { script: Script }).script = scripts[name] as Script;
      }
      const { error } = w.post(call()).json;
      expect(error.message).toBe("the moon is full");
      expect(error.data.attempts).toHaveLength(3);
    }
  });

  it("passes a revert on as the result it came as, and the provider is not blamed", () => {
    const revert = `"0x08c379a0${"0".repeat(128)}"`;
    const w = world({ script: (c) => c.result(revert) });
    const reply = w.post(call());
    expect(reply.text).toBe(`{"jsonrpc":"2.0","id":7,"result":${revert}}`);
    expect(reply.headers["x-paceline-attempts"]).toBe("a=primary:revert:0:won");
    expect(w.rows[0]).toMatchObject({ successes: 1, dirty: false });
    expect(w.upstreams[1]?.calls).toHaveLength(0);
  });

  it("is no 503 when what is asked is beyond every provider, which waiting does not change", () => {
    const w = world();
    const lacks = { unsupported: new Set(["eth_getBalance"]) };
    const limits = [{ stateFrom: 50 }, { stateFrom: 60 }, lacks];
    w.chain.snapshot?.endpoints.forEach((view, index) => Object.assign(view, limits[index]));
    const asked = call("eth_getBalance", 7, ["0xabc", "0x1"]);
    const reply = w.post(asked);
    expect(reply.status).toBe(200);
    expect(reply.json.error).toMatchObject({
      code: -32002,
      message:
        "no provider for eth_getBalance on ethereum: 2 without archive, 1 without the method",
      data: { reason: "out_of_reach" },
    });
    expect(reply.headers["retry-after"]).toBeUndefined();
    // One that might serve it another time makes it worth waiting for.
    Object.assign(w.chain.snapshot?.endpoints[2] ?? {}, { unsupported: new Set() });
    for (const row of [w.rows[2], w.wsRows[2]]) Object.assign(row ?? {}, { isUsable: false });
    expect(w.post(asked).status).toBe(503);
  });

  it("says -32601 when no provider is known to have the method", () => {
    const w = world();
    const { snapshot } = w.chain;
    for (const view of snapshot?.endpoints ?? []) {
      (view as { unsupported: unknown }).unsupported = new Set(["eth_foo"]);
    }
    const reply = w.post(call("eth_foo"));
    expect(reply.status).toBe(200);
    expect(reply.json.error).toMatchObject({
      code: -32601,
      message: "no provider implements eth_foo on ethereum",
      data: { reason: "method_unsupported" },
    });
    expect(w.events.map(({ name }) => name)).toContain("rpc.selection.failure");
  });

  it("never relays our own trouble with a provider's key or rate", () => {
    const w = world({ script: (c) => c.error(-32005, "rate limit reached for key s3cr3t") });
    const reply = w.post(call());
    expect(reply.json.error.code).toBe(-32002);
    expect(reply.text).not.toContain("s3cr3t");
  });

  it("replaces secrets in relayed errors", () => {
    const w = world({ script: (c) => c.error(3, "execution reverted at s3cr3t") });
    expect(w.post(call()).json.error.message).toBe("execution reverted at ***");
  });

  it("answers 503 when no provider may be tried", () => {
    const w = world();
    for (const row of [...w.rows, ...w.wsRows]) {
      row.state = "open";
      row.forced = true;
    }
    const reply = w.post(call());
    expect(reply.status).toBe(503);
    expect(reply.headers["retry-after"]).toBe("1");
    expect(reply.json.error).toMatchObject({
      code: -32002,
      message: "no provider for eth_call on ethereum: 3 open",
      data: { reason: "no_provider" },
    });
  });

  it("asks one provider with a higher head about an empty lookup, and polls do not multiply", () => {
    const w = world({ script: (c) => c.result("null") });
    (w.rows[2] as { head: number }).head = 101;
    const receipt = call("eth_getTransactionReceipt", 1, ["0xabc"]);
    expect(w.post(receipt).json.result).toBeNull();
    expect(w.upstreams.map(({ calls }) => calls.length)).toEqual([1, 0, 1]);
    expect(w.post(receipt).json.result).toBeNull();
    expect(w.upstreams.map(({ calls }) => calls.length)).toEqual([2, 0, 1]);
    // Above the tip, only who has announced the block is asked, and once.
    expect(w.post(call("eth_getBlockByNumber", 1, ["0x65", false])).json.result).toBeNull();
    expect(w.upstreams.map(({ calls }) => calls.length)).toEqual([2, 0, 2]);
  });

  it("prefers the answer of the provider that knows", () => {
    const w = world({ script: (c) => c.result("null") });
    (w.upstreams[1] as { script: Script }).script = (c) => c.result('{"number":"0x5"}');
    const reply = w.post(call("eth_getBlockByNumber", 1, ["0x5", false]));
    expect(reply.json.result).toEqual({ number: "0x5" });
  });

  it("gives up when the client leaves, and the provider is not blamed", () => {
    const w = world({ script: silent });
    const reply = w.post(call());
    reply.isOpen = false;
    reply.onGone?.();
    expect(w.upstreams[0]?.calls[0]?.isAborted).toBe(true);
    expect(w.rows[0]).toMatchObject({ inFlight: 0, dirty: false });
    expect(w.records[0]?.outcome).toBe("gone");
    expect(w.recorded).toEqual([]);
  });

  it("moves the calls of a frozen provider at once", () => {
    const w = world();
    (w.upstreams[0] as { script: Script }).script = silent;
    const replies = Array.from({ length: 6 }, (_, id) => w.post(call("eth_blockNumber", id, [id])));
    w.advance(70);
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(w.rows[0]?.suspect).toBe(true);
  });

  it("takes a provider back once it has answered a question whole, not at its first byte", () => {
    const w = world();
    const first = w.upstreams[0] as ScriptedUpstream;
    first.script = silent;
    for (let at = 0; at < 6; at++) w.post(call("eth_gasPrice", at, [at]));
    w.advance(70);
    const probe = first.calls.at(-1) as ScriptedCall;
    probe.handler.onHead({ status: 200, sizeBytes: 40, retryAfter: undefined });
    probe.handler.onData(Buffer.from("{"));
    w.advance(50);
    expect(w.rows[0]?.suspect).toBe(true);
    probe.handler.onEnd();
    w.advance(10);
    expect(w.rows[0]?.suspect).toBe(false);
  });

  it("finds a provider frozen although its calls are hedged away before that shows", () => {
    const usual = { q95Ms: 40, answeredQ99Ms: 40, samples: 100, n: 100 } as CallSummary;
    const w = world({ calls: { get: () => usual } });
    (w.upstreams[0] as { script: Script }).script = silent;
    for (let at = 0; at < 60 && w.rows[0]?.suspect === false; at++) {
      w.post(call("eth_gasPrice", at, [at]));
      w.advance(5);
    }
    expect(w.events.some(({ name }) => name === "rpc.hedge.won")).toBe(true);
    expect(w.rows[0]?.suspect).toBe(true);
    expect(w.nowMs).toBeLessThan(1_200);
  });

  it("finds a provider frozen again however long its calls were waited for before", () => {
    const timedOut = { q99Ms: 9_000, answeredQ99Ms: 5, samples: 100, n: 100 } as CallSummary;
    const w = world({ calls: { get: () => timedOut } });
    (w.upstreams[0] as { script: Script }).script = silent;
    for (let at = 0; at < 6; at++) w.post(call("eth_gasPrice", at, [at]));
    w.advance(70);
    expect(w.rows[0]?.suspect).toBe(true);
  });
});
