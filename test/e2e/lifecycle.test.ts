/** Leaving and changing while clients are there: SIGTERM and SIGHUP. */
import { beforeEach, describe, expect, it } from "vitest";
import { startFakeServer } from "../../src/io/fake-provider.ts";
import { type FaultProxy, startFaultProxy } from "../../src/io/fault-proxy.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import { FakeProvider } from "../../src/rpc/fake/provider.ts";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { type ConfigDocument, Gateway } from "../support/gateway.ts";
import { anew, post, rpc, RpcSocket } from "../support/rpc.ts";
import { startLoad } from "../support/world.ts";

const use = cleanupAfterEach();
let proxies: Record<"a" | "b" | "c", FaultProxy>;

beforeEach(async () => {
  const startMs = Date.now();
  const chain = new FakeChain({ seed: 1, chainId: 77, blockTimeMs: 200, startMs, reorgEpoch: 0 });
  const start = async (id: string): Promise<FaultProxy> => {
    const mind = new FakeProvider({ id, chain, faults: {}, seed: 1, startMs });
    const server = use(await startFakeServer(mind, Date.now));
    return use(await startFaultProxy({ upstreamUrl: server.url }));
  };
  proxies = { a: await start("a"), b: await start("b"), c: await start("c") };
});

const READ = { jsonrpc: "2.0", id: 1, method: "eth_gasPrice", params: [] };

function config(ids: readonly ("a" | "b" | "c")[], extra: ConfigDocument = {}): ConfigDocument {
  const providers = ids.map((id) => ({ id, url: proxies[id].url, ws_url: proxies[id].wsUrl }));
  return { chains: { one: { chain_id: 77, strategy: "priority", providers } }, ...extra };
}

async function pids(gateway: Gateway): Promise<Map<string, string>> {
  const nodes = await gateway.processes();
  return new Map(nodes.map(({ name, pid }) => [name, pid]));
}

describe("SIGTERM", () => {
  it("lets requests in flight finish, closes WebSockets with 1012 and exits 0", async () => {
    const gateway = use(await Gateway.start({ config: config(["a"]) }));
    const url = `${gateway.url}/rpc/one`;
    await eventually("it serves", () => rpc(url, "eth_gasPrice"));
    const socket = use(await RpcSocket.connect(`${gateway.wsUrl}/rpc/one`));
    await socket.subscribe("newHeads");
    proxies.a.set({ latencyMs: 600 });
    const asked = proxies.a.counters().calls["eth_gasPrice"] ?? 0;
    const inFlight = Promise.all(Array.from({ length: 20 }, () => post(anew(url), READ)));
    await eventually("they are in flight", () => {
      return (proxies.a.counters().calls["eth_gasPrice"] ?? 0) >= asked + 20;
    });
    gateway.child.signal("SIGTERM");
    for (const { status, text } of await inFlight) {
      expect(status).toBe(200);
      expect(JSON.parse(text).result, text).toMatch(/^0x/u);
    }
    expect((await socket.closed).code).toBe(1012);
    expect(await gateway.child.exited).toEqual({ code: 0, signal: null });
    await expect(isAdminGone(gateway)).resolves.toBe(true);
  });

  it("is not ready while it drains, although it is alive", async () => {
    const drain = { pre_delay: "1500ms", close_spread: "0s", timeout: "5s" };
    const gateway = use(await Gateway.start({ config: config(["a"], { drain }) }));
    await eventually("ready", async () => (await fetch(`${gateway.url}/readyz`)).status === 200);
    gateway.child.signal("SIGTERM");
    await eventually(
      "not ready",
      async () => (await fetch(`${gateway.url}/readyz`)).status === 503,
    );
    expect((await fetch(`${gateway.url}/livez`)).status).toBe(200);
    const late = await post(anew(`${gateway.url}/rpc/one`), READ);
    expect(JSON.parse(late.text).result, late.text).toMatch(/^0x/u);
    expect((await gateway.child.exited).code).toBe(0);
  });

  it("is forced to exit 2 by a second signal", async () => {
    const drain = { pre_delay: "20s", close_spread: "0s", timeout: "25s" };
    const gateway = use(await Gateway.start({ config: config(["a"], { drain }) }));
    gateway.child.signal("SIGTERM");
    await eventually(
      "it drains",
      async () => (await fetch(`${gateway.url}/readyz`)).status === 503,
    );
    gateway.child.signal("SIGTERM");
    expect(await gateway.child.exited).toEqual({ code: 2, signal: null });
  });

  it("remembers its evidence over a restart", async () => {
    const first = use(await Gateway.start({ config: config(["a", "b"]) }));
    const url = (gateway: Gateway) => `${gateway.url}/rpc/one`;
    await eventually("it serves", () => rpc(url(first), "eth_gasPrice"));
    for (let i = 0; i < 30; i++) await post(anew(url(first)), READ);
    first.child.signal("SIGTERM");
    expect((await first.child.exited).code).toBe(0);
    const second = use(await Gateway.start({ config: config(["a", "b"]), folder: first.folder }));
    const { chains } = (await (await fetch(`${second.url}/api/v1/chains`)).json()) as any;
    const known = chains[0].providers.reduce((sum: number, p: any) => sum + p.calls, 0);
    expect(known).toBeGreaterThanOrEqual(25);
  });
});

