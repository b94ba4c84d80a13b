/** The promise to subscribers on real nodes: deep reorganisations, half-open sockets, polls, a fork. */
import { expect, it } from "vitest";
import { type Anvil, describeWithAnvil, startAnvil } from "../support/anvil.ts";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { TWO_LOGS } from "../support/contracts.ts";
import { emitTwoLogs } from "../support/emit-two-logs.ts";
import { eventually } from "../support/eventually.ts";
import { rpc, RpcSocket } from "../support/rpc.ts";
import { liveOf } from "../support/live-logs.ts";
import {
  chainConfig,
  type ProxiedChain,
  startGatewayFor,
  startProxiedChain,
  streamsUp,
} from "../support/world.ts";

const PATIENCE_MS = 25_000;

interface Client {
  readonly socket: RpcSocket;
  readonly heads: readonly any[];
  readonly logs: readonly any[];
}

describeWithAnvil("the promise to subscribers, on real nodes", () => {
  const use = cleanupAfterEach();

  const startChain = async (): Promise<ProxiedChain> => {
    const chain = use(await startProxiedChain(["a", "b", "c"]));
    await chain.node.rpc("anvil_setCode", [TWO_LOGS.address, TWO_LOGS.code]);
    await chain.node.mine(70);
    return chain;
  };

  const connect = async (wsUrl: string): Promise<Client> => {
    const socket = use(await RpcSocket.connect(`${wsUrl}/rpc/dev`));
    const heads = await socket.subscribe("newHeads");
    const logs = await socket.subscribe("logs", { address: TWO_LOGS.address });
    return { socket, heads: heads.events, logs: logs.events };
  };

  it.each([1, 2, 16, 64])(
    "shows a reorganisation of %i blocks while providers die",
    async (depth) => {
      const chain = await startChain();
      const gateway = use(await startGatewayFor({ dev: chainConfig(chain) }));
      const proxies = Object.values(chain.proxies);
      await streamsUp(proxies);
      const client = await connect(gateway.wsUrl);
      const start = Number(await chain.node.rpc("eth_blockNumber"));
      for (let i = 1; i <= depth; i++) await emitTwoLogs(chain.node, i);
      await client.socket.until(() => client.logs.length >= 2 * depth, PATIENCE_MS);
      proxies[0]?.cut();
      await chain.node.rpc("anvil_reorg", [depth, []]);
      proxies[1]?.dropWs();
      for (let i = 1; i <= 2; i++) await emitTwoLogs(chain.node, 1_000 + i);
      await settled(chain.node, client, start);
      expect(client.logs.filter(({ removed }) => removed).length).toBe(2 * depth);
    },
    60_000,
  );

  it("goes on over sockets that are half open, and one block alone is shown after an outage", async () => {
    const chain = await startChain();
    const gateway = use(await startGatewayFor({ dev: chainConfig(chain) }));
    const proxies = Object.values(chain.proxies);
    await streamsUp(proxies);
    const client = await connect(gateway.wsUrl);
    const start = Number(await chain.node.rpc("eth_blockNumber"));
    await emitTwoLogs(chain.node, 1);
    for (const proxy of proxies.slice(0, 2)) proxy.set({ hang: true });
    for (let i = 2; i <= 6; i++) await emitTwoLogs(chain.node, i);
    await settled(chain.node, client, start);
    for (const proxy of proxies) proxy.heal();
    for (const proxy of proxies) proxy.cut();
    await emitTwoLogs(chain.node, 7);
    for (const proxy of proxies) proxy.heal();
    // Nothing follows it that could give the gap away.
    await settled(chain.node, client, start);
    expect(client.logs.length).toBe(14);
  }, 60_000);

  it("reads heads and logs by polls where no provider has a WebSocket", async () => {
    const chain = await startChain();
    const providers = Object.entries(chain.proxies).map(([id, proxy]) => ({ id, url: proxy.url }));
    const dev = { ...chainConfig(chain), providers };
    const gateway = use(await startGatewayFor({ dev }));
    const client = await connect(gateway.wsUrl);
    const start = Number(await chain.node.rpc("eth_blockNumber"));
    for (let i = 1; i <= 4; i++) await emitTwoLogs(chain.node, i);
    await settled(chain.node, client, start);
    Object.values(chain.proxies)[0]?.cut();
    await chain.node.rpc("anvil_reorg", [2, []]);
    for (let i = 5; i <= 6; i++) await emitTwoLogs(chain.node, i);
    await settled(chain.node, client, start);
    expect(client.logs.filter(({ removed }) => removed).length).toBe(4);
  }, 60_000);

  it.each([
    ["behind, and ahead of the others in the end", 60],
    ["ahead", 100],
  ])(
    "does not follow a provider on a chain of its own that speaks first and is %s",
    async (_where, height) => {
      const chain = await startChain();
      const stray = use(
        await startAnvil({ chainId: chain.node.chainId, timestamp: 1_600_000_000 }),
      );
      await stray.mine(height);
      const config = chainConfig(chain) as { providers: object[] };
      const providers = [
        ...config.providers.slice(0, 2),
        { id: "stray", url: stray.url, ws_url: stray.wsUrl, priority: 9 },
      ];
      const gateway = use(await startGatewayFor({ dev: { ...config, providers } }));
      await streamsUp(Object.values(chain.proxies).slice(0, 2));
      const client = await connect(gateway.wsUrl);
      const start = Number(await chain.node.rpc("eth_blockNumber"));
      for (let i = 1; i <= 8; i++) {
        await stray.mine(3);
        await emitTwoLogs(chain.node, i);
      }
      await settled(chain.node, client, start);
      expect(client.logs.length).toBe(16);
    },
    60_000,
  );

  it("misses nothing between the first subscribe of a fresh gateway and the first block", async () => {
    const chain = await startChain();
    const gateway = use(await startGatewayFor({ dev: chainConfig(chain) }));
    const start = Number(await chain.node.rpc("eth_blockNumber"));
    const client = await connect(gateway.wsUrl);
    await emitTwoLogs(chain.node, 1);
    await settled(chain.node, client, start);
    expect(client.heads.length).toBe(1);
  });
});

