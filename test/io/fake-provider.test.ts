import { createPublicClient, defineChain, http, webSocket } from "viem";
import { afterEach, describe, expect, it } from "vitest";
import { startFakeServer } from "../../src/io/fake-provider.ts";
import { startDemoWorld } from "../../src/rpc/fake/demo-world.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import type { FaultProfile } from "../../src/rpc/fake/faults.ts";
import { FakeProvider } from "../../src/rpc/fake/provider.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function start(faults: FaultProfile = {}, blockTimeMs = 100) {
  const startMs = Date.now();
  const chain = new FakeChain({ seed: 1, chainId: 31_001, blockTimeMs, startMs, reorgEpoch: 0 });
  const mind = new FakeProvider({ id: "p", chain, faults, seed: 1, startMs });
  const server = await startFakeServer(mind, Date.now);
  stops.push(() => server.stop());
  return { chain, server };
}

const post = (url: string, method = "eth_chainId") =>
  fetch(url, {
    method: "POST",
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: [] }),
  });

const alpha = defineChain({
  id: 31_001,
  name: "alpha",
  nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
  rpcUrls: { default: { http: [] } },
});

describe("a fake provider on a real socket", () => {
  it("serves viem over HTTP: blocks with transactions, logs, balances", async () => {
    const { server, chain } = await start();
    const client = createPublicClient({ chain: alpha, transport: http(server.url) });
    expect(await client.getChainId()).toBe(31_001);
    const block = await client.getBlock({ includeTransactions: true });
    expect(block.transactions.every((t) => typeof t === "object")).toBe(true);
    const logs = await client.getLogs({ fromBlock: block.number - 20n, toBlock: block.number });
    expect(logs.length).toBeGreaterThan(0);
    const receipt = await client.getTransactionReceipt({ hash: logs[0]?.transactionHash ?? "0x" });
    expect(receipt.status).toBe("success");
    const who = chain.ledger.accounts[0] as `0x${string}`;
    expect(await client.getBalance({ address: who })).toBeGreaterThan(0n);
  });

  it("streams parent-linked heads over WebSocket to viem's watcher", async () => {
    const { server } = await start({ latencyMs: 5 });
    const client = createPublicClient({ chain: alpha, transport: webSocket(server.wsUrl) });
    const numbers = await new Promise<bigint[]>((resolve, reject) => {
      const seen: bigint[] = [];
      const unwatch = client.watchBlockNumber({
        onBlockNumber: (n) => {
          if (seen.push(n) < 5) return;
          unwatch();
          resolve(seen);
        },
        onError: reject,
      });
    });
    expect(numbers.map((n) => n - (numbers[0] ?? 0n))).toEqual([0n, 1n, 2n, 3n, 4n]);
    const { socket } = await client.transport.getRpcClient();
    socket.close();
  });

  it("shows its faults on the wire", async () => {
    const limit = { requestsPerSec: 0.001, burst: 1, retryAfterSec: 9, style: "status" } as const;
    const limited = await start({ rateLimit: limit });
    expect((await post(limited.server.url)).status).toBe(200);
    const refused = await post(limited.server.url);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "9"]);

    const failing = await start({ ratios: { status500: 1 } });
    expect((await post(failing.server.url)).status).toBe(500);
    for (const kind of ["truncate", "reset"] as const) {
      const broken = await start({ ratios: { [kind]: 1 } });
      await expect(post(broken.server.url).then((r) => r.text())).rejects.toThrow();
    }
    const garbled = await start({ ratios: { garbage: 1 } });
    await expect(post(garbled.server.url).then((r) => r.json())).rejects.toThrow();
    const outage = { everyMs: 9e9, durationMs: 8e9, offsetMs: 0, style: "refuse" } as const;
    const gone = await start({ outage });
    await expect(post(gone.server.url)).rejects.toThrow();
  });

  it("runs the demo world: two chains, four providers each, one story per chain", async () => {
    const now = Date.now;
    const world = await startDemoWorld({ seed: 9, now, startServer: startFakeServer });
    stops.push(() => world.stop());
    expect(world.providers.map((p) => p.chain)).toEqual(
      Array.from({ length: 8 }, (_, i) => (i < 4 ? "alpha" : "beta")),
    );
    const read = async (url: string) => {
      const body = {
        jsonrpc: "2.0",
        id: 1,
        method: "eth_getBlockByNumber",
        params: ["0x2000", false],
      };
      const answer = await fetch(url, { method: "POST", body: JSON.stringify(body) });
      return ((await answer.json()) as { result: { hash: string } }).result.hash;
    };
    const steady = world.providers.filter((p) => ["heron", "otter", "badger"].includes(p.id));
    const [heron, otter, badger] = await Promise.all(steady.map((p) => read(p.url)));
    expect(otter).toBe(badger);
    expect(heron).not.toBe(badger);
    expect(world.env["DEMO_ALPHA_HARE_URL"]).toBe(world.providers[0]?.url);
  });
});
