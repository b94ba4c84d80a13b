/** Providers that offer only one transport serve clients of both. */
import { beforeAll, describe, expect, it } from "vitest";
import { startFakeServer } from "../../src/io/fake-provider.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import { FakeProvider } from "../../src/rpc/fake/provider.ts";
import { cleanupAfterAll, cleanupAfterEach } from "../support/cleanup.ts";
import { Gateway } from "../support/gateway.ts";
import { anew, post, rpc, RpcSocket } from "../support/rpc.ts";

describe("one transport behind, both in front", () => {
  const keep = cleanupAfterAll();
  const use = cleanupAfterEach();
  let gateway: Gateway;

  beforeAll(async () => {
    const startMs = Date.now();
    const shape = { seed: 1, chainId: 77, blockTimeMs: 500, startMs, reorgEpoch: 0 };
    const mind = new FakeProvider({
      id: "p",
      chain: new FakeChain(shape),
      faults: {},
      seed: 1,
      startMs,
    });
    const { url, wsUrl } = keep(await startFakeServer(mind, Date.now));
    const chain = (provider: object) => ({ chain_id: 77, providers: [{ id: "p", ...provider }] });
    const chains = { plain: chain({ url }), socket: chain({ ws_url: wsUrl }) };
    gateway = keep(await Gateway.start({ config: { chains } }));
  });

  it("answers calls of both kinds of clients from either kind of provider", async () => {
    for (const name of ["plain", "socket"]) {
      expect(await rpc(anew(`${gateway.url}/rpc/${name}`), "eth_gasPrice")).toMatch(/^0x/u);
      const socket = use(await RpcSocket.connect(anew(`${gateway.wsUrl}/rpc/${name}`)));
      expect(await socket.call("eth_gasPrice")).toMatch(/^0x/u);
    }
    const large = {
      jsonrpc: "2.0",
      id: 1,
      method: "eth_getLogs",
      params: [{ fromBlock: "0x2328" }],
    };
    const [viaHttp, viaWs] = await Promise.all(
      ["plain", "socket"].map((name) => post(`${gateway.url}/rpc/${name}`, large)),
    );
    expect(JSON.parse(viaHttp?.text ?? "").result.length).toBeGreaterThan(1_000);
    expect(JSON.parse(viaWs?.text ?? "").result.length).toBeGreaterThan(1_000);
  });

  it("streams every head and log of a chain that has no WebSocket provider", async () => {
    const socket = use(await RpcSocket.connect(`${gateway.wsUrl}/rpc/plain`));
    const heads = await socket.subscribe("newHeads");
    const logs = await socket.subscribe("logs", {});
    await socket.until(() => heads.events.length >= 8 && logs.events.length >= 10, 25_000);
    const { events } = heads;
    for (let i = 1; i < events.length; i++) expect(events[i].parentHash).toBe(events[i - 1].hash);
    const keys = logs.events.map((log) => `${log.blockHash}:${log.logIndex}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("says over HTTP where to subscribe", async () => {
    const call = { jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"] };
    const { error } = JSON.parse((await post(`${gateway.url}/rpc/plain`, call)).text);
    expect(error.code).toBe(-32_004);
    const socket = use(await RpcSocket.connect(error.data.websocket_url));
    expect(await socket.call("eth_subscribe", ["newHeads"])).toMatch(/^0x[0-9a-f]{32}$/u);
  });
});
