import { beforeAll, describe, expect, it } from "vitest";
import { startFakeServer } from "../../src/io/fake-provider.ts";
import { type FaultProxy, startFaultProxy } from "../../src/io/fault-proxy.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import { FakeProvider } from "../../src/rpc/fake/provider.ts";
import { type Anvil, describeWithAnvil, startAnvil } from "../support/anvil.ts";
import { cleanupAfterAll, cleanupAfterEach } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { post, rpc, RpcSocket } from "../support/rpc.ts";

const CHAIN_ID = { jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] };

describeWithAnvil("a fault proxy in front of a real node", () => {
  const keep = cleanupAfterAll();
  const use = cleanupAfterEach();
  let node: Anvil;
  beforeAll(async () => {
    node = keep(await startAnvil({ chainId: 7_777 }));
  });
  const proxy = async (): Promise<FaultProxy> =>
    use(await startFaultProxy({ upstreamUrl: node.url }));

  it("passes bytes unchanged over HTTP and WebSocket when nothing is set", async () => {
    const { url, wsUrl } = await proxy();
    const block = {
      jsonrpc: "2.0",
      id: "x",
      method: "eth_getBlockByNumber",
      params: ["0x0", true],
    };
    expect((await post(url, block)).text).toBe((await post(node.url, block)).text);
    const socket = use(await RpcSocket.connect(wsUrl));
    expect(await socket.call("eth_chainId")).toBe("0x1e61");
  });

  it("delays by the latency it is set to, and no less", async () => {
    const it = await proxy();
    it.set({ latencyMs: 60, jitterMs: 20 });
    const startedMs = performance.now();
    await post(it.url, CHAIN_ID);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(59);
  });

  it("answers each kind of fault on the wire and heals", async () => {
    const it = await proxy();
    it.set({ status: 429, retryAfterSec: 7 });
    const limited = await post(it.url, CHAIN_ID);
    expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "7"]);
    it.heal();
    it.set({ rpcError: { code: 429, message: "slow down" } });
    expect(await post(it.url, CHAIN_ID)).toMatchObject({
      status: 200,
      text: expect.stringContaining("429"),
    });
    it.heal();
    it.set({ garbage: true });
    expect((await post(it.url, CHAIN_ID)).text).toContain("not json");
    for (const fault of [{ reset: true }, { truncate: true }, { down: true }]) {
      it.heal();
      it.set(fault);
      await expect(post(it.url, CHAIN_ID)).rejects.toThrow();
    }
    it.heal();
    expect((await post(it.url, CHAIN_ID)).status).toBe(200);
  });

  it("hangs calls, events and pings until it is healed", async () => {
    const it = await proxy();
    const socket = use(await RpcSocket.connect(it.wsUrl));
    it.set({ hang: true });
    const answer = await Promise.race([
      socket.answer("eth_chainId").catch(() => "late"),
      post(it.url, CHAIN_ID).catch(() => "late"),
      new Promise((resolve) => setTimeout(resolve, 150, "silent")),
    ]);
    expect(answer).toBe("silent");
    await it.stop();
  });

  it("strikes only the methods and the share it is told to", async () => {
    const it = await proxy();
    it.set({ status: 500, methods: ["eth_gasPrice"] });
    expect((await post(it.url, CHAIN_ID)).status).toBe(200);
    expect((await post(it.url, { ...CHAIN_ID, method: "eth_gasPrice" })).status).toBe(500);
    it.set({ methods: undefined, ratio: 0.5 });
    const runs = await Promise.all(Array.from({ length: 60 }, () => post(it.url, CHAIN_ID)));
    const failed = runs.filter((run) => run.status === 500).length;
    expect(failed).toBeGreaterThan(10);
    expect(failed).toBeLessThan(50);
  });

  it("lies about its chain id and stays at a stale head, on both transports", async () => {
    const it = await proxy();
    it.set({ wrongChainId: 5 });
    const socket = use(await RpcSocket.connect(it.wsUrl));
    expect(await rpc(it.url, "eth_chainId")).toBe("0x5");
    expect(await rpc(it.url, "net_version")).toBe("5");
    expect(await socket.call("eth_chainId")).toBe("0x5");
    it.heal();
    const head = Number(await rpc(node.url, "eth_blockNumber"));
    const { events } = await socket.subscribe("newHeads");
    it.set({ staleHead: head });
    await node.mine(2);
    expect(Number(await rpc(it.url, "eth_blockNumber"))).toBe(head);
    expect(Number((await rpc(it.url, "eth_getBlockByNumber", ["latest", false])).number)).toBe(
      head,
    );
    expect(
      await rpc(it.url, "eth_getBlockByNumber", [`0x${(head + 1).toString(16)}`, false]),
    ).toBeNull();
    expect(Number(await socket.call("eth_blockNumber"))).toBe(head);
    it.heal();
    await node.mine(1);
    await socket.until(() => events.length > 0);
    expect(Number(events[0].number)).toBe(head + 3);
  });

  it("forwards heads in order under jitter and counts subscriptions until they are gone", async () => {
    const it = await proxy();
    it.set({ latencyMs: 5, jitterMs: 30 });
    const socket = use(await RpcSocket.connect(it.wsUrl));
    const { id, events } = await socket.subscribe("newHeads");
    expect(it.counters()).toMatchObject({ wsOpen: 1, subscriptionsOpen: 1 });
    await node.mine(10);
    await socket.until(() => events.length === 10);
    for (let i = 1; i < 10; i++) expect(events[i].parentHash).toBe(events[i - 1].hash);
    await socket.call("eth_unsubscribe", [id]);
    expect(it.counters().subscriptionsOpen).toBe(0);
  });

  it("cuts every connection, refuses new ones, and serves again when healed", async () => {
    const it = await proxy();
    const socket = use(await RpcSocket.connect(it.wsUrl));
    it.cut();
    expect((await socket.closed).code).toBe(1006);
    await expect(RpcSocket.connect(it.wsUrl)).rejects.toThrow();
    it.heal();
    expect(await use(await RpcSocket.connect(it.wsUrl)).call("eth_chainId")).toBe("0x1e61");
  });
});

describe("a fault proxy in front of a fake provider", () => {
  const use = cleanupAfterEach();

  it("swallows events while calls are answered", async () => {
    const startMs = Date.now();
    const chain = new FakeChain({ seed: 1, chainId: 9, blockTimeMs: 40, startMs });
    const mind = new FakeProvider({ id: "p", chain, faults: {}, seed: 1, startMs });
    const server = use(await startFakeServer(mind, Date.now));
    const it = use(await startFaultProxy({ upstreamUrl: server.url }));
    const socket = use(await RpcSocket.connect(it.wsUrl));
    const { events } = await socket.subscribe("newHeads");
    await socket.until(() => events.length >= 2);
    it.set({ muteEvents: true });
    const before = Number(await socket.call("eth_blockNumber"));
    const count = events.length;
    await eventually("two more blocks", async () => {
      return Number(await socket.call("eth_blockNumber")) >= before + 2;
    });
    expect(events.length).toBe(count);
  });
});
