import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HeadView } from "../../../src/rpc/chain-view.ts";
import { ServedHeights } from "../../../src/rpc/consistency/served-heights.ts";
import { MAX_SESSIONS, SESSION_TTL_MS, Sessions } from "../../../src/rpc/consistency/sessions.ts";
import type { ChainView, SessionSink } from "../../../src/rpc/proxy/ports.ts";
import { chainState } from "../actors/kit.ts";
import { world, type World, type WorldOptions } from "../proxy/support.ts";

const JSON_TYPE = ["Content-Type", "application/json"];
const tx = { to: "0xaa" };

const head = (number: number, atMs = 0, falls = 0): HeadView => ({
  number,
  hash: undefined,
  atMs,
  blockTimeMs: 12_000,
  falls,
  safe: number - 32,
  finalized: number - 64,
});

const call = (method: string, params: readonly unknown[] = [], id = 1) => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
});

/** A world whose providers have the tip at 100 (0x64). */
const worldAt = (number = 100, options: WorldOptions = {}): World => {
  const w = world({ tip: number, ...options });
  w.head = head(number, w.nowMs);
  return w;
};

/** What every provider was asked, in that order. */
const asked = (w: World): unknown[] =>
  w.upstreams.flatMap(({ calls }) => calls.map(({ request }) => [request.method, request.params]));

const setHeads = (w: World, heads: readonly number[]): void => {
  for (const [i, number] of heads.entries()) {
    (w.rows[i] as { head: number }).head = number;
    (w.wsRows[i] as { head: number }).head = number;
  }
};

