import { describe, expect, it } from "vitest";
import { CapabilityBook } from "../../../src/rpc/capabilities/capability-book.ts";
import type { ScriptedCall } from "../proxy/support.ts";
import { ADDRESSES, bodyText, logAt, manyLogs, select, TOPICS } from "./chain.ts";
import { become, filterOf, honest, logsWorld, open, spanOf, type Node } from "./logs-world.ts";

const LOGS = manyLogs(1, 1000, 2);
const WIDE = { fromBlock: "0x1", toBlock: "0x3e8" };
const whole = (filter: object = WIDE, logs = LOGS): string =>
  `{"jsonrpc":"2.0","id":7,"result":[${bodyText(select(logs, filter))}]}`;
const silent: Node = () => undefined;
const blocksOf = (call: ScriptedCall): number => {
  const { fromBlock, toBlock } = filterOf(call);
  return Number(toBlock) - Number(fromBlock) + 1;
};

describe("a small range of logs", () => {
  it("goes to one provider in the client's own bytes", () => {
    const w = logsWorld(LOGS);
    const params = '[ {"toBlock":"0x20","fromBlock":"0x1" } ]';
    const reply = w.post(
      `{"jsonrpc":"2.0","id":9007199254740993,"method":"eth_getLogs","params":${params}}`,
    );
    const [sent] = w.upstreams[0]?.calls ?? [];
    expect(sent?.body.toString()).toBe(
      `{"jsonrpc":"2.0","id":${sent?.id},"method":"eth_getLogs","params":${params}}`,
    );
    expect(reply.text).toBe(
      `{"jsonrpc":"2.0","id":9007199254740993,"result":[${bodyText(
        select(LOGS, { fromBlock: "0x1", toBlock: "0x20" }),
      )}]}`,
    );
    expect(reply.headers["x-paceline-attempts"]).toBe("a=part:ok:0:won");
    expect(w.records).toHaveLength(1);
    expect(w.records[0]).toMatchObject({ outcome: "ok", attemptCount: 1, provider: "a" });
  });

  it("streams through while it comes, and cuts the client when it breaks", () => {
    const w = logsWorld(LOGS, { limits: { bufferBytes: 100 } });
    become(w, 0, silent);
    const reply = w.ask({ fromBlock: "0x1", toBlock: "0x20" });
    const call = open(w)[0] as ScriptedCall;
    call.handler.onHead({ status: 200, sizeBytes: -1, retryAfter: undefined });
    call.handler.onData(
      Buffer.from(`{"jsonrpc":"2.0","id":${call.id},"result":[${bodyText(LOGS.slice(0, 2))}`),
    );
    expect(reply.text).toBe(`{"jsonrpc":"2.0","id":7,"result":[${bodyText(LOGS.slice(0, 2))}`);
    reply.isFull = true;
    expect(call.handler.onData(Buffer.from(","))).toBe(false);
    call.isPaused = true;
    reply.onDrain?.();
    expect(call.isPaused).toBe(false);
    call.fail("reset");
    expect(reply.isDestroyed).toBe(true);
    expect(w.records[0]?.outcome).toBe("error");
  });

  it("asks for numbers where the client names tags, and never beyond the tip", () => {
    const w = logsWorld(LOGS);
    w.setHead({ number: 900, finalized: 850, safe: 870 });
    const spans = [
      { fromBlock: "finalized", toBlock: "latest" },
      { fromBlock: "safe", toBlock: "0xffffff" },
      { fromBlock: "0x380" },
      {},
    ].map((filter) => {
      w.ask(filter);
      return w.asked(0).at(-1);
    });
    expect(spans).toEqual(["850-900", "870-900", "896-900", "900-900"]);
  });

  it.each([
    [{ blockHash: `0x${"1".repeat(64)}` }],
    [{ fromBlock: "0x1", toBlock: "pending" }],
    [{ fromBlock: "0x7d0", toBlock: "0x7d1" }],
    [{ fromBlock: "0x20", toBlock: "0x10" }],
  ])("leaves %j to the provider as it is", (filter) => {
    const w = logsWorld(LOGS);
    w.ask(filter);
    expect(w.upstreams[0]?.calls[0]?.request.params).toEqual([filter]);
    expect(w.upstreams[0]?.calls).toHaveLength(1);
  });

  it("never goes to a provider that has not seen its last block", () => {
    const w = logsWorld(LOGS);
    for (const row of [w.rows[0], w.wsRows[0], w.rows[1], w.wsRows[1]]) {
      if (row !== undefined) row.head = 999;
    }
    const reply = w.ask({ fromBlock: "0x3d0", toBlock: "latest" });
    expect(reply.headers["x-paceline-provider"]).toBe("c");
    become(w, 2, (call) => call.fail("refused"));
    const failed = w.ask({ fromBlock: "0x3d0", toBlock: "latest" });
    expect(failed.json.error).toMatchObject({ code: -32002, data: { reason: "exhausted" } });
    expect([w.asked(0), w.asked(1)]).toEqual([[], []]);
    expect(w.ask({ fromBlock: "0x3d0", toBlock: "0x3e6" }).json.result).toHaveLength(46);
    expect(w.asked(0)).toEqual(["976-998"]);
  });

  it("holds providers of a tag to that as well, but not the one that is named", () => {
    const w = logsWorld(LOGS);
    for (const view of w.chain.snapshot?.endpoints ?? []) {
      if (view.provider !== "c") Object.assign(view, { tags: ["eu"] });
    }
    for (const row of [w.rows[0], w.wsRows[0]]) if (row !== undefined) row.head = 900;
    const filter = { fromBlock: "0x3d0", toBlock: "latest" };
    const headers = (url: string) =>
      w.post(
        JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_getLogs", params: [filter] }),
        url,
      ).headers;
    expect(headers("/rpc/ethereum?provider=eu")["x-paceline-provider"]).toBe("b");
    expect(headers("/rpc/provider/a/ethereum")["x-paceline-provider"]).toBe("a");
  });

  it.each(["eu", "tag:eu", "e*"])(
    "never falls back on a laggard that provider=%s means",
    (asked) => {
      const w = logsWorld(LOGS, { tags: { a: ["eu"], b: ["eu"] } });
      for (const row of [w.rows[0], w.wsRows[0]]) if (row !== undefined) row.head = 999;
      become(w, 1, (call) => call.fail("refused"));
      const url = `/rpc/ethereum?provider=${asked}`;
      const failed = w.ask({ fromBlock: "0x3d0", toBlock: "latest" }, { url });
      expect(failed.json.error).toMatchObject({ data: { reason: "exhausted" } });
      expect([w.asked(0), w.asked(2)]).toEqual([[], []]);
    },
  );

  it("fails over as any call, and says what the last upstream said", () => {
    const w = logsWorld(LOGS);
    become(w, 0, (call) => call.fail("reset"));
    expect(w.ask({ fromBlock: "0x1", toBlock: "0x2" }).json.result).toHaveLength(4);
    for (const at of [0, 1, 2]) become(w, at, (call) => call.error(-32603, "internal error"));
    const { error } = w.ask({ fromBlock: "0x1", toBlock: "0x2" }).json;
    expect(error).toMatchObject({ code: -32603, message: "internal error" });
    expect(error.data.attempts).toHaveLength(3);
    become(w, 0, (call) => call.error(-32602, "invalid argument 0: hex string"));
    const { error: final } = w.ask({ fromBlock: "0x1", toBlock: "0x2" }).json;
    expect(final).toEqual({ code: -32602, message: "invalid argument 0: hex string" });
  });

  it("goes to another provider when one does not keep blocks that old", () => {
    const w = logsWorld(LOGS);
    become(w, 0, (call) => call.error(4444, "pruned history unavailable"));
    const reply = w.ask({ fromBlock: "0x1", toBlock: "0x2" });
    expect(reply.text === whole({ fromBlock: "0x1", toBlock: "0x2" })).toBe(true);
    expect(w.asked(1)).toEqual(["1-2"]);
  });
});

