/** Ranges of logs over real nodes: whatever becomes of the parts, the answer is the unsplit one. */
import { afterEach, beforeAll, expect, it } from "vitest";
import { type Anvil, describeWithAnvil, startAnvil } from "../support/anvil.ts";
import { cleanupAfterAll, cleanupAfterEach } from "../support/cleanup.ts";
import { TWO_LOGS, wordOf } from "../support/contracts.ts";
import { emitTwoLogs } from "../support/emit-two-logs.ts";
import { eventually } from "../support/eventually.ts";
import type { Gateway } from "../support/gateway.ts";
import { type LimitedNode, startLimitedNode } from "../support/limited-node.ts";
import { anew, post, rpc, RpcSocket } from "../support/rpc.ts";
import {
  chainConfig,
  type ProxiedChain,
  startGatewayFor,
  startProxiedChain,
  streamsUp,
} from "../support/world.ts";

const BLOCKS = 160;
/** Small parts, so that a small chain needs many. */
const LOGS = { part_range: 10, parallel: 4 };

/** Fills a chain: one transaction a block, two logs each. */
async function fill(node: Anvil): Promise<void> {
  await node.rpc("anvil_setCode", [TWO_LOGS.address, TWO_LOGS.code]);
  for (let n = 0; n < BLOCKS; n++) await emitTwoLogs(node, n);
}

const call = (filter: object) => ({
  jsonrpc: "2.0",
  id: 1,
  method: "eth_getLogs",
  params: [filter],
});

/** The answers of the gateway, asked anew, and of the node, as they came. */
async function both(url: string, node: Anvil, filter: object): Promise<readonly [string, string]> {
  const [ours, theirs] = await Promise.all([
    post(anew(url), call(filter)),
    post(node.url, call(filter)),
  ]);
  return [ours.text, theirs.text];
}

describeWithAnvil("a range of logs over several providers of one node", () => {
  const keep = cleanupAfterAll();
  const use = cleanupAfterEach();
  let chain: ProxiedChain;
  let gateway: Gateway;
  let url: string;
  let last: number;

  const tipIs = (block: number) => async (): Promise<boolean> =>
    Number(await rpc(url, "eth_blockNumber")) >= block;

  /** Nothing is held against any of the providers: each may get parts. */
  const allServe = async (): Promise<boolean> => {
    const short = call({ fromBlock: "0x1", toBlock: "0x2" });
    const { text } = await post(anew(`${url}?include_meta=body`), short);
    const sound = JSON.parse(text).paceline.candidates.filter(
      ({ relaxed, breaker, cooldown_ms, spare }: any) =>
        relaxed.length === 0 && breaker.state === "closed" && cooldown_ms === 0 && !spare,
    );
    return sound.length === Object.keys(chain.proxies).length;
  };

  beforeAll(async () => {
    chain = keep(await startProxiedChain(["a", "b", "c"]));
    await fill(chain.node);
    last = Number(await chain.node.rpc("eth_blockNumber"));
    gateway = keep(await startGatewayFor({ dev: chainConfig(chain, { logs: LOGS }) }));
    url = `${gateway.url}/rpc/dev`;
    await streamsUp(Object.values(chain.proxies));
    await chain.node.mine(1);
    last++;
    await eventually("the tip is known", tipIs(last));
    await eventually("all providers serve", allServe);
  }, 60_000);
  afterEach(async () => {
    for (const proxy of Object.values(chain.proxies)) proxy.heal();
    await eventually("all providers serve", allServe);
  });

  it("is the node's own answer to the byte, from all of them", async () => {
    for (const filter of [
      { fromBlock: "earliest", toBlock: "latest" },
      { fromBlock: "0x5", toBlock: "0x63" },
      { fromBlock: "0x1", toBlock: "0xffffff", address: TWO_LOGS.address },
      { fromBlock: "0x1", toBlock: "latest", topics: [[wordOf(7), wordOf(140)]] },
      { fromBlock: "0x1", toBlock: "latest", topics: [wordOf(999)] },
    ]) {
      const [ours, theirs] = await both(url, chain.node, filter);
      expect(ours).toBe(theirs);
    }
    const { text } = await post(
      anew(`${url}?include_meta=body`),
      call({ fromBlock: "0x1", toBlock: "latest" }),
    );
    const { logs } = JSON.parse(text).paceline;
    expect(logs.parts.length).toBeGreaterThanOrEqual(BLOCKS / LOGS.part_range);
    const served = new Set(logs.parts.map(({ provider }: any) => provider));
    expect(served).toEqual(new Set(["a", "b", "c"]));
  });

  it("comes whole over a WebSocket and in a batch", async () => {
    const filter = { fromBlock: "0x1", toBlock: "latest" };
    const theirs = await chain.node.rpc("eth_getLogs", [filter]);
    const batch = [call(filter), { ...call(filter), id: 2 }];
    // The plain ones may share an attempt, or be answered from what was kept.
    for (const way of [anew, (place: string) => place]) {
      const client = use(await RpcSocket.connect(way(`${gateway.wsUrl}/rpc/dev`)));
      expect(await client.call("eth_getLogs", [filter])).toEqual(theirs);
      const answers = JSON.parse((await post(way(url), batch)).text);
      expect(answers.map(({ result }: any) => result)).toEqual([theirs, theirs]);
    }
  });

  it("loses nothing when a provider dies in the middle", async () => {
    for (const proxy of Object.values(chain.proxies)) proxy.set({ latencyMs: 40 });
    const answer = both(url, chain.node, { fromBlock: "0x1", toBlock: "latest" });
    setTimeout(() => chain.proxies["b"]?.set({ down: true }), 70);
    const [ours, theirs] = await answer;
    expect(ours).toBe(theirs);
  });

  it("loses nothing to providers that cut, throttle or fail half of their answers", async () => {
    for (const fault of [
      { truncate: true, ratio: 0.4 },
      { status: 500, ratio: 0.4 },
      { status: 429, retryAfterSec: 1, ratio: 0.4 },
    ]) {
      chain.proxies["a"]?.set({ ...fault, methods: ["eth_getLogs"] });
      const [ours, theirs] = await both(url, chain.node, { fromBlock: "0x1", toBlock: "latest" });
      expect(ours).toBe(theirs);
      chain.proxies["a"]?.heal();
    }
  });

  it("is not shortened by a provider that lags behind", async () => {
    chain.proxies["a"]?.set({ staleHead: last - 40 });
    await chain.node.mine(2);
    last += 2;
    await eventually("the tip moves on", tipIs(last));
    for (let i = 0; i < 5; i++) {
      const filter = { fromBlock: `0x${(last - 60).toString(16)}`, toBlock: "latest" };
      const [ours, theirs] = await both(url, chain.node, filter);
      expect(ours).toBe(theirs);
    }
  });

  it("holds the logs of one branch when the chain is reorganised in the middle", async () => {
    const [from] = await chain.node.rpc("eth_accounts");
    const filter = { fromBlock: "0x1", toBlock: `0x${(last - 2).toString(16)}` };
    const before = await chain.node.rpc("eth_getLogs", [filter]);
    for (const proxy of Object.values(chain.proxies)) proxy.set({ latencyMs: 60 });
    const pending = rpc(url, "eth_getLogs", [filter]);
    await new Promise((resolve) => {
      setTimeout(resolve, 150);
    });
    // Ten blocks are replaced by blocks with other transactions.
    const txs = Array.from({ length: 6 }, (_, n) => [
      { from, to: TWO_LOGS.address, data: wordOf(5000 + n), gas: "0x30d40" },
      n,
    ]);
    await chain.node.rpc("anvil_reorg", [12, txs]);
    await chain.node.mine(1);
    const logs: any[] = await pending;
    const after = await chain.node.rpc("eth_getLogs", [filter]);
    expect(JSON.stringify(before)).not.toBe(JSON.stringify(after));
    expect([JSON.stringify(before), JSON.stringify(after)]).toContain(JSON.stringify(logs));
    last = Number(await chain.node.rpc("eth_blockNumber"));
    await eventually("the new branch is known", tipIs(last));
    const [ours, theirs] = await both(url, chain.node, filter);
    expect(ours).toBe(theirs);
    // Nothing that was kept of the old branch is given.
    expect((await post(url, call(filter))).text).toBe(theirs);
  });
});