describe("a batch", () => {
  it("reads one block when two or more of its calls ask for latest", () => {
    const w = worldAt();
    const batch = [
      call("eth_call", [tx, "latest"], 1),
      call("eth_getBalance", ["0xaa"], 2),
      call("eth_getBlockByNumber", ["finalized", false], 3),
      call("eth_getTransactionCount", ["0xaa", "pending"], 4),
      call("eth_call", [tx, "0x5"], 5),
    ];
    w.post(JSON.stringify(batch));
    expect(asked(w)).toEqual([
      ["eth_call", [tx, "0x64"]],
      ["eth_getBalance", ["0xaa", "0x64"]],
      ["eth_getBlockByNumber", ["0x24", false]],
      ["eth_getTransactionCount", ["0xaa", "pending"]],
      ["eth_call", [tx, "0x5"]],
    ]);
  });

  it("is left alone with a single such call, and so is a call outside of a batch", () => {
    const w = worldAt();
    w.post(JSON.stringify([call("eth_call", [tx, "latest"]), call("eth_call", [tx, "0x5"])]));
    w.post(JSON.stringify(call("eth_call", [tx, "latest"])));
    expect(asked(w)).toEqual([
      ["eth_call", [tx, "latest"]],
      ["eth_call", [tx, "0x5"]],
      ["eth_call", [tx, "latest"]],
    ]);
  });

  it("keeps its block while the tip moves on, and tells the height that it reads", () => {
    const w = worldAt(100, { limits: { batchParallel: 1 }, script: () => undefined });
    const batch = [
      call("eth_call", [tx, "latest"], 1),
      call("eth_call", [tx, "latest"], 2),
      call("eth_blockNumber", [], 3),
    ];
    const reply = w.post(JSON.stringify(batch));
    const [upstream] = w.upstreams;
    upstream?.calls[0]?.result('"0xa"');
    w.head = head(105, w.nowMs);
    upstream?.calls[1]?.result('"0xb"');
    expect(asked(w)).toEqual([
      ["eth_call", [tx, "0x64"]],
      ["eth_call", [tx, "0x64"]],
    ]);
    expect(reply.json.map(({ result }: { result: string }) => result)).toEqual([
      "0xa",
      "0xb",
      "0x64",
    ]);
  });

  it("asks nobody who is behind its block, not even when all others fail", () => {
    const w = worldAt(100, { script: (c) => c.error(-32603, "boom", undefined, 500) });
    setHeads(w, [100, 99, -1]);
    const reply = w.post(
      JSON.stringify([call("eth_call", [tx, "latest"], 1), call("eth_call", [tx, "latest"], 2)]),
    );
    expect(w.upstreams.map(({ calls }) => calls.length)).toEqual([2, 0, 0]);
    expect(reply.json.every((one: { error?: unknown }) => one.error !== undefined)).toBe(true);
  });

  it("fails clearly, and is not served old state, when everybody who has the block is gone", () => {
    const w = worldAt();
    setHeads(w, [100, 100, 99]);
    for (const row of w.rows.slice(0, 2)) row.isUsable = false;
    const reply = w.post(
      JSON.stringify([call("eth_call", [tx, "latest"], 1), call("eth_call", [tx, "latest"], 2)]),
    );
    expect(asked(w)).toEqual([]);
    expect(reply.json[0].error).toMatchObject({
      code: -32002,
      message: "no provider for eth_call on ethereum: 2 unusable, 1 behind",
      data: { reason: "no_provider" },
    });
  });

  it("is not pinned with consistency off, by configuration or directive, nor before a head is known", () => {
    const batch = JSON.stringify([
      call("eth_call", [tx, "latest"], 1),
      call("eth_call", [tx, "latest"], 2),
    ]);
    const untouched = [
      ["eth_call", [tx, "latest"]],
      ["eth_call", [tx, "latest"]],
    ];
    const off = worldAt(100, { consistency: "off" });
    off.post(batch);
    expect(asked(off)).toEqual(untouched);
    const directed = worldAt();
    directed.post(batch, "/rpc/ethereum", [...JSON_TYPE, "X-Paceline-Consistency", "off"]);
    expect(asked(directed)).toEqual(untouched);
    const headless = worldAt();
    headless.head = undefined;
    headless.post(batch);
    expect(asked(headless)).toEqual(untouched);
  });

  it("goes no further than the provider that its caller names", () => {
    const w = worldAt();
    setHeads(w, [100, 97, 100]);
    w.post(
      JSON.stringify([call("eth_call", [tx, "latest"], 1), call("eth_call", [tx, "latest"], 2)]),
      "/rpc/provider/b/ethereum",
    );
    expect(asked(w)).toEqual([
      ["eth_call", [tx, "0x61"]],
      ["eth_call", [tx, "0x61"]],
    ]);
  });

  it.each(["provider=b", "provider=eu", "provider=tag:eu", "provider=e*"])(
    "goes no further than those that its caller means by %s",
    (query) => {
      const w = worldAt(100, { tags: { b: ["eu"] } });
      setHeads(w, [100, 97, 100]);
      const batch = [call("eth_call", [tx, "latest"], 1), call("eth_call", [tx, "latest"], 2)];
      w.post(JSON.stringify(batch), `/rpc/ethereum?${query}`);
      expect(asked(w)).toEqual([
        ["eth_call", [tx, "0x61"]],
        ["eth_call", [tx, "0x61"]],
      ]);
    },
  );

  it("shows its block in the explanation", () => {
    const w = worldAt();
    const headers = [...JSON_TYPE, "X-Paceline-Session", "s", "X-Paceline-Include-Meta", "body"];
    const reply = w.post(JSON.stringify(call("eth_call", [tx])), "/rpc/ethereum", headers);
    expect(reply.json.paceline.pin).toEqual({ block: 100 });
    const height = w.post(JSON.stringify(call("eth_blockNumber")), "/rpc/ethereum", headers);
    expect(height.json.paceline.pin).toEqual({ block: 100 });
  });
});