describe("a wide range of logs", () => {
  it("is asked for in parts of all providers and answered as if it were one", () => {
    const w = logsWorld(LOGS);
    for (const at of [0, 1, 2]) become(w, at, silent);
    const reply = w.ask(WIDE);
    expect(open(w).map(spanOf)).toEqual(["1-100", "101-200", "201-300", "301-400"]);
    expect([0, 1, 2].map((at) => w.asked(at).length)).toEqual([2, 1, 1]);
    // The last first: nothing leaves before its turn.
    for (let turn = 0; turn < 10; turn++) {
      const waiting = open(w).filter(
        ({ handler }) => !("isSettled" in handler && handler.isSettled),
      );
      const call = waiting.at(-1) as ScriptedCall;
      honest(LOGS)(call, filterOf(call));
    }
    expect(reply.text === whole()).toBe(true);
    expect(reply.headers["content-length"]).toBe(String(reply.body.length));
    expect(w.records).toHaveLength(1);
    expect(w.records[0]).toMatchObject({ outcome: "ok", attemptCount: 10 });
    expect(w.gateway.inFlight).toBe(0);
    expect(w.gateway.engine.wheel.size).toBe(0);
    expect(w.events.filter(({ name }) => name === "getlogs.planned")).toEqual([
      {
        name: "getlogs.planned",
        fields: {
          chain: "ethereum",
          requestId: expect.any(String),
          firstBlock: 1,
          lastBlock: 1000,
          parts: 10,
        },
      },
    ]);
  });

  it("gives each provider as much as that one serves", () => {
    const w = logsWorld(LOGS, { rules: { partRange: 200 } });
    const book = new CapabilityBook();
    const refusal = { method: "eth_getLogs", code: -32602, data: "", asked: undefined };
    book.learn({ ...refusal, provider: "b", message: "block range limited to 50 blocks" }, w.nowMs);
    Object.assign(w.chain, { capabilities: book });
    expect(w.ask(WIDE).text === whole()).toBe(true);
    const sizes = (at: number) => [...new Set(w.upstreams[at]?.calls.map(blocksOf))];
    expect(sizes(1)).toEqual([50]);
    for (const at of [0, 1, 2]) become(w, at, silent);
    w.ask(WIDE);
    expect([0, 1, 2].map((at) => blocksOf(w.upstreams[at]?.calls.at(-1) as ScriptedCall))).toEqual([
      200, 50, 200,
    ]);
  });

  it("keeps the client's id to the byte", () => {
    const w = logsWorld(LOGS);
    for (const id of ["12345678901234567890", '"\\u00e4\\n"', '"ä"']) {
      const { text } = w.ask(WIDE, { id });
      expect(text.startsWith(`{"jsonrpc":"2.0","id":${id},"result":[{`)).toBe(true);
    }
  });

  it("is refused above the limit of the chain, with the numbers", () => {
    const w = logsWorld(LOGS, { rules: { maxRange: 500 } });
    const { error } = w.ask({ fromBlock: "0x1", toBlock: "0x1f5" }).json;
    expect(error).toBeDefined();
    expect(error).toMatchObject({
      code: -32602,
      data: {
        reason: "logs_range",
        from_block: "0x1",
        to_block: "0x1f5",
        blocks: 501,
        max_blocks: 500,
      },
    });
    expect(w.ask({ fromBlock: "0x1f5", toBlock: "0xffffff" }).json.result).toHaveLength(1000);
    expect(w.ask({ fromBlock: "0x1f4", toBlock: "0xffffff" }).json.error.code).toBe(-32602);
  });

  it("is refused when the providers serve so little that it takes too many parts", () => {
    const w = logsWorld(manyLogs(1, 1, 1), { tip: 30_000, rules: { partRange: 20 } });
    const { error } = w.ask({ fromBlock: "0x1", toBlock: "latest" }).json;
    expect(error).toMatchObject({ code: -32602, data: { reason: "logs_range" } });
    expect(w.upstreams.flatMap(({ calls }) => calls)).toHaveLength(0);
  });

  it("goes whole to a provider that is named, in parts of its size", () => {
    const w = logsWorld(LOGS);
    expect(w.ask(WIDE, { url: "/rpc/provider/b/ethereum" }).text === whole()).toBe(true);
    expect([0, 1, 2].map((at) => w.asked(at).length)).toEqual([0, 10, 0]);
  });

  it("answers an empty range with an empty list", () => {
    const w = logsWorld([]);
    expect(w.ask(WIDE).text).toBe('{"jsonrpc":"2.0","id":7,"result":[]}');
  });

  it("is explained part by part", () => {
    const w = logsWorld(LOGS, { rules: { partRange: 400 } });
    const { paceline } = w.ask(WIDE, { url: "/rpc/ethereum?include_meta=body" }).json;
    expect(paceline.logs).toEqual({
      from_block: 1,
      to_block: 1000,
      parts: [
        { from_block: 1, to_block: 400, provider: "a", end: "ok" },
        { from_block: 401, to_block: 800, provider: "b", end: "ok" },
        { from_block: 801, to_block: 1000, provider: "c", end: "ok" },
      ].map((note) => ({ ...note, provider: expect.any(String) })),
      parts_omitted: 0,
      splits: 0,
    });
    const many = w.ask(WIDE, { url: "/rpc/ethereum" });
    expect(many.headers["x-paceline-attempts"]?.split(";")).toHaveLength(3);
    const w2 = logsWorld(LOGS, { rules: { partRange: 10 } });
    expect(w2.ask(WIDE).headers["x-paceline-attempts"]).toMatch(/^([^;]+;){16}\+84$/u);
  });
});

