/** Every way a provider can fail, and what a client notices: nothing. */
import { join } from "node:path";
import { afterEach, beforeAll, expect, it } from "vitest";
import type { FaultSettings } from "../../src/io/fault-settings.ts";
import { describeWithAnvil } from "../support/anvil.ts";
import { Child } from "../support/child.ts";
import { cleanupAfterAll, cleanupAfterEach } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import type { Gateway } from "../support/gateway.ts";
import { anew, post, rpc, RpcSocket, servedBy } from "../support/rpc.ts";
import {
  asked,
  chainConfig,
  type ProxiedChain,
  startGatewayFor,
  startLoad,
  startProxiedChain,
} from "../support/world.ts";

const READ = { jsonrpc: "2.0", id: 1, method: "eth_gasPrice", params: [] };

describeWithAnvil("failover between providers of one real node", () => {
  const keep = cleanupAfterAll();
  const use = cleanupAfterEach();
  let chain: ProxiedChain;
  let gateway: Gateway;
  let url: string;

  beforeAll(async () => {
    chain = keep(await startProxiedChain(["a", "b", "c"]));
    gateway = keep(await startGatewayFor({ dev: chainConfig(chain) }));
    url = `${gateway.url}/rpc/dev`;
    // Ready means that some provider serves; the first one may be a moment behind.
    await eventually(
      "the first provider serves",
      async () => (await servedBy(url)) === "a",
      20_000,
    );
  });
  afterEach(async () => {
    for (const proxy of Object.values(chain.proxies)) proxy.heal();
    await eventually(
      "the first provider serves again",
      async () => (await servedBy(url)) === "a",
      20_000,
    );
  });

  const faults: Record<string, Partial<FaultSettings>> = {
    "refused connections": { down: true },
    "connection resets": { reset: true },
    "HTTP 500": { status: 500 },
    "HTTP 503": { status: 503, retryAfterSec: 1 },
    "HTTP 429": { status: 429, retryAfterSec: 1 },
    "a 429 inside a 200": { rpcError: { code: 429, message: "compute units per second exceeded" } },
    "bytes that are no JSON": { garbage: true },
    "answers cut in the middle": { truncate: true },
    "a provider that accepts and never answers": { hang: true },
  };
  it.for(Object.entries(faults))("hides %s in less than a second", async ([, fault]) => {
    expect(await servedBy(url)).toBe("a");
    chain.proxies["a"]?.set(fault);
    const startedMs = performance.now();
    const answer = await post(anew(url), READ);
    const tookMs = performance.now() - startedMs;
    expect(JSON.parse(answer.text)).toMatchObject({ id: 1, result: expect.stringMatching(/^0x/u) });
    expect(answer.headers.get("x-paceline-provider")).toBe("b");
    expect(tookMs).toBeLessThan(1_000);
  });

  it("answers each item of a batch although the first provider fails half of them", async () => {
    chain.proxies["a"]?.set({ status: 500, ratio: 0.5 });
    const batch = Array.from({ length: 40 }, (_, id) => ({ ...READ, id }));
    const before = asked(chain, READ.method);
    const answers = JSON.parse((await post(anew(url), batch)).text);
    expect(answers.map((answer: any) => answer.id)).toEqual(batch.map(({ id }) => id));
    expect(answers.every((answer: any) => answer.result !== undefined)).toBe(true);
    // Each item asked for itself, and some had to ask twice.
    expect(asked(chain, READ.method) - before).toBeGreaterThan(batch.length);
  });

  it("says which providers failed when all have", async () => {
    for (const proxy of Object.values(chain.proxies)) proxy.set({ status: 500 });
    const { status, text } = await post(anew(url), READ);
    const { error } = JSON.parse(text);
    expect(status).toBe(200);
    expect(error.code).toBe(-32_002);
    expect(error.data.attempts.map((attempt: any) => attempt.provider)).toEqual(
      expect.arrayContaining(["a", "b", "c"]),
    );
  });

  it("loses no idempotent request when one of three is killed under load", async () => {
    const load = startLoad(url);
    await eventually("some load", () => load.sent() > 200);
    chain.proxies["a"]?.cut();
    const atKill = load.sent();
    await eventually("load after the kill", () => load.sent() > atKill + 400);
    const report = await load.finish();
    expect(report.failures).toEqual([]);
  });

  it("loses no call of a WebSocket client when one of three is killed under load", async () => {
    const socket = use(await RpcSocket.connect(`${gateway.wsUrl}/rpc/dev`));
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < 300; i++) {
      if (i === 100) chain.proxies["a"]?.cut();
      calls.push(
        socket.call("eth_getBalance", [`0x${i.toString(16).padStart(40, "0")}`, "latest"]),
      );
      if (i % 10 === 9) await Promise.all(calls.slice(-10));
    }
    expect(await Promise.all(calls)).toEqual(calls.map(() => "0x0"));
  });

  it("loses no idempotent request when one of three answers every fifth with an error", async () => {
    chain.proxies["a"]?.set({ status: 500, ratio: 0.2 });
    const load = startLoad(url);
    await eventually("load", () => load.sent() > 600);
    expect((await load.finish()).failures).toEqual([]);
  });
});