/** Waits until the client has the node's chain from `start` on, each head linked and each log once. */
async function settled(node: Anvil, { heads, logs }: Client, start: number): Promise<void> {
  const tip = Number(await node.rpc("eth_blockNumber"));
  const blocks = await Promise.all(
    Array.from({ length: tip - start }, (_, i) =>
      rpc(node.url, "eth_getBlockByNumber", [`0x${(start + 1 + i).toString(16)}`, false]),
    ),
  );
  const filter = { address: TWO_LOGS.address, fromBlock: `0x${(start + 1).toString(16)}` };
  const wanted = (await node.rpc("eth_getLogs", [filter])).map(nameOf);
  const told = (): readonly string[] => branchOf(heads);
  await eventually(
    "the client has seen the chain",
    () => told().at(-1) === blocks.at(-1)?.hash && liveOf(logs, nameOf).length === wanted.length,
    PATIENCE_MS,
  );
  expect(told()).toEqual(blocks.map(({ hash }) => hash));
  expect(liveOf(logs, nameOf)).toEqual(wanted);
}

/** The branch that heads lead to; each must stand on one that was told, the first ones apart. */
function branchOf(heads: readonly any[]): readonly string[] {
  const branch: string[] = [];
  for (const { hash, parentHash } of heads) {
    expect(branch).not.toContain(hash);
    const parent = branch.lastIndexOf(parentHash);
    // A fork may be as deep as what was told.
    if (parent < 0 && branch.length > 0) expect(parentHash).toBe(heads[0].parentHash);
    branch.splice(parent + 1);
    branch.push(hash);
  }
  return branch;
}

function nameOf(log: any): string {
  return `${log.blockHash}:${log.logIndex}`;
}