/** How vendors refuse, and what they would serve. */
const VENDORS: readonly (readonly [string, Node])[] = [
  [
    "Alchemy by size",
    (call, filter) => {
      const from = Number(filter.fromBlock);
      if (blocksOf(call) <= 60) return honest(LOGS)(call, filter);
      const to = (from + 59).toString(16);
      return call.error(
        -32602,
        `Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the response size, or you can request any block range with a cap of 10K logs in the response. Based on your parameters and the response size limit, this block range should work: [0x${from.toString(16)}, 0x${to}]`,
      );
    },
  ],
  [
    "Infura by results",
    (call, filter) => {
      const from = Number(filter.fromBlock);
      if (select(LOGS, filter).length <= 100) return honest(LOGS)(call, filter);
      const to = `0x${(from + 49).toString(16)}`;
      return call.error(
        -32005,
        `query returned more than 10000 results. Try with this block range [0x${from.toString(16)}, ${to}].`,
        { from: filter.fromBlock, limit: 10000, to },
      );
    },
  ],
  [
    "QuickNode by range",
    (call, filter) =>
      blocksOf(call) <= 25
        ? honest(LOGS)(call, filter)
        : call.error(-32614, "eth_getLogs is limited to a 25 range"),
  ],
  [
    "reth by results",
    (call, filter) => {
      const from = Number(filter.fromBlock);
      return blocksOf(call) <= 40
        ? honest(LOGS)(call, filter)
        : call.error(
            -32602,
            `query exceeds max results 20000, retry with the range ${from}-${from + 39}`,
          );
    },
  ],
  [
    "Avalanche by range",
    (call, filter) =>
      blocksOf(call) <= 64
        ? honest(LOGS)(call, filter)
        : call.error(
            -32000,
            `requested too many blocks from ${Number(filter.fromBlock)} to ${Number(filter.toBlock)}, maximum is set to 64`,
          ),
  ],
  [
    "PublicNode by range",
    (call, filter) =>
      blocksOf(call) <= 32
        ? honest(LOGS)(call, filter)
        : call.error(-32701, "exceed maximum block range: 32"),
  ],
  [
    "somebody without a number",
    (call, filter) =>
      blocksOf(call) <= 30
        ? honest(LOGS)(call, filter)
        : call.error(-32000, "block range is too wide"),
  ],
  [
    "a node that runs out of time",
    (call, filter) =>
      blocksOf(call) <= 50
        ? honest(LOGS)(call, filter)
        : call.error(-32000, "query timeout exceeded"),
  ],
];