describeWithAnvil("a provider of the wrong chain", () => {
  const use = cleanupAfterEach();

  it("is refused: its answers reach nobody, the chain goes on without it", async () => {
    const chain = use(await startProxiedChain(["liar", "honest"]));
    chain.proxies["liar"]?.set({ wrongChainId: 1 });
    const gateway = use(await startGatewayFor({ dev: chainConfig(chain) }));
    const url = `${gateway.url}/rpc/dev`;
    await eventually("the liar is out", async () => (await servedBy(url)) === "honest");
    const before = chain.proxies["liar"]?.counters().calls["eth_gasPrice"] ?? 0;
    const all = asked(chain, "eth_gasPrice");
    for (let i = 0; i < 20; i++) expect(await servedBy(url)).toBe("honest");
    expect(asked(chain, "eth_gasPrice")).toBe(all + 20);
    expect(chain.proxies["liar"]?.counters().calls["eth_gasPrice"] ?? 0).toBe(before);
    const forced = await post(`${gateway.url}/rpc/provider/liar/dev`, READ);
    expect(JSON.parse(forced.text).error.code).toBe(-32_002);
  });
});

describeWithAnvil("a provider that falls behind", () => {
  const use = cleanupAfterEach();

  it("is not asked for the newest block while others have it", async () => {
    const chain = use(await startProxiedChain(["slow", "fresh", "spare"]));
    const gateway = use(await startGatewayFor({ dev: chainConfig(chain) }));
    const url = `${gateway.url}/rpc/dev`;
    await eventually("the slow one leads", async () => (await servedBy(url)) === "slow");
    chain.proxies["slow"]?.set({ staleHead: Number(await chain.node.rpc("eth_blockNumber")) });
    await chain.node.mine(10);
    await eventually("the laggard is left", async () => {
      return ["fresh", "spare"].includes((await servedBy(url)) ?? "");
    });
    const head = await chain.node.rpc("eth_blockNumber");
    const block = await rpc(url, "eth_getBlockByNumber", ["latest", false]);
    expect(block.number).toBe(head);
  });
});

describeWithAnvil("a provider frozen by SIGSTOP", () => {
  const use = cleanupAfterEach();

  it("costs no request, and is used again when it thaws", async () => {
    const chain = use(await startProxiedChain(["b", "c"]));
    const script = join(import.meta.dirname, "..", "support", "fault-proxy-process.ts");
    const frozen = new Child(process.execPath, [script, chain.node.url]);
    use({ stop: () => frozen.kill() });
    const [, frozenUrl = ""] = await frozen.waitFor(/listening (\S+)/u);
    const config = chainConfig(chain);
    const others = config["providers"] as { id: string }[];
    const a = { id: "a", url: frozenUrl, ws_url: frozenUrl.replace(/^http/u, "ws"), priority: 0 };
    const gateway = use(await startGatewayFor({ dev: { ...config, providers: [a, ...others] } }));
    const url = `${gateway.url}/rpc/dev`;
    await eventually("the first provider leads", async () => (await servedBy(url)) === "a");
    const load = startLoad(url, 4);
    await eventually("some load", () => load.sent() > 100);
    frozen.signal("SIGSTOP");
    const atFreeze = load.sent();
    await eventually("load after the freeze", () => load.sent() > atFreeze + 200, 25_000);
    const report = await load.finish();
    expect(report.failures).toEqual([]);
    frozen.signal("SIGCONT");
    await eventually(
      "the thawed provider leads again",
      async () => (await servedBy(url)) === "a",
      20_000,
    );
  }, 60_000);
});

describeWithAnvil("three real nodes for three chains", () => {
  const use = cleanupAfterEach();

  it("keeps the chains apart, and one dead chain from the others", async () => {
    const [one, two, three] = await Promise.all([
      startProxiedChain(["a", "b"], 1_001),
      startProxiedChain(["a", "b"], 1_002),
      startProxiedChain(["a", "b"], 1_003),
    ]);
    for (const chain of [one, two, three]) use(chain);
    await Promise.all([one.node.mine(1), two.node.mine(2), three.node.mine(3)]);
    const gateway = use(
      await startGatewayFor({
        one: chainConfig(one),
        two: chainConfig(two),
        three: chainConfig(three),
      }),
    );
    for (const [name, id, head] of [
      ["one", 1_001, 1],
      ["two", 1_002, 2],
      ["three", 1_003, 3],
    ] as const) {
      expect(Number(await rpc(`${gateway.url}/rpc/${name}`, "eth_chainId"))).toBe(id);
      const block = await rpc(`${gateway.url}/rpc/${name}`, "eth_getBlockByNumber", [
        "latest",
        false,
      ]);
      expect(Number(block.number)).toBe(head);
    }
    const load = startLoad(`${gateway.url}/rpc/two`, 4);
    for (const proxy of Object.values(one.proxies)) proxy.cut();
    const { error } = JSON.parse((await post(anew(`${gateway.url}/rpc/one`), READ)).text);
    expect(error.code).toBe(-32_002);
    await eventually("load on another chain", () => load.sent() > 300);
    expect((await load.finish()).failures).toEqual([]);
  });
});
