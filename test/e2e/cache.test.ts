/** Kept answers and shared attempts of the whole program, over real sockets. */
import { expect, it } from "vitest";
import { describeWithAnvil } from "../support/anvil.ts";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { describeWithRedis, startRedis } from "../support/redis.ts";
import { post, rpc, RpcSocket } from "../support/rpc.ts";
import { chainConfig, startGatewayFor, startProxiedChain, streamsUp } from "../support/world.ts";

const ACCOUNT = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const hex = (number: number): string => `0x${number.toString(16)}`;

/** A call, and how it was served. */
const ask = async (url: string, method: string, params: readonly unknown[], id = 1) => {
  const { text, headers } = await post(url, { jsonrpc: "2.0", id, method, params });
  return { ...JSON.parse(text), served: headers.get("x-paceline-cache") };
};

describeWithAnvil("equal reads", () => {
  const use = cleanupAfterEach();

  const started = async (extra = {}) => {
    const chain = use(await startProxiedChain(["a"]));
    const gateway = use(
      await startGatewayFor({ dev: chainConfig(chain, { block_time: "30s" }) }, extra),
    );
    const proxy = chain.proxies["a"];
    if (proxy === undefined) throw new Error("no proxy");
    await streamsUp([proxy]);
    return { chain, gateway, proxy, url: `${gateway.url}/rpc/dev` };
  };

  it("of 32 clients at once cause one attempt", async () => {
    const { proxy, url } = await started();
    proxy.set({ latencyMs: 100 });
    const params = [ACCOUNT, "latest"];
    const answers = await Promise.all(
      Array.from({ length: 32 }, (_, id) => ask(url, "eth_getBalance", params, id)),
    );
    expect(proxy.counters().calls["eth_getBalance"]).toBe(1);
    expect(answers.map(({ id }) => id)).toEqual(Array.from({ length: 32 }, (_, id) => id));
    expect(new Set(answers.map(({ result }) => result)).size).toBe(1);
    expect(answers.filter(({ served }) => served === "COALESCED")).toHaveLength(31);
  });

  it("of blocks that a reorg replaced are answered with the new blocks", async () => {
    const { chain, gateway, url } = await started();
    const socket = use(await RpcSocket.connect(`${gateway.wsUrl}/rpc/dev`));
    const { events } = await socket.subscribe("newHeads");
    await chain.node.mine(6);
    await socket.until(() => events.length === 6);
    const tip = Number(events.at(-1).number);
    const numbers = [tip - 3, tip - 2, tip - 1, tip];
    const told = async () => {
      const answers = [];
      for (const number of numbers) {
        answers.push(await ask(url, "eth_getBlockByNumber", [hex(number), false]));
      }
      return answers;
    };
    const before = await told();
    const again = await told();
    expect(again.map(({ served }) => served)).toEqual(["HIT", "HIT", "HIT", "HIT"]);
    expect(again.map(({ result }) => result)).toEqual(before.map(({ result }) => result));

    await chain.node.rpc("anvil_reorg", [2, []]);
    const truth = await Promise.all(
      numbers.map((number) => chain.node.rpc("eth_getBlockByNumber", [hex(number), false])),
    );
    expect(truth[3].hash).not.toBe(before[3]?.result.hash);
    await socket.until(() => events.some(({ hash }) => hash === truth[3].hash));
    for (let round = 0; round < 2; round++) {
      expect((await told()).map(({ result }) => result.hash)).toEqual(
        truth.map(({ hash }) => hash),
      );
    }
    const [line] = (await rpcReport(gateway.url)).chains;
    expect(line.answers.hits).toBeGreaterThanOrEqual(4);
  });
});

const rpcReport = async (url: string): Promise<any> => {
  const response = await fetch(`${url}/api/v1/chains`);
  return response.json();
};

describeWithAnvil("hosts with one Redis", () => {
  describeWithRedis("between them", () => {
    const use = cleanupAfterEach();

    it("share answers, and serve without it when it freezes or dies", async () => {
      const redis = use(await startRedis());
      const chain = use(await startProxiedChain(["a"]));
      await chain.node.mine(100);
      const proxy = chain.proxies["a"];
      const start = async () => {
        const sections = { dev: chainConfig(chain, { block_time: "30s" }) };
        const gateway = use(await startGatewayFor(sections, { redis: { url: redis.url } }));
        return `${gateway.url}/rpc/dev`;
      };
      const [first, second] = [await start(), await start()];
      const stored = redis.client();
      const code = (block: number) => ["eth_getCode", [ACCOUNT, hex(block)]] as const;
      await eventually("an answer that the second host has of the first", async () => {
        const block = 1 + Math.floor(performance.now() % 30);
        await ask(first, ...code(block));
        if ((await stored.keys("paceline:answer:*")).length === 0) return false;
        return (await ask(second, ...code(block))).served === "HIT";
      });
      const block = hex(20);
      const whole = await rpc(first, "eth_getBlockByNumber", [block, true]);
      await eventually("a packed block comes out as it went in", async () => {
        const answer = await ask(second, "eth_getBlockByNumber", [block, true]);
        expect(answer.result).toEqual(whole);
        return answer.served === "HIT";
      });

      redis.child.signal("SIGSTOP");
      const asked = proxy?.counters().calls["eth_getCode"] ?? 0;
      for (let at = 31; at < 35; at++) expect((await ask(first, ...code(at))).result).toBe("0x");
      expect(proxy?.counters().calls["eth_getCode"]).toBe(asked + 4);
      redis.child.signal("SIGCONT");
      await redis.child.kill();
      expect((await ask(first, ...code(35))).result).toBe("0x");
      expect((await ask(first, ...code(35))).served).toBe("HIT");
    });
  });
});
