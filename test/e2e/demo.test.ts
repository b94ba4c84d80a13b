/** What a newcomer sees: `npm start`, a second terminal, blocks that arrive while things break. */
import { beforeAll, describe, expect, it } from "vitest";
import { flatten } from "../support/admin.ts";
import { cleanupAfterAll, cleanupAfterEach } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { Gateway } from "../support/gateway.ts";
import { anew, post, rpc, RpcSocket } from "../support/rpc.ts";

describe("the demo", () => {
  const keep = cleanupAfterAll();
  const use = cleanupAfterEach();
  let gateway: Gateway;
  let readyMs: number;

  beforeAll(async () => {
    const startedMs = performance.now();
    gateway = keep(await Gateway.start({ args: ["--seed", "7"] }));
    readyMs = performance.now() - startedMs;
  });

  it("is ready within three seconds and says where", () => {
    expect(readyMs).toBeLessThan(3_000);
    const lines = gateway.child.stdout
      .split("\n")
      .filter((line) => line.startsWith("paceline ready"));
    expect(lines).toHaveLength(1);
    expect(gateway.child.stdout).toContain(`pid=${gateway.child.pid}`);
  });

  it("answers the calls of the README on both chains", async () => {
    for (const [name, id] of [
      ["alpha", 31_001],
      ["beta", 31_002],
    ] as const) {
      const url = `${gateway.url}/rpc/${name}`;
      expect(Number(await rpc(url, "eth_chainId"))).toBe(id);
      expect(Number(await rpc(url, "eth_blockNumber"))).toBeGreaterThan(1_000);
      const block = await rpc(url, "eth_getBlockByNumber", ["latest", false]);
      expect(block.hash).toMatch(/^0x[0-9a-f]{64}$/u);
      expect(await rpc(`${gateway.url}/rpc/fastest/${name}`, "eth_gasPrice")).toMatch(/^0x/u);
    }
  });

  it("lists chains, providers and states as JSON, as a page, as metrics and as health", async () => {
    const get = async (path: string) => {
      const response = await fetch(`${gateway.url}${path}`);
      return { status: response.status, text: await response.text() };
    };
    const chains = await get("/api/v1/chains");
    for (const word of ["alpha", "beta", "hare", "heron", "finch", "tortoise", "otter", "snail"]) {
      expect(chains.text).toContain(word);
      expect((await get("/")).text).toContain(word);
    }
    expect(JSON.parse(chains.text)).toBeTypeOf("object");
    expect((await get("/metrics")).text).toMatch(/^paceline_/mu);
    for (const path of ["/livez", "/startupz", "/readyz", "/health", "/openapi.json"]) {
      await eventually(`${path} is 200`, async () => (await get(path)).status === 200);
    }
  });

  it("streams parent-linked heads of alpha, each once, while a provider process is killed", async () => {
    const socket = use(await RpcSocket.connect(`${gateway.wsUrl}/rpc/alpha`));
    const { events } = await socket.subscribe("newHeads");
    const admin = await gateway.admin();
    const connection = flatten(await admin.tree()).find(
      ({ name }) => name === "rpc/chain/alpha/provider/hare/ws-connection",
    );
    await socket.until(() => events.length >= 2);
    await admin.exit(connection?.name ?? "", "kill");
    await socket.until(() => events.length >= 6, 15_000);
    const hashes = new Set(events.map((head) => head.hash));
    expect(hashes.size).toBe(events.length);
    for (let i = 1; i < events.length; i++) {
      const isReorg = Number(events[i].number) <= Number(events[i - 1].number);
      if (!isReorg) expect(events[i].parentHash).toBe(events[i - 1].hash);
    }
  });

  it("survives a hundred calls while providers misbehave", async () => {
    const url = `${gateway.url}/rpc/alpha`;
    const body = {
      jsonrpc: "2.0",
      id: 1,
      method: "eth_getBlockByNumber",
      params: ["latest", true],
    };
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => JSON.parse((await post(anew(url), body)).text)),
    );
    expect(answers.filter((answer) => answer.result === undefined)).toEqual([]);
  });

  it("repeats its chain for the same seed", async () => {
    const twin = use(await Gateway.start({ args: ["--seed", "7"] }));
    const other = use(await Gateway.start({ args: ["--seed", "8"] }));
    const hash = (it: Gateway) =>
      eventually("a block", async () => {
        const block = await rpc(`${it.url}/rpc/alpha`, "eth_getBlockByNumber", ["0x2000", false]);
        return block?.hash as string | undefined;
      });
    expect(await hash(twin)).toBe(await hash(gateway));
    expect(await hash(other)).not.toBe(await hash(gateway));
  });
});