describe("a refusal", () => {
  it.each(VENDORS)("of %s cuts the range until it fits", (_vendor, node) => {
    for (const partRange of [100, 2000]) {
      const w = logsWorld(LOGS, { rules: { partRange } });
      for (const at of [0, 1, 2]) become(w, at, node);
      const reply = w.ask(WIDE);
      expect(reply.text === whole()).toBe(true);
      const asked = w.upstreams.flatMap(({ calls }) => calls).length;
      // Refusals teach: few are needed beside the parts themselves.
      expect(asked).toBeLessThan(110);
      expect(w.events.some(({ name }) => name === "getlogs.split")).toBe(true);
      expect(w.gateway.inFlight).toBe(0);
    }
  });

  it("teaches the limit of that provider only", () => {
    const w = logsWorld(LOGS);
    become(w, 1, VENDORS[2]?.[1] as Node);
    expect(w.ask(WIDE).text === whole()).toBe(true);
    const sizes = (at: number) => (w.upstreams[at]?.calls ?? []).map(blocksOf);
    expect(Math.max(...sizes(0), ...sizes(2))).toBe(100);
    expect(sizes(1).filter((blocks) => blocks > 25)).toHaveLength(1);
    expect(w.events.filter(({ name }) => name === "getlogs.limit_learned")).toEqual([
      expect.objectContaining({ fields: expect.objectContaining({ provider: "b", limit: 25 }) }),
    ]);
  });

  it("of a long list of addresses is met once: who takes fewer gets no more of them", () => {
    const w = logsWorld(LOGS);
    Object.assign(w.chain, { capabilities: new CapabilityBook() });
    become(w, 0, (call, filter) => {
      if (Array.isArray(filter.address) && filter.address.length > 2) {
        call.error(-32000, "too many addresses: max 2 addresses are allowed");
      } else honest(LOGS)(call, filter);
    });
    const filter = { ...WIDE, address: ADDRESSES.slice(0, 4) };
    expect(w.ask(filter).text === whole(filter)).toBe(true);
    const tooLong = (w.upstreams[0]?.calls ?? []).filter(
      (call) => (filterOf(call).address?.length ?? 0) > 2 && Array.isArray(filterOf(call).address),
    );
    expect(tooLong).toHaveLength(1);
  });

  it("of one block cuts the addresses, then the topics, and keeps the order of the logs", () => {
    const logs = Array.from({ length: 40 }, (_, n) =>
      logAt(5, n, { address: n % 5, topic: n % 4 }),
    );
    const filter = {
      fromBlock: "0x5",
      toBlock: "0x5",
      address: ADDRESSES.slice(0, 3),
      topics: [TOPICS.slice(0, 3)],
    };
    const w = logsWorld(logs);
    for (const at of [0, 1, 2]) {
      become(w, at, (call, asked) => {
        if (select(logs, asked).length <= 3) honest(logs)(call, asked);
        else call.error(-32005, "query returned more than 3 results");
      });
    }
    expect(w.ask(filter).text === whole(filter, logs)).toBe(true);
    const by = w.events.flatMap(({ name, fields }) =>
      name === "getlogs.split" ? fields["by"] : [],
    );
    expect(new Set(by)).toEqual(new Set(["address", "topic"]));
  });

  it("of one block and one address is that provider's: another one is asked", () => {
    const filter = { fromBlock: "0x5", toBlock: "0x6", address: ADDRESSES[0] as string };
    const logs = [logAt(5, 0), logAt(5, 1), logAt(6, 0)];
    const w = logsWorld(logs);
    become(w, 0, (call, asked) => {
      if (select(logs, asked).length <= 1) honest(logs)(call, asked);
      else call.error(-32005, "query returned more than 1 results");
    });
    expect(w.ask(filter).text === whole(filter, logs)).toBe(true);
    expect(w.asked(0)).toContain("5-5");
    expect([...w.asked(1), ...w.asked(2)]).toContain("5-5");
  });

  it("of one block and one address by everybody is the client's answer", () => {
    const w = logsWorld(LOGS);
    for (const at of [0, 1, 2]) {
      become(w, at, (call) =>
        call.error(-32005, "query returned more than 1 results", { limit: 1 }),
      );
    }
    const { error } = w.ask({
      fromBlock: "0x5",
      toBlock: "0x6",
      address: ADDRESSES[0] as string,
    }).json;
    expect(error).toEqual({
      code: -32005,
      message: "query returned more than 1 results",
      data: { limit: 1 },
    });
  });
});

