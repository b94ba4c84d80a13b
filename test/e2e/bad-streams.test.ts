/** Everything a careless or hostile client can do with subscriptions, over real sockets. */
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { startFakeServer } from "../../src/io/fake-provider.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import { FakeProvider } from "../../src/rpc/fake/provider.ts";
import { cleanupAfterAll, cleanupAfterEach } from "../support/cleanup.ts";
import { Gateway } from "../support/gateway.ts";
import { post, RpcSocket } from "../support/rpc.ts";

const address = (n: number) => `0x${n.toString(16).padStart(40, "0")}`;
const topic = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;
const many = Array.from({ length: 1_001 }, (_, i) => i);
const MAX_SUBSCRIPTIONS = 8;

describe("bad input to subscriptions", () => {
  const keep = cleanupAfterAll();
  const use = cleanupAfterEach();
  let gateway: Gateway;
  /** Somebody else, who must not notice anything. */
  let bystander: RpcSocket;
  let bystanders: any[];

  const connect = async (): Promise<RpcSocket> =>
    use(await RpcSocket.connect(`${gateway.wsUrl}/rpc/one`));

  beforeAll(async () => {
    const startMs = Date.now();
    const chain = new FakeChain({ seed: 1, chainId: 77, blockTimeMs: 100, startMs });
    const mind = new FakeProvider({ id: "p", chain, faults: {}, seed: 1, startMs });
    const server = keep(await startFakeServer(mind, Date.now));
    const providers = [{ id: "p", url: server.url, ws_url: server.wsUrl }];
    gateway = keep(
      await Gateway.start({
        config: {
          limits: { ws_max_message: "128KiB", ws_max_subscriptions: MAX_SUBSCRIPTIONS },
          chains: { one: { chain_id: 77, providers } },
        },
      }),
    );
    bystander = keep(await RpcSocket.connect(`${gateway.wsUrl}/rpc/one`));
    bystanders = (await bystander.subscribe("newHeads")).events;
  });

  afterEach(async () => {
    const before = bystanders.length;
    await bystander.until(() => bystanders.length >= before + 2);
    // The chain has reorgs of its own; they never leave a hole.
    const [first, ...later] = bystanders;
    const seen = new Set([first.hash]);
    for (const { hash, parentHash, number } of later) {
      expect(seen.has(parentHash) || Number(number) <= Number(first.number)).toBe(true);
      seen.add(hash);
    }
  });

  const refusals: [string, string, unknown[], number, string][] = [
    [
      "an unknown kind",
      "eth_subscribe",
      ["oldHeads"],
      -32_601,
      'no "oldHeads" subscription in eth namespace',
    ],
    [
      "no kind",
      "eth_subscribe",
      [],
      -32_602,
      "expected subscription name as first argument: newHeads, logs, newPendingTransactions, syncing",
    ],
    [
      "a kind that is no text",
      "eth_subscribe",
      [{}],
      -32_602,
      "expected subscription name as first argument: newHeads, logs, newPendingTransactions, syncing",
    ],
    [
      "a filter that is no object",
      "eth_subscribe",
      ["logs", "all"],
      -32_602,
      "invalid argument 1: filter is not an object",
    ],
    [
      "an address that is none",
      "eth_subscribe",
      ["logs", { address: "0x12" }],
      -32_602,
      "invalid argument 1: invalid address: hex has invalid length 1 after decoding; expected 20 for address",
    ],
    [
      "an address among many that is none",
      "eth_subscribe",
      ["logs", { address: [address(1), 5] }],
      -32_602,
      "invalid argument 1: non-string address at index 1",
    ],
    [
      "too many addresses",
      "eth_subscribe",
      ["logs", { address: many.map(address) }],
      -32_602,
      "invalid argument 1: exceed max addresses or topics per search position",
    ],
    [
      "a topic that is none",
      "eth_subscribe",
      ["logs", { topics: [null, "0xzz"] }],
      -32_602,
      "invalid argument 1: invalid hex string (topics[1])",
    ],
    [
      "too many topics",
      "eth_subscribe",
      ["logs", { topics: [null, null, null, null, topic(1)] }],
      -32_602,
      "invalid argument 1: exceed max topics",
    ],
    [
      "too many alternatives of a topic",
      "eth_subscribe",
      ["logs", { topics: [null, null, many.map(topic)] }],
      -32_602,
      "invalid argument 1: exceed max addresses or topics per search position (topics[2])",
    ],
    [
      "a range of blocks",
      "eth_subscribe",
      ["logs", { fromBlock: "0x1" }],
      -32_602,
      "invalid argument 1: a subscription starts now: fromBlock and toBlock may only be latest",
    ],
    [
      "whole pending transactions",
      "eth_subscribe",
      ["newPendingTransactions", true],
      -32_602,
      "newPendingTransactions: only hashes are served, not full transactions",
    ],
  ];
  it.for(refusals)("refuses %s with go-ethereum's code", async ([, method, params, code, text]) => {
    const socket = await connect();
    const { error } = await socket.answer(method, params);
    expect([error.code, error.message]).toEqual([code, text]);
    expect(await socket.call("eth_gasPrice")).toMatch(/^0x/u);
  });

  it.for([
    ["an unknown id", ["0x77"]],
    ["no id", []],
    ["an id that is no text", [7]],
  ] as const)("answers false to an unsubscribe of %s", async ([, params]) => {
    expect(await (await connect()).call("eth_unsubscribe", params)).toBe(false);
  });

  it("does not end another connection's subscription, although both have the same id", async () => {
    const [owner, stranger] = [await connect(), await connect()];
    const { id, events } = await owner.subscribe("newHeads");
    expect(await stranger.call("eth_unsubscribe", [id])).toBe(false);
    const before = events.length;
    await owner.until(() => events.length > before);
  });

  it("refuses the subscription beyond the limit, and serves on", async () => {
    const socket = await connect();
    const answers = await Promise.all(
      Array.from({ length: MAX_SUBSCRIPTIONS + 2 }, () =>
        socket.answer("eth_subscribe", ["newHeads"]),
      ),
    );
    const refused = answers.filter(({ error }) => error !== undefined);
    expect(refused.map(({ error }) => [error.code, error.message])).toEqual(
      Array.from({ length: 2 }, () => [
        -32_005,
        `a connection holds at most ${MAX_SUBSCRIPTIONS} subscriptions`,
      ]),
    );
    const [, first] = answers;
    expect(await socket.call("eth_unsubscribe", [first.result])).toBe(true);
    expect(await socket.call("eth_subscribe", ["newHeads"])).toMatch(/^0x[0-9a-f]{32}$/u);
  });

  it("answers a flood of subscribes one by one, each of them once", async () => {
    const socket = await connect();
    const answers = await Promise.all(
      Array.from({ length: 2_000 }, () => socket.answer("eth_subscribe", ["logs", {}])),
    );
    const codes = answers.map(({ error }) => error?.code);
    expect(codes.filter((code) => code === undefined)).toHaveLength(MAX_SUBSCRIPTIONS);
    expect(codes.filter((code) => code === -32_005)).toHaveLength(2_000 - MAX_SUBSCRIPTIONS);
  });

  it("closes a connection whose frame is over the limit with 1009", async () => {
    const socket = await connect();
    await socket.subscribe("newHeads");
    socket.socket.send("x".repeat(128 * 1024 + 1));
    expect((await socket.closed).code).toBe(1009);
  });

  it("serves a binary frame that holds a call, as go-ethereum does", async () => {
    const socket = await connect();
    const answer = new Promise<string>((resolve) =>
      socket.socket.once("message", (data: Buffer) => resolve(data.toString())),
    );
    socket.socket.send(Buffer.from('{"jsonrpc":"2.0","id":"b","method":"eth_chainId"}'), {
      binary: true,
    });
    expect(JSON.parse(await answer)).toEqual({ jsonrpc: "2.0", id: "b", result: "0x4d" });
  });

  it.for([
    ["a binary frame that holds none", Buffer.from([0, 255, 1]), true],
    ["a text frame that is no UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), false],
    ["an empty frame", Buffer.alloc(0), false],
  ] as const)("answers -32700 to %s", async ([, bytes, binary]) => {
    const socket = await connect();
    const answer = new Promise<string>((resolve) =>
      socket.socket.once("message", (data: Buffer) => resolve(data.toString())),
    );
    socket.socket.send(bytes, { binary });
    expect(JSON.parse(await answer)).toMatchObject({ id: null, error: { code: -32_700 } });
    expect(await socket.call("eth_gasPrice")).toMatch(/^0x/u);
  });

  it("names the WebSocket to a subscribe over HTTP", async () => {
    const subscribe = { jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"] };
    const { text } = await post(`${gateway.url}/rpc/one`, subscribe);
    expect(JSON.parse(text).error).toMatchObject({
      code: -32_004,
      data: { websocket_url: `${gateway.wsUrl}/rpc/one` },
    });
  });

  it("has crashed nothing while it was told all this", async () => {
    const { ok } = await (await gateway.admin()).reply("tree");
    expect(JSON.stringify(ok)).not.toMatch(/"count":[1-9]/u);
  });
});
