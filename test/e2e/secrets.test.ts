/** API keys live in paths, queries, headers and passwords; none of them may ever be seen again. */
import { describe, expect, it } from "vitest";
import { startFakeServer } from "../../src/io/fake-provider.ts";
import { startFaultProxy } from "../../src/io/fault-proxy.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import { FakeProvider } from "../../src/rpc/fake/provider.ts";
import { flatten } from "../support/admin.ts";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { Gateway } from "../support/gateway.ts";
import { anew, post, rpc, RpcSocket } from "../support/rpc.ts";

describe("keys of providers", () => {
  const use = cleanupAfterEach();

  it("appear in no output, answer, metric, admin reply, log or snapshot", async () => {
    const startMs = Date.now();
    const chain = new FakeChain({ seed: 1, chainId: 77, blockTimeMs: 200, startMs });
    const mind = new FakeProvider({ id: "p", chain, faults: {}, seed: 1, startMs });
    const server = use(await startFakeServer(mind, Date.now));
    const open = async () => use(await startFaultProxy({ upstreamUrl: server.url }));
    const [path, query, user, dead] = [await open(), await open(), await open(), await open()];
    const keyed = (proxy: { port: number }, n: number) => {
      const host = `127.0.0.1:${proxy.port}`;
      if (n === 2) return `//host/?key=CANARYquery2`.replace("host", host);
      return n === 3 ? `//CANARYuser3:CANARYpass3@${host}/` : `//${host}/v2/CANARYpath${n}`;
    };
    const provider = (id: string, proxy: { port: number }, n: number) => ({
      id,
      url: `http:${keyed(proxy, n)}`,
      ws_url: `ws:${keyed(proxy, n)}`,
      headers: { authorization: `Bearer CANARYheader${n}` },
    });
    const providers = [
      provider("a", path, 1),
      provider("b", query, 2),
      provider("c", user, 3),
      provider("d", dead, 4),
    ];
    dead.cut();
    const gateway = use(
      await Gateway.start({
        config: { chains: { one: { chain_id: 77, providers } }, log: { level: "debug" } },
      }),
    );
    const url = `${gateway.url}/rpc/one`;
    await eventually("it serves", () => rpc(url, "eth_gasPrice"));
    const socket = use(await RpcSocket.connect(`${gateway.wsUrl}/rpc/one`));
    await socket.subscribe("newHeads");
    const said: string[] = [];
    const ask = async (target: string): Promise<void> => {
      const answer = await post(target, {
        jsonrpc: "2.0",
        id: 1,
        method: "eth_gasPrice",
        params: [],
      });
      said.push(answer.text, JSON.stringify([...answer.headers]));
      said.push(atob((answer.headers.get("x-paceline-meta") ?? "").replaceAll(/[-_]/g, "/")));
    };
    const echoes = [
      { proxy: path, message: "no CANARYpath1 at http://x/v2/CANARYpath1, Bearer CANARYheader1" },
      { proxy: query, message: "no CANARYquery2 at http://x/?key=CANARYquery2" },
      { proxy: user, message: "no CANARYpass3 at http://CANARYuser3:CANARYpass3@x/" },
    ];
    for (const { proxy, message } of echoes) {
      for (const fault of [
        { rpcError: { code: -32_000, message } },
        { rpcError: { code: 3, message } },
        { status: 401 },
        { reset: true },
        { garbage: true },
      ]) {
        proxy.set(fault);
        for (const id of ["a", "b", "c", "d"]) await ask(`${gateway.url}/rpc/provider/${id}/one`);
        await ask(anew(`${url}?include_meta=body`));
        await ask(anew(`${url}?include_meta=headers`));
        proxy.heal();
      }
      proxy.dropWs();
    }
    const pages = [
      "/",
      "/api/v1/chains",
      "/metrics",
      "/health",
      "/readyz",
      "/openapi.json",
      "/api/v1/requests/slow?limit=1000",
      "/api/v1/chains/one/explain?method=eth_call",
    ];
    for (const name of pages) said.push(await (await fetch(`${gateway.url}${name}`)).text());
    const admin = await gateway.admin();
    await admin.raise();
    const { entries } = (await admin.reply("slow", { limit: 1_000 })).ok as {
      readonly entries: readonly { readonly request_id: string }[];
    };
    expect(entries.length).toBeGreaterThan(20);
    said.push(JSON.stringify(entries));
    for (const { request_id: request } of entries) {
      said.push(JSON.stringify(await admin.reply("explain", { request })));
    }
    const tree = await admin.tree();
    said.push(JSON.stringify(tree), JSON.stringify(await admin.reply("ps")));
    for (const { name } of flatten(tree)) {
      said.push(JSON.stringify(await admin.reply("inspect", { target: name })));
    }
    said.push(JSON.stringify(await admin.reply("config")));
    for (const { name } of flatten(tree).filter((node) => node.name.includes("/provider/"))) {
      await admin.reply("exit", { target: name, reason: "canary drill" });
    }
    await eventually("it serves again", () => rpc(anew(url), "eth_gasPrice"));
    gateway.child.signal("SIGTERM");
    await gateway.child.exited;
    said.push(gateway.traces());
    const leaks = said.flatMap((text) => text.match(/.{0,80}CANARY\w*/gu) ?? []);
    expect(leaks).toEqual([]);
    expect(said.join("").length).toBeGreaterThan(10_000);
  }, 60_000);
});
