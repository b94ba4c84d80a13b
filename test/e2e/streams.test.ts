/** newHeads and logs of one real node, while providers come and go. */
import { beforeEach, expect, it } from "vitest";
import { describeWithAnvil } from "../support/anvil.ts";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { TWO_LOGS, wordOf } from "../support/contracts.ts";
import { emitTwoLogs } from "../support/emit-two-logs.ts";
import { eventually } from "../support/eventually.ts";
import type { Gateway } from "../support/gateway.ts";
import { RpcSocket } from "../support/rpc.ts";
import {
  chainConfig,
  type ProxiedChain,
  startGatewayFor,
  startProxiedChain,
  streamsUp,
} from "../support/world.ts";

describeWithAnvil("subscriptions across provider death", () => {
  const use = cleanupAfterEach();
  let chain: ProxiedChain;
  let gateway: Gateway;

  beforeEach(async () => {
    chain = use(await startProxiedChain(["a", "b", "c"]));
    await chain.node.rpc("anvil_setCode", [TWO_LOGS.address, TWO_LOGS.code]);
    await chain.node.mine(3);
    gateway = use(await startGatewayFor({ dev: chainConfig(chain) }));
    await streamsUp(Object.values(chain.proxies));
  });

  const connect = async (): Promise<RpcSocket> =>
    use(await RpcSocket.connect(`${gateway.wsUrl}/rpc/dev`));

  it("shows every head once and parent-linked while each provider dies in turn", async () => {
    const socket = await connect();
    const { events } = await socket.subscribe("newHeads");
    const first = Number(await chain.node.rpc("eth_blockNumber")) + 1;
    let last = first - 1;
    for (const proxy of Object.values(chain.proxies)) {
      await chain.node.mine(5);
      proxy.cut();
      await chain.node.mine(5);
      last += 10;
      await socket.until(() => Number(events.at(-1)?.number) === last);
      proxy.heal();
      const before = proxy.counters().connections;
      await eventually("it is back", () => proxy.counters().connections > before);
      await streamsUp([proxy]);
    }
    expect(events.map((head) => Number(head.number))).toEqual(range(first, last));
    for (let i = 1; i < events.length; i++) expect(events[i].parentHash).toBe(events[i - 1].hash);
  });

  it("fills the blocks that were mined while no provider was connected", async () => {
    const socket = await connect();
    const heads = await socket.subscribe("newHeads");
    const logs = await socket.subscribe("logs", { address: TWO_LOGS.address });
    await emitTwoLogs(chain.node, 1);
    await socket.until(() => heads.events.length === 1 && logs.events.length === 2);
    for (const proxy of Object.values(chain.proxies)) proxy.cut();
    for (let i = 2; i <= 6; i++) await emitTwoLogs(chain.node, i);
    for (const proxy of Object.values(chain.proxies)) proxy.heal();
    await streamsUp(Object.values(chain.proxies));
    await emitTwoLogs(chain.node, 7);
    await socket.until(() => heads.events.length >= 7 && logs.events.length >= 14, 20_000);
    const numbers = heads.events.map((head) => Number(head.number));
    expect(numbers).toEqual(range(numbers[0] ?? 0, (numbers[0] ?? 0) + 6));
    expect(logs.events.map((log) => log.topics[0])).toEqual(
      range(1, 7).flatMap((i) => [wordOf(i), wordOf(i)]),
    );
  });

  it("shows every log of a filter once and in order while the providers flap", async () => {
    const socket = await connect();
    const matching = await socket.subscribe("logs", { address: TWO_LOGS.address, topics: [null] });
    const nothing = await socket.subscribe("logs", { topics: [wordOf(424_242)] });
    const proxies = Object.values(chain.proxies);
    for (let i = 1; i <= 30; i++) {
      if (i % 5 === 0) proxies[(i / 5) % 3]?.dropWs();
      await emitTwoLogs(chain.node, i);
    }
    await socket.until(() => matching.events.length >= 60, 20_000);
    const wanted = range(1, 30).flatMap((i) => [wordOf(i), wordOf(i)]);
    expect(matching.events.map((log) => log.topics[0])).toEqual(wanted);
    const keys = matching.events.map((log) => `${log.blockHash}:${log.logIndex}`);
    expect(new Set(keys).size).toBe(60);
    expect(nothing.events).toEqual([]);
  });

  it("serves many clients from one upstream subscription per provider", async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, connect));
    const streams = await Promise.all(sockets.map((socket) => socket.subscribe("newHeads")));
    for (const proxy of Object.values(chain.proxies)) {
      expect(proxy.counters().subscriptionsOpen).toBeLessThanOrEqual(3);
    }
    await chain.node.mine(3);
    await Promise.all(sockets.map((s, i) => s.until(() => streams[i]?.events.length === 3)));
    const hashes = streams.map(({ events }) => events.map((head) => head.hash).join());
    expect(new Set(hashes).size).toBe(1);
    expect(new Set(streams.map(({ id }) => id)).size).toBeGreaterThan(0);
  });

  it("retracts the logs of a reorganised block before it shows the new branch", async () => {
    const socket = await connect();
    const heads = await socket.subscribe("newHeads");
    const logs = await socket.subscribe("logs", { address: TWO_LOGS.address });
    await emitTwoLogs(chain.node, 1);
    await emitTwoLogs(chain.node, 2);
    await socket.until(() => heads.events.length === 2 && logs.events.length === 4);
    const orphaned = logs.events.slice(2).map((log) => `${log.blockHash}:${log.logIndex}`);
    await chain.node.rpc("anvil_reorg", [1, []]);
    await chain.node.mine(1);
    await socket.until(
      () => logs.events.filter((log) => log.removed === true).length === 2,
      15_000,
    );
    const removed = logs.events.filter((log) => log.removed === true);
    expect(removed.map((log) => `${log.blockHash}:${log.logIndex}`)).toEqual(orphaned.reverse());
    await socket.until(() => Number(heads.events.at(-1)?.number) > Number(heads.events[1].number));
    const again = heads.events.slice(2);
    expect(Number(again[0].number)).toBe(Number(heads.events[1].number));
    expect(again[0].hash).not.toBe(heads.events[1].hash);
    expect(again[0].parentHash).toBe(heads.events[0].hash);
  });

  it("stays silent after unsubscribe and answers false to a second one", async () => {
    const socket = await connect();
    const { id, events } = await socket.subscribe("newHeads");
    const other = await socket.subscribe("newHeads");
    expect(id).toMatch(/^0x[0-9a-f]{32}$/u);
    expect(await socket.call("eth_unsubscribe", [id])).toBe(true);
    await chain.node.mine(2);
    await socket.until(() => other.events.length === 2);
    expect(events).toEqual([]);
    expect(await socket.call("eth_unsubscribe", [id])).toBe(false);
    expect(await socket.call("eth_blockNumber")).toMatch(/^0x/u);
  });

  it("goes on when a provider's stream falls silent although its socket lives", async () => {
    const socket = await connect();
    const { events } = await socket.subscribe("newHeads");
    chain.proxies["a"]?.set({ muteEvents: true });
    chain.proxies["b"]?.set({ muteEvents: true });
    await chain.node.mine(5);
    await socket.until(() => events.length === 5);
    for (let i = 1; i < 5; i++) expect(events[i].parentHash).toBe(events[i - 1].hash);
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