describe("a session", () => {
  const named = [...JSON_TYPE, "X-Paceline-Session", "mine"];

  it("pins every call of a client that names one", () => {
    const w = worldAt();
    w.post(JSON.stringify(call("eth_call", [tx, "latest"])), "/rpc/ethereum", named);
    w.head = head(103, w.nowMs);
    setHeads(w, [103, 103, 103]);
    w.post(JSON.stringify(call("eth_getBalance", ["0xaa", "latest"])), "/rpc/ethereum", named);
    expect(asked(w)).toEqual([
      ["eth_call", [tx, "0x64"]],
      ["eth_getBalance", ["0xaa", "0x67"]],
    ]);
  });

  it("reads no block before the height that its client was told", () => {
    const w = worldAt(100, { script: (c) => c.result('"0x66"') });
    w.head = head(100, w.nowMs - 13_000);
    expect(w.post(JSON.stringify(call("eth_blockNumber"))).json.result).toBe("0x66");
    setHeads(w, [100, 102, 100]);
    w.post(JSON.stringify(call("eth_call", [tx, "latest"])), "/rpc/ethereum", named);
    expect(w.upstreams[1]?.calls[0]?.request.params).toEqual([tx, "0x66"]);
  });

  it("is a WebSocket connection where the chain is configured so, and no other client's", () => {
    const w = worldAt(100, { consistency: "session" });
    const open = (url: string) => {
      const admission = w.gateway.ws.admit(url, []);
      if (!admission.ok) throw new Error(admission.body);
      const sent: string[] = [];
      const sink: SessionSink = {
        id: 1,
        send: (text) => void sent.push(text.toString()),
        sendFrame: () => undefined,
        bufferedBytes: 0,
        sentBytes: 0,
        close: () => undefined,
        isOpen: true,
        pause: () => undefined,
        resume: () => undefined,
      };
      return { session: w.gateway.ws.open(admission.route, sink, "ws://x"), sent };
    };
    const { session } = open("/rpc/ethereum");
    session.onMessage(Buffer.from(JSON.stringify(call("eth_call", [tx, "latest"]))));
    w.post(JSON.stringify(call("eth_call", [tx, "latest"])));
    const plain = open("/rpc/ethereum?consistency=batch").session;
    plain.onMessage(Buffer.from(JSON.stringify(call("eth_call", [tx, "latest"]))));
    expect(asked(w)).toEqual([
      ["eth_call", [tx, "0x64"]],
      ["eth_call", [tx, "latest"]],
      ["eth_call", [tx, "latest"]],
    ]);
  });

  it("finds the head that its connection was just told of, before the tip has moved", async () => {
    const w = worldAt(100, { consistency: "session" });
    setHeads(w, [100, 101, 100]);
    w.announced = 101;
    const admission = w.gateway.ws.admit("/rpc/ethereum", []);
    if (!admission.ok) throw new Error(admission.body);
    const sink: SessionSink = {
      id: 1,
      send: () => undefined,
      sendFrame: () => undefined,
      bufferedBytes: 0,
      sentBytes: 0,
      close: () => undefined,
      isOpen: true,
      pause: () => undefined,
      resume: () => undefined,
    };
    const session = w.gateway.ws.open(admission.route, sink, "ws://x");
    const read = (): void =>
      session.onMessage(Buffer.from(JSON.stringify(call("eth_call", [tx, "latest"]))));
    read();
    session.onMessage(Buffer.from(JSON.stringify(call("eth_subscribe", ["newHeads"]))));
    await new Promise((resolve) => setImmediate(resolve));
    read();
    expect(w.upstreams.map(({ calls }) => calls.map(({ request }) => request.params))).toEqual([
      [[tx, "0x64"]],
      [[tx, "0x65"]],
      [],
    ]);
  });

  it("refuses a name that is none", () => {
    const w = worldAt();
    const reply = w.post(JSON.stringify(call("eth_call", [tx])), "/rpc/ethereum", [
      ...JSON_TYPE,
      "X-Paceline-Session",
      "x".repeat(129),
    ]);
    expect([reply.status, reply.json.error.data.reason]).toEqual([400, "bad_directive"]);
  });

  it("is forgotten when it was quiet too long, or when there are too many", () => {
    const chain = chainState() as ChainView;
    const sessions = new Sessions(new ServedHeights());
    const first = sessions.of(chain, "s", 0);
    expect(sessions.of(chain, "s", SESSION_TTL_MS - 1)).toBe(first);
    expect(sessions.of(chain, "s", 2 * SESSION_TTL_MS)).not.toBe(first);
    for (let i = 0; i < 2 * MAX_SESSIONS; i++) sessions.of(chain, `s${i}`, 2 * SESSION_TTL_MS);
    expect(sessions.size).toBe(MAX_SESSIONS);
    sessions.of(chain, "last", 4 * SESSION_TTL_MS);
    expect(sessions.size).toBe(1);
  });
});

