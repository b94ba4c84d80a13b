/** Real clients against one real node behind three proxies. */
import { Contract, JsonRpcProvider, WebSocketProvider } from "ethers";
import {
  createPublicClient,
  createWalletClient,
  encodeErrorResult,
  http,
  parseAbi,
  parseEther,
  webSocket,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { beforeAll, expect, it } from "vitest";
import { describeWithAnvil, TEST_KEY } from "../support/anvil.ts";
import { cleanupAfterAll, cleanupAfterEach } from "../support/cleanup.ts";
import { ECHO_REVERT, TWO_LOGS, wordOf } from "../support/contracts.ts";
import type { Gateway } from "../support/gateway.ts";
import { post, RpcSocket } from "../support/rpc.ts";
import {
  asked,
  chainConfig,
  type ProxiedChain,
  startGatewayFor,
  startProxiedChain,
  streamsUp,
} from "../support/world.ts";

const RICH = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

describeWithAnvil("real clients through the gateway", () => {
  const keep = cleanupAfterAll();
  const use = cleanupAfterEach();
  let chain: ProxiedChain;
  let gateway: Gateway;
  let url: string;
  let wsUrl: string;

  beforeAll(async () => {
    chain = keep(await startProxiedChain(["a", "b", "c"]));
    await chain.node.rpc("anvil_setCode", [ECHO_REVERT.address, ECHO_REVERT.code]);
    await chain.node.rpc("anvil_setCode", [TWO_LOGS.address, TWO_LOGS.code]);
    await chain.node.mine(3);
    gateway = keep(await startGatewayFor({ dev: chainConfig(chain) }));
    url = `${gateway.url}/rpc/dev`;
    wsUrl = `${gateway.wsUrl}/rpc/dev`;
  });

  it("answers every read with the bytes of the node", async () => {
    const reads: [string, unknown[]][] = [
      ["eth_getBlockByNumber", ["0x1", true]],
      ["eth_getBalance", [RICH, "latest"]],
      ["eth_getCode", [TWO_LOGS.address, "latest"]],
      ["eth_getTransactionCount", [RICH, "latest"]],
      ["eth_getTransactionReceipt", [wordOf(1)]],
      ["eth_getLogs", [{ fromBlock: "0x0", toBlock: "latest" }]],
      ["eth_getStorageAt", [RICH, "0x0", "latest"]],
      ["eth_feeHistory", ["0x2", "latest", [25]]],
    ];
    for (const [method, params] of reads) {
      const call = { jsonrpc: "2.0", id: 1, method, params };
      const [direct, through] = await Promise.all([post(chain.node.url, call), post(url, call)]);
      expect(JSON.parse(through.text), method).toEqual(JSON.parse(direct.text));
      expect(through.headers.get("x-paceline-provider"), method).toMatch(/^[abc]$/u);
    }
  });

  it("serves viem over HTTP: reads, a batch, a signed transaction and its receipt", async () => {
    const transport = http(url, { batch: true });
    const client = createPublicClient({ chain: foundry, transport, pollingInterval: 50 });
    const [id, number, balance, block] = await Promise.all([
      client.getChainId(),
      client.getBlockNumber(),
      client.getBalance({ address: RICH }),
      client.getBlock({ blockNumber: 1n }),
    ]);
    expect(id).toBe(31_337);
    expect(number).toBeGreaterThanOrEqual(3n);
    expect(balance).toBeGreaterThan(parseEther("9000"));
    expect(block.number).toBe(1n);
    const wallet = createWalletClient({
      account: privateKeyToAccount(TEST_KEY),
      chain: foundry,
      transport,
    });
    const hash = await wallet.sendTransaction({
      to: wordOf(0).slice(0, 42) as `0x${string}`,
      value: 5n,
    });
    const receipt = await client.waitForTransactionReceipt({ hash });
    expect(receipt.status).toBe("success");
    expect(await client.getTransaction({ hash })).toMatchObject({ value: 5n });
  });

  it("serves ethers over HTTP and WebSocket", async () => {
    const provider = new JsonRpcProvider(url, undefined, { polling: true, pollingInterval: 50 });
    const network = await provider.getNetwork();
    expect(network.chainId).toBe(31_337n);
    expect(await provider.getBalance(RICH)).toBeGreaterThan(0n);
    expect((await provider.getBlock(1))?.number).toBe(1);
    provider.destroy();
    const live = new WebSocketProvider(wsUrl);
    const heard = new Promise<number>((resolve) => {
      void live.on("block", resolve);
    });
    await streamsUp(Object.values(chain.proxies));
    const timer = setInterval(() => void chain.node.mine(), 50);
    const height = await heard;
    clearInterval(timer);
    expect(height).toBeGreaterThan(0);
    await live.destroy();
  });

  it("passes a revert with its data, byte for byte, and asks no second provider", async () => {
    const abi = parseAbi(["error Broke(address who, uint256 missing)", "function pay()"]);
    const data = encodeErrorResult({ abi, errorName: "Broke", args: [RICH, 77n] });
    const call = {
      jsonrpc: "2.0",
      id: "r",
      method: "eth_call",
      params: [{ to: ECHO_REVERT.address, data }, "latest"],
    };
    const before = asked(chain, "eth_call");
    const through = JSON.parse((await post(url, call)).text);
    const direct = JSON.parse((await post(chain.node.url, call)).text);
    expect(through.error.data).toBe(data);
    expect(through.error).toEqual(direct.error);
    expect(asked(chain, "eth_call")).toBe(before + 1);
    const provider = new JsonRpcProvider(url);
    const contract = new Contract(ECHO_REVERT.address, ["function pay()"], provider);
    await expect(contract.getFunction("pay").staticCall()).rejects.toMatchObject({
      code: "CALL_EXCEPTION",
    });
    provider.destroy();
    const socket = use(await RpcSocket.connect(wsUrl));
    expect((await socket.answer("eth_call", call.params)).error).toEqual(direct.error);
  });

  it("shows viem's watchers every block and every log while a provider dies", async () => {
    const client = createPublicClient({
      chain: foundry,
      transport: webSocket(wsUrl, { reconnect: false }),
    });
    const blocks: bigint[] = [];
    const topics: (string | undefined)[] = [];
    const unwatch = [
      client.watchBlocks({ onBlock: (block) => void blocks.push(block.number ?? -1n) }),
      client.watchEvent({
        address: TWO_LOGS.address,
        onLogs: (logs) => void topics.push(...logs.map((log) => log.topics[0])),
      }),
    ];
    // The watchers are live once a block that was mined for that purpose has been seen.
    for (let i = 1; blocks.length === 0 || topics.length === 0; i++) {
      await chain.node.rpc("eth_sendTransaction", [
        { from: RICH, to: TWO_LOGS.address, data: wordOf(i) },
      ]);
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (i > 500)
        throw new Error(`watchers saw ${blocks.length} blocks and ${topics.length} logs`);
    }
    const socket = use(await RpcSocket.connect(wsUrl));
    const head = Number(await chain.node.rpc("eth_blockNumber"));
    for (let i = 0; i < 10; i++) {
      if (i === 5) chain.proxies["a"]?.cut();
      const data = wordOf(7_000 + i);
      await chain.node.rpc("eth_sendTransaction", [{ from: RICH, to: TWO_LOGS.address, data }]);
    }
    const wanted = Array.from({ length: 20 }, (_, i) => wordOf(7_000 + (i >> 1)));
    await expect.poll(() => topics.slice(-20), { timeout: 10_000 }).toEqual(wanted);
    // The watcher asks for each block that a head names; those answers may overtake each other, and
    // one that was asked of the dead provider comes after the last.
    const missing = (): number[] => {
      const seen = blocks.map(Number);
      const first = Math.min(...seen);
      const all = Array.from({ length: head + 10 - first + 1 }, (_, i) => first + i);
      return all.filter((number) => !seen.includes(number));
    };
    await expect.poll(missing, { timeout: 10_000 }).toEqual([]);
    expect(new Set(blocks).size).toBe(blocks.length);
    for (const stop of unwatch) stop();
    socket.close();
    (await client.transport.getRpcClient()).close();
  });
});
