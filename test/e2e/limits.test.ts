/** API keys, shared limits and quotas in the running product. */
import { createHash } from "node:crypto";
import { beforeAll, expect, it } from "vitest";
import { startFakeServer } from "../../src/io/fake-provider.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import { FakeProvider } from "../../src/rpc/fake/provider.ts";
import { cleanupAfterAll } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { type ConfigDocument, Gateway } from "../support/gateway.ts";
import { describeWithRedis, startRedis, type RedisServer } from "../support/redis.ts";
import { anew, post, RpcSocket } from "../support/rpc.ts";

const READ = { jsonrpc: "2.0", id: 1, method: "eth_gasPrice", params: [] };
const KEY = "pace_CANARY-the-key-itself";
const PASSWORD = "CANARY-of-the-store";
const hashOf = (key: string) => `sha256:${createHash("sha256").update(key).digest("hex")}`;

describeWithRedis("clients with keys, before a store that hosts share", () => {
  const keep = cleanupAfterAll();
  let gateway: Gateway;
  let redis: RedisServer;
  let config: ConfigDocument;

  const url = () => `${gateway.url}/rpc/one`;
  /** Asks a provider, so that whatever is counted is counted for each call. */
  const withKey = (key = KEY) => post(anew(url()), READ, { "x-paceline-key": key });
  const reload = async (clients: ConfigDocument): Promise<void> => {
    gateway.writeConfig({ ...config, clients });
    const admin = await gateway.admin();
    await admin.raise();
    expect(await admin.ask("reload")).toMatchObject({ result: "applied" });
  };

  beforeAll(async () => {
    redis = keep(await startRedis({ password: PASSWORD }));
    const startMs = Date.now();
    const chain = new FakeChain({ seed: 1, chainId: 77, blockTimeMs: 200, startMs });
    const mind = new FakeProvider({ id: "a", chain, faults: {}, seed: 1, startMs });
    const server = keep(await startFakeServer(mind, Date.now));
    const quota = { units: 1_000_000, per: "month" };
    const providers = [{ id: "a", url: server.url, quota, cost: { units: 10 } }];
    config = {
      chains: { one: { chain_id: 77, providers } },
      redis: { url: redis.url },
      clients: {
        keys: [
          { id: "dapp", hash: hashOf(KEY), rate: { rps: 1_000_000 }, units: { per_month: 1e9 } },
        ],
      },
      cors: { origins: ["https://app.example"] },
    };
    gateway = keep(await Gateway.start({ config }));
    await gateway.child.waitFor(/redis\.up|Redis answers/);
  });

  it("are asked for their key, by every way in", async () => {
    expect((await post(url(), READ)).status).toBe(401);
    expect((await withKey("pace_another")).status).toBe(401);
    expect((await withKey()).status).toBe(200);
    expect((await post(`${url()}?key=${KEY}`, READ)).status).toBe(200);
    await expect(RpcSocket.connect(`${gateway.wsUrl}/rpc/one`)).rejects.toThrow("401");
    const headers = { origin: "https://app.example", "x-paceline-key": KEY };
    const answer = await post(url(), READ, headers);
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://app.example");
  });

  it("are counted in the store, and are served on while it is frozen and after it was killed", async () => {
    const beside = redis.client();
    await eventually("the units of the key", async () => {
      const [key] = await beside.keys("paceline:quota:dapp:*");
      return key !== undefined && Number(await beside.get(key)) >= 60;
    });
    redis.child.signal("SIGSTOP");
    const frozen = await Promise.all(Array.from({ length: 50 }, () => withKey()));
    expect(frozen.map(({ status }) => status)).toEqual(frozen.map(() => 200));
    await gateway.child.waitFor(/redis\.stalled|stopped answering/);
    await redis.child.kill();
    expect((await withKey()).status).toBe(200);
    await gateway.child.waitFor(/redis\.down|is lost/);
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(metrics).toMatch(/^paceline_redis_up 0$/m);
    expect(metrics).toMatch(/^paceline_client_calls_total\{key="dapp"\} 5\d$/m);
    await redis.restart();
    await eventually("found again", async () => {
      const text = await (await fetch(`${gateway.url}/metrics`)).text();
      return /^paceline_redis_up 1$/m.test(text);
    });
  });

  it("keep their sockets over a reload, and lose them with their key", async () => {
    const socket = await RpcSocket.connect(`${gateway.wsUrl}/rpc/one?key=${KEY}`);
    const other = { id: "other", hash: hashOf("pace_other") };
    await reload({ keys: [{ id: "dapp", hash: hashOf(KEY), concurrent: 5 }, other] });
    expect(await socket.call("eth_gasPrice")).toBeDefined();
    await reload({ keys: [other] });
    expect(await socket.closed).toEqual({ code: 1001, reason: "API key was revoked" });
    expect((await withKey()).status).toBe(401);
    expect((await withKey("pace_other")).status).toBe(200);
  });

  it("leave what was used of a provider's quota to the next start", async () => {
    const used = async (one: Gateway): Promise<number> => {
      const { providers } = await (await one.admin()).ask("limits");
      return providers[0].quota.used;
    };
    const before = await used(gateway);
    expect(before).toBeGreaterThanOrEqual(500);
    gateway.child.signal("SIGTERM");
    expect(await gateway.child.exited).toMatchObject({ code: 0 });
    const next = keep(await Gateway.start({ config, folder: gateway.folder }));
    expect(await used(next)).toBeGreaterThanOrEqual(before);
  });

  it("find their keys, and the store's password, in nothing that was written", () => {
    expect(gateway.traces()).not.toContain("CANARY");
  });
});