describeWithAnvil("a range of logs over vendors with limits of their own", () => {
  const keep = cleanupAfterAll();

  it("is cut as each of them wants it, and they are asked no more than needed", async () => {
    const node = keep(await startAnvil());
    await fill(node);
    const alchemy: LimitedNode = keep(
      await startLimitedNode(node.url, {
        blocks: 20,
        refusal: (from) => ({
          code: -32600,
          message: `Under the Free tier plan, you can make eth_getLogs requests with up to a 20 block range. Based on your parameters, this block range should work: [0x${from.toString(16)}, 0x${(from + 19).toString(16)}]. Upgrade to PAYG for expanded block range.`,
        }),
      }),
    );
    const infura: LimitedNode = keep(
      await startLimitedNode(node.url, {
        results: 60,
        refusal: (from) => ({
          code: -32005,
          message: `query returned more than 10000 results. Try with this block range [0x${from.toString(16)}, 0x${(from + 27).toString(16)}].`,
        }),
      }),
    );
    const quicknode: LimitedNode = keep(
      await startLimitedNode(node.url, {
        blocks: 32,
        refusal: () => ({ code: -32614, message: "eth_getLogs is limited to a 32 range" }),
      }),
    );
    const vendors = { alchemy, infura, quicknode };
    const gateway = keep(
      await startGatewayFor({
        dev: {
          chain_id: node.chainId,
          strategy: "priority",
          logs: { part_range: 100 },
          providers: Object.entries(vendors).map(([id, { url }], index) => ({
            id,
            url,
            priority: index + 1,
          })),
        },
      }),
    );
    const url = `${gateway.url}/rpc/dev`;
    const last = Number(await node.rpc("eth_blockNumber"));
    await eventually(
      "the tip is known",
      async () => Number(await rpc(url, "eth_blockNumber")) >= last,
    );
    for (let round = 0; round < 3; round++) {
      for (const vendor of Object.values(vendors)) vendor.asked.length = 0;
      const [ours, theirs] = await both(url, node, { fromBlock: "0x1", toBlock: "latest" });
      expect(ours).toBe(theirs);
    }
    // Blocks are learned for an hour; only answers that are too long can be refused again.
    expect([...alchemy.asked, ...quicknode.asked].filter((span) => span.endsWith("!"))).toEqual([]);
    expect([...alchemy.asked, ...quicknode.asked].length).toBeGreaterThan(0);
  }, 60_000);
});