describe("SIGHUP", () => {
  it("starts what is new, stops what is gone and leaves the rest running", async () => {
    const gateway = use(await Gateway.start({ config: config(["a", "b"]) }));
    const url = `${gateway.url}/rpc/one`;
    await eventually("it serves", () => rpc(url, "eth_gasPrice"));
    const socket = use(await RpcSocket.connect(`${gateway.wsUrl}/rpc/one`));
    const { events } = await socket.subscribe("newHeads");
    const before = await pids(gateway);
    const load = startLoad(url, 2);
    gateway.writeConfig(config(["a", "c"]));
    gateway.child.signal("SIGHUP");
    const after = await eventually("c runs and b does not", async () => {
      const now = await pids(gateway);
      const names = [...now.keys()].join(" ");
      return names.includes("provider/c") && !names.includes("provider/b") ? now : undefined;
    });
    for (const [name, pid] of before) {
      if (!isOfB(name)) expect(after.get(name), name).toBe(pid);
    }
    const seen = events.length;
    await socket.until(() => events.length > seen + 2);
    for (let i = 1; i < events.length; i++) expect(events[i].parentHash).toBe(events[i - 1].hash);
    expect((await load.finish()).failures).toEqual([]);
    const forced = await post(`${gateway.url}/rpc/provider/c/one`, READ);
    expect(JSON.parse(forced.text).result).toMatch(/^0x/u);
    expect((await post(`${gateway.url}/rpc/provider/b/one`, READ)).status).toBe(404);
  });

  it("keeps the old configuration when the new one is bad, and says what is wrong", async () => {
    const gateway = use(await Gateway.start({ config: config(["a", "b"]) }));
    const before = await pids(gateway);
    gateway.writeConfig("chains:\n  one:\n    chain_idd: 5\n");
    gateway.child.signal("SIGHUP");
    await gateway.child.waitFor(/chain_idd/u);
    expect(await pids(gateway)).toEqual(before);
    expect(await rpc(`${gateway.url}/rpc/one`, "eth_chainId")).toBe("0x4d");
  });

  it("gives no answer of the chain that had the name before", async () => {
    const gateway = use(await Gateway.start({ config: config(["a"]) }));
    const url = `${gateway.url}/rpc/one`;
    const block = () => rpc(url, "eth_getBlockByNumber", ["0x1", false]);
    const { hash } = await eventually("it serves", block);
    expect((await block()).hash).toBe(hash);
    const startMs = Date.now();
    const other = new FakeChain({ seed: 2, chainId: 78, blockTimeMs: 200, startMs });
    const mind = new FakeProvider({ id: "a", chain: other, faults: {}, seed: 2, startMs });
    const server = use(await startFakeServer(mind, Date.now));
    const providers = [{ id: "a", url: server.url, ws_url: server.wsUrl }];
    gateway.writeConfig({ chains: { one: { chain_id: 78, strategy: "priority", providers } } });
    gateway.child.signal("SIGHUP");
    await eventually("the other chain is there", async () => {
      return (await rpc(url, "eth_chainId")) === "0x4e" && (await rpc(anew(url), "eth_gasPrice"));
    });
    const truth = await rpc(server.url, "eth_getBlockByNumber", ["0x1", false]);
    expect(truth.hash).not.toBe(hash);
    expect((await block()).hash).toBe(truth.hash);
  });

  it("restarts only the provider whose address changed", async () => {
    const gateway = use(await Gateway.start({ config: config(["a", "b"]) }));
    const before = await pids(gateway);
    const changed = config(["a", "b"]) as any;
    changed.chains.one.providers[1].url = proxies.c.url;
    changed.chains.one.providers[1].ws_url = proxies.c.wsUrl;
    gateway.writeConfig(changed);
    gateway.child.signal("SIGHUP");
    const after = await eventually("b has a new connection", async () => {
      const now = await pids(gateway);
      const name = "rpc/chain/one/provider/b/ws-connection";
      return now.has(name) && now.get(name) !== before.get(name) ? now : undefined;
    });
    for (const [name, pid] of before) {
      if (!isOfB(name)) expect(after.get(name), name).toBe(pid);
    }
    await eventually("b is asked at its new address", async () => {
      await post(`${gateway.url}/rpc/provider/b/one`, READ);
      return (proxies.c.counters().calls["eth_gasPrice"] ?? 0) > 0;
    });
  });
});

/** Whether a process belongs to provider b, supervisors included. */
function isOfB(name: string): boolean {
  return /provider[/:]b\b/u.test(name);
}

/** Whether the admin socket's file went with its instance. */
async function isAdminGone(gateway: Gateway): Promise<boolean> {
  return gateway.admin().then(
    () => false,
    () => true,
  );
}
