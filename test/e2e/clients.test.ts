/** Real clients against one real node behind three proxies. */
import { Contract, JsonRpcProvider, WebSocketProvider } from "ethers";
import {
  createPublicClient,
  createWalletClient,
  encodeErrorResult,
  http,
  parseAbi,
  parseEther,
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
});