describe("eth_blockNumber", () => {
  const ask = (w: World, url = "/rpc/ethereum", headers = JSON_TYPE) =>
    w.post(JSON.stringify(call("eth_blockNumber")), url, headers);

  it("is answered from the tip while that is younger than a block time", () => {
    const w = worldAt();
    const reply = ask(w);
    expect([reply.json.result, reply.headers["x-paceline-cache"]]).toEqual(["0x64", "LOCAL"]);
    expect(asked(w)).toEqual([]);
    w.advance(12_000);
    expect(ask(w).headers["x-paceline-provider"]).toBe("a");
  });

  it("is asked of the provider that its caller names, and without a cache of anybody", () => {
    const w = worldAt(100, { script: (c) => c.result('"0x63"') });
    expect(ask(w, "/rpc/provider/b/ethereum").json.result).toBe("0x63");
    const fresh = ask(w, "/rpc/ethereum", [...JSON_TYPE, "X-Paceline-No-Cache", "on"]);
    expect([fresh.headers["x-paceline-provider"], fresh.json.result]).toEqual(["a", "0x64"]);
  });

  it("never goes back when the next provider is behind the last", () => {
    let height = 103;
    const w = worldAt(100, { script: (c) => c.result(`"0x${(height--).toString(16)}"`) });
    w.head = head(100, w.nowMs - 20_000);
    expect([1, 2, 3].map(() => ask(w).json.result)).toEqual(["0x67", "0x67", "0x67"]);
    expect(w.heard[0]).toEqual({ provider: "a", number: 103 });
  });

  it("believes no provider that is further ahead than the chain can be", () => {
    const w = worldAt(100, { script: (c) => c.result('"0x2774"') });
    w.head = head(100, w.nowMs - 20_000);
    expect(ask(w).json.result).toBe("0x64");
    const alone = worldAt(100, { providers: ["a"], script: (c) => c.result('"0x2774"') });
    alone.head = head(100, alone.nowMs - 20_000);
    expect(ask(alone).json.result).toBe("0x2774");
  });

  it("goes back with the chain once most providers confirm that", () => {
    const w = worldAt(100);
    expect(ask(w).json.result).toBe("0x64");
    w.head = head(97, w.nowMs, 1);
    expect(ask(w).json.result).toBe("0x61");
  });

  it("relays what is no height as it came", () => {
    const w = worldAt(100, { script: (c) => c.error(-32601, "no such method") });
    w.head = undefined;
    expect(ask(w).json.error).toBeDefined();
    const odd = worldAt(100, { script: (c) => c.result('"nonsense"') });
    odd.head = undefined;
    expect(ask(odd).json.result).toBe("nonsense");
  });

  it("never goes back, whatever providers answer and however the tip moves up", () => {
    const step = fc.oneof(
      fc.record({ answer: fc.integer({ min: 90, max: 130 }) }),
      fc.record({ tip: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ waitMs: fc.integer({ min: 0, max: 30_000 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let answer = 100;
        const w = worldAt(100, { script: (c) => c.result(`"0x${answer.toString(16)}"`) });
        let last = 0;
        for (const one of steps) {
          if ("answer" in one) answer = one.answer;
          else if ("tip" in one) w.head = head((w.head?.number ?? 0) + one.tip, w.nowMs);
          else w.nowMs += one.waitMs;
          const told = parseInt(ask(w).json.result as string, 16);
          expect(told).toBeGreaterThanOrEqual(last);
          last = told;
        }
      }),
    );
  });
});