describe("a part that fails", () => {
  it("moves to another provider, alone", () => {
    const w = logsWorld(LOGS);
    become(w, 1, (call) => call.fail("reset"));
    expect(w.ask(WIDE).text === whole()).toBe(true);
    const good = [...w.asked(0), ...w.asked(2)];
    expect(new Set(good).size).toBe(10);
    expect(good).toHaveLength(10);
  });

  it.each<[string, (logs: typeof LOGS) => unknown[]]>([
    ["a log outside of the part", (logs) => [...logs, logAt(1, 90)]],
    ["logs in the wrong order", (logs) => logs.toReversed()],
    ["the same log twice", (logs) => [...logs, logs.at(-1)]],
    [
      "a block with two hashes",
      (logs) => [...logs, { ...logs.at(-1), logIndex: "0x63", blockHash: `0x${"e".repeat(64)}` }],
    ],
    ["no log at all", () => ["0x1"]],
  ])("because it brings %s is asked of somebody else", (_what, spoil) => {
    const w = logsWorld(LOGS);
    become(w, 0, (call, filter) => {
      if (spanOf(call) === "201-300") call.result(JSON.stringify(spoil(select(LOGS, filter))));
      else honest(LOGS)(call, filter);
    });
    for (const at of [1, 2]) {
      become(w, at, (call, filter) => {
        if (w.asked(0).includes("201-300")) honest(LOGS)(call, filter);
        else call.fail("refused");
      });
    }
    expect(w.ask(WIDE).text === whole()).toBe(true);
    expect(w.asked(0)).toContain("201-300");
    expect(w.events.filter(({ name }) => name === "provider.misbehaviour")).toHaveLength(1);
  });

  it("is asked for again when its provider throttles, after the rest it asks for", () => {
    const w = logsWorld(LOGS, { providers: ["a"] });
    let throttled = 3;
    become(w, 0, (call, filter) => {
      if (spanOf(call) === "1-100" || throttled === 0) honest(LOGS)(call, filter);
      else {
        throttled--;
        call.answer("slow down", 429, "2");
      }
    });
    const reply = w.ask(WIDE);
    expect(reply.isEnded).toBe(false);
    w.advance(1900);
    const before = w.asked(0).length;
    w.advance(200);
    expect(w.asked(0).length).toBeGreaterThan(before);
    w.advance(6000);
    expect(reply.text === whole()).toBe(true);
    expect(w.gateway.engine.wheel.size).toBe(0);
  });

  it("for good ends the call with its error, and with all other parts", () => {
    const w = logsWorld(LOGS);
    for (const at of [0, 1, 2]) {
      become(w, at, (call) => {
        if (spanOf(call) === "101-200") call.error(-32603, "internal error");
      });
    }
    const reply = w.ask(WIDE);
    expect(reply.json.error).toMatchObject({ code: -32603, message: "internal error" });
    expect(reply.json.error.data.request_id).toBe(reply.headers["x-paceline-request-id"]);
    expect(reply.json.error.data.attempts.length).toBeGreaterThanOrEqual(3);
    const running = w.upstreams
      .flatMap(({ calls }) => calls)
      .filter((c) => spanOf(c) !== "101-200");
    expect(running.length).toBeGreaterThan(0);
    expect(running.every(({ isAborted }) => isAborted)).toBe(true);
    expect(w.gateway.inFlight).toBe(0);
    expect(w.gateway.engine.wheel.size).toBe(0);
    expect(w.records).toHaveLength(1);
  });

  it("never leaves the provider that the client insists on", () => {
    const w = logsWorld(LOGS);
    become(w, 1, (call, filter) => {
      if (spanOf(call) === "101-200") call.fail("reset");
      else honest(LOGS)(call, filter);
    });
    const { error } = w.ask(WIDE, { url: "/rpc/provider/b/ethereum" }).json;
    expect(error).toMatchObject({ code: -32002, data: { reason: "exhausted" } });
    expect([w.asked(0), w.asked(2)]).toEqual([[], []]);
  });

  it("is given up at the one deadline of the call", () => {
    const w = logsWorld(LOGS);
    for (const at of [0, 1, 2]) become(w, at, silent);
    const reply = w.ask(WIDE);
    w.advance(29_800);
    expect(reply.isEnded).toBe(false);
    w.advance(400);
    expect(reply.json.error).toMatchObject({ code: -32002 });
    expect(w.gateway.inFlight).toBe(0);
    expect(
      open(w).filter(({ handler }) => !(handler as never as { isSettled: boolean }).isSettled),
    ).toEqual([]);
  });
});
