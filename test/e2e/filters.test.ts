/** Stateful filters and transactions: a real node, the same script against it and through Paceline. */
import { JsonRpcProvider } from "ethers";
import { createPublicClient, createWalletClient, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { beforeAll, expect, it } from "vitest";
import { describeWithAnvil, TEST_KEY } from "../support/anvil.ts";
import { cleanupAfterAll, cleanupAfterEach } from "../support/cleanup.ts";
import { TWO_LOGS, wordOf } from "../support/contracts.ts";
import { emitTwoLogs } from "../support/emit-two-logs.ts";
import { eventually } from "../support/eventually.ts";
import { rpc } from "../support/rpc.ts";
import {
  chainConfig,
  type ProxiedChain,
  startGatewayFor,
  startProxiedChain,
} from "../support/world.ts";

const RICH = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

describeWithAnvil("stateful filters through the gateway", () => {
  const keep = cleanupAfterAll();
  const use = cleanupAfterEach();
  let chain: ProxiedChain;
  let url: string;

  beforeAll(async () => {
    chain = keep(await startProxiedChain(["a", "b", "c"]));
    await chain.node.rpc("anvil_setCode", [TWO_LOGS.address, TWO_LOGS.code]);
    await chain.node.mine(3);
    const gateway = keep(await startGatewayFor({ dev: chainConfig(chain) }));
    url = `${gateway.url}/rpc/dev`;
  });

  const emit = (topic: number): Promise<string> => emitTwoLogs(chain.node, topic);

  it("answer as the node's own do, call for call", async () => {
    const places = [chain.node.url, url];
    const both = async (method: string, params: readonly (readonly unknown[])[]) =>
      Promise.all(places.map((place, at) => rpc(place, method, params[at])));
    // A filter tells what comes after it: both must begin at one block.
    await eventually("both are at one height", async () => {
      const [node, gateway] = await both("eth_blockNumber", [[], []]);
      return node === gateway;
    });
    const filters: Record<string, [string, unknown[]]> = {
      blocks: ["eth_newBlockFilter", []],
      all: ["eth_newFilter", [{}]],
      address: ["eth_newFilter", [{ address: TWO_LOGS.address }]],
      elsewhere: ["eth_newFilter", [{ address: `0x${"99".repeat(20)}` }]],
      topic: ["eth_newFilter", [{ topics: [[wordOf(7), wordOf(8)]] }]],
      past: ["eth_newFilter", [{ fromBlock: "0x0", toBlock: "0x2" }]],
    };
    const ids: Record<string, string[]> = {};
    for (const [name, [method, params]] of Object.entries(filters)) {
      ids[name] = await both(method, [params, params]);
    }
    const compare = async (): Promise<void> => {
      for (const [name, [direct, through]] of Object.entries(ids)) {
        const [first, ours] = await both("eth_getFilterChanges", [[direct], [through]]);
        const theirs = first as unknown[];
        // anvil tells its filters of a block a moment after it has mined it; ours has one poll.
        await eventually(`the node's own filter for ${name}`, async () => {
          if (theirs.length >= ours.length) return true;
          theirs.push(...(await rpc(chain.node.url, "eth_getFilterChanges", [direct])));
          return false;
        });
        expect(ours, name).toEqual(theirs);
      }
    };
    await compare();
    await emit(7);
    await compare();
    await chain.node.mine(3);
    await emit(8);
    await emit(9);
    await compare();
    for (const name of ["all", "address", "topic", "past"]) {
      const [direct, through] = ids[name] as [string, string];
      const [theirs, ours] = await both("eth_getFilterLogs", [[direct], [through]]);
      expect(ours, name).toEqual(theirs);
    }
    const [direct, through] = ids["blocks"] as [string, string];
    expect(await both("eth_uninstallFilter", [[direct], [through]])).toEqual([true, true]);
    expect(await both("eth_uninstallFilter", [[direct], [through]])).toEqual([false, false]);
    for (const place of places) {
      await expect(rpc(place, "eth_getFilterChanges", ["0x1234"])).rejects.toMatchObject({
        code: -32000,
        message: "filter not found",
      });
    }
  });

  it("tell of pending transactions from the providers' streams", async () => {
    const id = await rpc(url, "eth_newPendingTransactionFilter");
    const sent: unknown[] = [];
    const told: unknown[] = [];
    // The stream opens with the first filter: what came before it is up is nobody's.
    await eventually("a pending transaction", async () => {
      sent.push(await emit(3));
      told.push(...(await rpc(url, "eth_getFilterChanges", [id])));
      return told.length > 0;
    });
    expect(sent).toEqual(expect.arrayContaining(told));
    expect(await rpc(url, "eth_uninstallFilter", [id])).toBe(true);
  });

  it("take back the logs of a reorganisation, which the node keeps to itself", async () => {
    const id = await rpc(url, "eth_newFilter", [{ address: TWO_LOGS.address }]);
    await emit(1);
    const told = await rpc(url, "eth_getFilterChanges", [id]);
    expect(told).toHaveLength(2);
    await chain.node.rpc("anvil_reorg", [1, []]);
    const taken = await rpc(url, "eth_getFilterChanges", [id]);
    expect(taken).toEqual(told.toReversed().map((log: object) => ({ ...log, removed: true })));
  });

  it("carry viem's and ethers' watchers over the death of a provider", async () => {
    const client = createPublicClient({
      chain: foundry,
      transport: http(url),
      pollingInterval: 50,
    });
    const filter = await client.createBlockFilter();
    const hashes: string[] = [];
    const events: string[] = [];
    const unwatch = client.watchEvent({
      address: TWO_LOGS.address,
      poll: true,
      onLogs: (logs) => events.push(...logs.map(({ blockHash }) => blockHash)),
    });
    use({ stop: async () => unwatch() });
    const provider = new JsonRpcProvider(url, undefined, { polling: false, pollingInterval: 50 });
    const heard: string[] = [];
    await provider.on({ address: TWO_LOGS.address }, (log: { blockHash: string }) =>
      heard.push(log.blockHash),
    );
    use({ stop: async () => provider.destroy() });
    // Watchers open their filters in their own time; one log that both have heard shows that they are there.
    await eventually("both watchers hear", async () => {
      await emit(2);
      return events.length > 0 && heard.length > 0;
    });
    const start = await chain.node.rpc("eth_blockNumber");
    for (const [round, victim] of ["a", "b"].entries()) {
      chain.proxies[victim]?.cut();
      await emit(20 + round);
      await emit(30 + round);
      hashes.push(...(await client.getFilterChanges({ filter })));
    }
    const last = Number(await chain.node.rpc("eth_blockNumber"));
    const blocks = await Promise.all(
      Array.from({ length: last - Number(start) }, (_, n) =>
        chain.node.rpc("eth_getBlockByNumber", [
          `0x${(Number(start) + 1 + n).toString(16)}`,
          false,
        ]),
      ),
    );
    const expected = blocks.map(({ hash }) => hash);
    expect(hashes.slice(-expected.length)).toEqual(expected);
    const isWhole = (list: readonly string[]): boolean =>
      expected.every((hash) => list.filter((seen) => seen === hash).length === 2);
    await eventually("viem hears all", () => isWhole(events));
    // ethers asks its filter when it sees a new block.
    await eventually("ethers hears all", async () => {
      await chain.node.mine();
      return isWhole(heard);
    });
  });

  it("goes on sending transactions while providers are dead, each exactly once", async () => {
    const wallet = createWalletClient({
      account: privateKeyToAccount(TEST_KEY),
      chain: foundry,
      transport: http(url),
    });
    const client = createPublicClient({
      chain: foundry,
      transport: http(url),
      pollingInterval: 50,
    });
    const before = await client.getTransactionCount({ address: RICH });
    for (let n = 0; n < 3; n++) {
      const hash = await wallet.sendTransaction({ to: `0x${"77".repeat(20)}`, value: 1n });
      expect((await client.waitForTransactionReceipt({ hash })).status).toBe("success");
    }
    expect(await client.getTransactionCount({ address: RICH })).toBe(before + 3);
  });
});
