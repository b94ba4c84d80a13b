/** Watchers of viem and ethers while the providers behind the gateway die in every way, one after the other. */
import { WebSocketProvider } from "ethers";
import { createPublicClient, webSocket } from "viem";
import { foundry } from "viem/chains";
import { expect, it } from "vitest";
import { type Anvil, describeWithAnvil } from "../support/anvil.ts";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { TWO_LOGS } from "../support/contracts.ts";
import { emitTwoLogs } from "../support/emit-two-logs.ts";
import { eventually } from "../support/eventually.ts";
import { rpc } from "../support/rpc.ts";
import {
  chainConfig,
  type ProxiedChain,
  startGatewayFor,
  startProxiedChain,
  streamsUp,
} from "../support/world.ts";

const PATIENCE_MS = 30_000;

/** What a library's listeners were told, in the order of telling. */
interface Watcher {
  /** Heights. */
  readonly blocks: number[];
  /** `blockHash:logIndex`, with `removed` in front of what is taken back. */
  readonly logs: string[];
  readonly errors: unknown[];
  stop(): Promise<void>;
}

describeWithAnvil("watchers of real clients", () => {
  const use = cleanupAfterEach();

  it.each([
    ["viem", watchWithViem],
    ["ethers", watchWithEthers],
  ] as const)(
    "of %s are told every block and every log once while providers die",
    async (_library, watch) => {
      const chain = use(await startProxiedChain(["a", "b", "c"]));
      await chain.node.rpc("anvil_setCode", [TWO_LOGS.address, TWO_LOGS.code]);
      const gateway = use(await startGatewayFor({ dev: chainConfig(chain) }));
      await streamsUp(Object.values(chain.proxies));
      const watcher = use(watch(`${gateway.wsUrl}/rpc/dev`));
      // The libraries do not say when they are subscribed: a block that is seen does.
      await eventually("the listeners hear", async () => {
        await emitTwoLogs(chain.node, 1);
        return watcher.blocks.length > 0 && watcher.logs.length > 0;
      });
      await storm(chain, () => caughtUp(chain.node, watcher));
      const { heights, logs } = await truthOf(chain.node, watcher);
      // viem asks for each block that a head names; those answers may overtake each other.
      expect(watcher.blocks.toSorted((a, b) => a - b)).toEqual(heights);
      expect(watcher.logs).toEqual(logs);
      expect(watcher.errors).toEqual([]);
    },
    90_000,
  );
});

/** One provider is killed and comes back, one goes half-open, one loses its sockets, then all die. */
async function storm(
  { node, proxies }: ProxiedChain,
  caughtUp: () => Promise<void>,
): Promise<void> {
  const [a, b, c] = Object.values(proxies);
  const happenings: readonly (() => void)[] = [
    () => a?.cut(),
    () => b?.set({ hang: true }),
    () => a?.heal(),
    () => c?.dropWs(),
    () => b?.heal(),
  ];
  let count = 1;
  for (const happen of happenings) {
    await emitTwoLogs(node, ++count);
    happen();
    for (let i = 0; i < 3; i++) await emitTwoLogs(node, ++count);
    await caughtUp();
  }
  for (const proxy of [a, b, c]) proxy?.cut();
  for (let i = 0; i < 2; i++) await emitTwoLogs(node, ++count);
  for (const proxy of [a, b, c]) proxy?.heal();
  // Nothing follows that could give the gap away.
  await caughtUp();
}

/** Waits until the listeners have heard as much as the chain has for them. */
async function caughtUp(node: Anvil, watcher: Watcher): Promise<void> {
  const { heights, logs } = await truthOf(node, watcher);
  await eventually(
    "the listeners have heard everything",
    () => watcher.blocks.length >= heights.length && watcher.logs.length >= logs.length,
    PATIENCE_MS,
  );
}

/** The chain from the first block and the first log on that the listeners heard of. */
async function truthOf(
  node: Anvil,
  { blocks, logs }: Watcher,
): Promise<{ readonly heights: readonly number[]; readonly logs: readonly string[] }> {
  const first = Math.min(...blocks);
  const tip = Number(await rpc(node.url, "eth_blockNumber"));
  const filter = { address: TWO_LOGS.address, fromBlock: "0x0" };
  const told = (await node.rpc("eth_getLogs", [filter])).map(
    ({ blockHash, logIndex }: any) => `${blockHash}:${Number(logIndex)}`,
  );
  return {
    heights: Array.from({ length: tip - first + 1 }, (_, i) => first + i),
    logs: told.slice(told.indexOf(logs[0])),
  };
}

function watchWithViem(url: string): Watcher {
  const client = createPublicClient({
    chain: foundry,
    transport: webSocket(url, { reconnect: false }),
  });
  const blocks: number[] = [];
  const logs: string[] = [];
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const unwatch = [
    client.watchBlocks({
      // Nothing in the place of a block that could not be read.
      onBlock: (block: { readonly number: bigint | null } | undefined) => {
        if (block === undefined) errors.push(new Error("a block that a head named was not read"));
        else blocks.push(Number(block.number));
      },
      onError,
    }),
    client.watchEvent({
      address: TWO_LOGS.address,
      onLogs: (told) => {
        for (const { blockHash, logIndex, removed } of told) {
          logs.push(`${removed ? "removed " : ""}${blockHash}:${logIndex}`);
        }
      },
      onError,
    }),
  ];
  const stop = async (): Promise<void> => {
    for (const end of unwatch) end();
    (await client.transport.getRpcClient()).close();
  };
  return { blocks, logs, errors, stop };
}

function watchWithEthers(url: string): Watcher {
  const provider = new WebSocketProvider(url);
  const blocks: number[] = [];
  const logs: string[] = [];
  const errors: unknown[] = [];
  void provider.on("error", (error: unknown) => errors.push(error));
  void provider.on("block", (height: number) => blocks.push(height));
  void provider.on({ address: TWO_LOGS.address }, ({ blockHash, index, removed }) => {
    logs.push(`${removed ? "removed " : ""}${blockHash}:${index}`);
  });
  return { blocks, logs, errors, stop: () => provider.destroy() };
}
