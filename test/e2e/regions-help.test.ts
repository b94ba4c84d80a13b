/** Two regions as programs of their own, over one real Redis: one serves for the other while it must. */
import { createHash } from "node:crypto";
import { afterEach, beforeAll, expect, it } from "vitest";
import type { FaultProxy } from "../../src/io/fault-proxy.ts";
import { startFaultProxy } from "../../src/io/fault-proxy.ts";
import { type Anvil, describeWithAnvil, startAnvil } from "../support/anvil.ts";
import { cleanupAfterAll } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { Gateway } from "../support/gateway.ts";
import { describeWithRedis, isRedisThere, startRedis, type RedisServer } from "../support/redis.ts";
import { anew, post, rpc, servedBy } from "../support/rpc.ts";
import { startLoad } from "../support/world.ts";

const SECRET = "CANARY-secret-of-the-cluster";
const KEY = "CANARY-key-of-a-client-of-us";
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const READ = { jsonrpc: "2.0", id: 1, method: "eth_gasPrice", params: [] };
const CHAIN_ID = 31_337;
const HELPED = "region:us";

interface Regions {
  readonly regions: readonly {
    readonly region: string;
    readonly state: string;
    readonly helps: readonly string[];
    readonly distance_ms: number | null;
  }[];
  readonly help: {
    readonly asked: Readonly<Record<string, number>>;
    readonly given: Readonly<Record<string, number>>;
    readonly refused: Readonly<Record<string, number>>;
  } | null;
}

const describeHere = isRedisThere ? describeWithAnvil : describeWithRedis;

describeHere("a region without providers, and one that helps", () => {
  const keep = cleanupAfterAll();
  let redis: RedisServer;
  let node: Anvil;
  let eu: Gateway;
  let us: Gateway;
  let isUsThere = true;
  const proxies: Record<"eu" | "us", FaultProxy[]> = { eu: [], us: [] };

  const configOf = (region: "eu" | "us", more: object = {}) => ({
    region,
    redis: { url: redis.url },
    cluster: { secret: SECRET, lease: "3s", help: true },
    chains: {
      dev: {
        chain_id: CHAIN_ID,
        strategy: "priority",
        breaker: { failure_threshold: 5, recovery_timeout: "500ms", success_threshold: 1 },
        health_check: { interval: "500ms", timeout: "1s" },
        prediction: { enabled: false },
        providers: proxies[region].map(({ url }, at) => ({
          id: `${region}-${at}`,
          url,
          priority: at + 1,
        })),
      },
    },
    ...more,
  });

  const viewOf = async (gateway: Gateway) =>
    (await (await fetch(`${gateway.url}/api/v1/regions`)).json()) as Regions;

  const euUrl = () => `${eu.url}/rpc/dev`;

  const untilUsHelps = () =>
    eventually("us would help", async () => {
      const { regions } = await viewOf(eu);
      return regions.find(({ region }) => region === "us")?.helps.includes("dev") === true;
    });

  const downAll = (region: "eu" | "us") => {
    for (const proxy of proxies[region]) proxy.set({ down: true });
  };
  const healAll = () => {
    for (const proxy of [...proxies.eu, ...proxies.us]) proxy.heal();
  };

  beforeAll(async () => {
    redis = keep(await startRedis());
    node = keep(await startAnvil({ chainId: CHAIN_ID }));
    for (const region of ["eu", "us"] as const) {
      for (const seed of [1, 2]) {
        proxies[region].push(keep(await startFaultProxy({ upstreamUrl: node.url, seed })));
      }
    }
    // Whoever comes without a key is refused there, but for what eu passes on.
    const keys = [{ id: "client", hash: `sha256:${sha256(KEY)}` }];
    const clients = { anonymous: { allowed: false }, keys };
    [eu, us] = await Promise.all([
      Gateway.start({ config: configOf("eu") }),
      Gateway.start({ config: configOf("us", { clients }) }),
    ]);
    keep(eu);
    keep(us);
    // Once the round trip is known the way is open.
    await eventually("eu knows how far us is", async () => {
      const { regions } = await viewOf(eu);
      return typeof regions.find(({ region }) => region === "us")?.distance_ms === "number";
    });
    await untilUsHelps();
  });
  afterEach(async () => {
    healAll();
    await eventually(
      "eu serves by itself",
      async () => (await servedBy(euUrl())) === "eu-0",
      20_000,
    );
    if (isUsThere) await untilUsHelps();
  });

  it("asks its own providers as long as one of them serves", async () => {
    proxies.eu[0]?.set({ down: true });
    expect(await servedBy(euUrl())).toBe("eu-1");
    const { help } = await viewOf(us);
    const before = help?.given["eu"] ?? 0;
    for (let call = 0; call < 20; call++) expect(await servedBy(euUrl())).toBe("eu-1");
    // Questions for the distance may come meanwhile.
    expect(((await viewOf(us)).help?.given["eu"] ?? 0) - before).toBeLessThan(5);
  });

  it("answers every call while all of its providers are dead, and says by whom", async () => {
    const load = startLoad(euUrl(), 4);
    await eventually("calls flow", () => load.sent() > 50);
    downAll("eu");
    const sentBefore = load.sent();
    await eventually("many calls without providers", () => load.sent() > sentBefore + 400, 30_000);
    const answer = await post(anew(euUrl()), READ);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-paceline-provider")).toBe(HELPED);
    expect(answer.headers.get("x-paceline-helped-by")).toBe("us");
    expect(answer.headers.get("x-paceline-region")).toBe("eu");
    const id = answer.headers.get("x-paceline-request-id") ?? "";
    const record = await (await fetch(`${eu.url}/api/v1/requests/${id}`)).json();
    expect(record).toMatchObject({
      provider: HELPED,
      help: { by: "us", because: "no_provider", for: null },
      attempts: [{ provider: HELPED, kind: "help", class: "ok", won: true }],
    });
    await eu.child.waitFor(/cluster\.help\.started/);
    healAll();
    await eventually(
      "eu serves by itself",
      async () => (await servedBy(euUrl())) === "eu-0",
      20_000,
    );
    const { failures, sent } = await load.finish();
    expect(failures.slice(0, 3)).toEqual([]);
    expect(sent).toBeGreaterThan(450);
    await eu.child.waitFor(/cluster\.help\.ended/);
    const metrics = await (await fetch(`${us.url}/metrics`)).text();
    expect(metrics).toMatch(
      /^paceline_cluster_help_given_total\{remote="eu",region="us"\} \d{3,}$/m,
    );
    expect((await viewOf(us)).help?.refused).toEqual({});
  });

  it("charges no client of the other region, which refuses everybody without a key", async () => {
    downAll("eu");
    await eventually("us serves for eu", async () => (await servedBy(euUrl())) === HELPED);
    expect((await post(`${us.url}/rpc/dev`, READ)).status).toBe(401);
    const metrics = await (await fetch(`${us.url}/metrics`)).text();
    expect(metrics).not.toMatch(/^paceline_\w*client\w*calls\w*\{[^}]*key="client"[^}]*\} [1-9]/m);
  });

  it("follows the chain by the other region, for heights, batches and logs", async () => {
    downAll("eu");
    await eventually("us serves for eu", async () => (await servedBy(euUrl())) === HELPED);
    const before = Number(await rpc(anew(euUrl()), "eth_blockNumber"));
    await node.rpc("anvil_mine", ["0x3"]);
    await eventually("the new height", async () => {
      return Number(await rpc(anew(euUrl()), "eth_blockNumber")) >= before + 3;
    });
    const call = (id: number, method: string, params: readonly unknown[]) => {
      return { jsonrpc: "2.0", id, method, params };
    };
    const { text } = await post(euUrl(), [
      call(1, "eth_getBalance", [`0x${"1".repeat(40)}`, "latest"]),
      call(2, "eth_getBlockByNumber", ["latest", false]),
      call(3, "eth_getLogs", [{ fromBlock: "0x0", toBlock: "latest" }]),
    ]);
    expect(JSON.parse(text)).toMatchObject([
      { id: 1, result: "0x0" },
      { id: 2, result: { number: expect.stringMatching(/^0x/) } },
      { id: 3, result: [] },
    ]);
  });

  it("says what is wrong when the other region cannot serve either, and never asks in circles", async () => {
    downAll("eu");
    downAll("us");
    const { text, status } = await post(anew(euUrl()), READ);
    expect(status === 200 || status === 503).toBe(true);
    expect(JSON.parse(text).error).toMatchObject({ code: -32002 });
    const answer = await eventually("nobody is left to ask", async () => {
      const told = await post(anew(euUrl()), READ);
      return told.text.includes("no other region can help") && told;
    });
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.text).error.message).toMatch(
      /^no provider for eth_gasPrice on dev: 2 open; no other region can help$/,
    );
    for (const gateway of [eu, us]) {
      expect((await viewOf(gateway)).help?.refused["hops"] ?? 0).toBe(0);
    }
    await eu.child.waitFor(/cluster\.help\.missing/);
  });

  it("refuses tickets that are made up, and serves nobody by them", async () => {
    const claims = ["eu", "x", 1, "us", "y", 1, "dev", CHAIN_ID, 1, 5_000];
    const text = Buffer.from(JSON.stringify(claims)).toString("base64url");
    const forged = `${text}.${Buffer.alloc(32, 7).toString("base64url")}`;
    for (const ticket of [forged, "garbage", ""]) {
      const answer = await post(`${us.url}/rpc/dev`, READ, { "X-Paceline-Help": ticket });
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.text).error).toMatchObject({
        code: 4100,
        data: { reason: "help_refused" },
      });
    }
    expect((await viewOf(us)).help?.refused).toMatchObject({ unsigned: 1, malformed: 2 });
    await us.child.waitFor(/cluster\.help\.refused/);
    const sent = { jsonrpc: "2.0", id: 1, method: "eth_sendRawTransaction", params: ["0x00"] };
    downAll("eu");
    await eventually("us serves for eu", async () => (await servedBy(euUrl())) === HELPED);
    const answer = await post(euUrl(), sent);
    expect(answer.headers.get("x-paceline-provider")).not.toBe(HELPED);
  });

  it("says so at once when the helping region dies too, and serves on once its own are back", async () => {
    downAll("eu");
    await eventually("us serves for eu", async () => (await servedBy(euUrl())) === HELPED);
    isUsThere = false;
    us.child.signal("SIGKILL");
    await us.child.exited;
    const answer = await post(anew(euUrl()), READ);
    expect(JSON.parse(answer.text).error).toMatchObject({ code: -32002 });
    await eventually("nobody is left to ask", async () => {
      const { status, text } = await post(anew(euUrl()), READ);
      return status === 503 && text.includes("no other region can help");
    });
  });

  it("shows no secret", () => {
    for (const gateway of [eu, us]) expect(gateway.traces()).not.toContain("CANARY");
  });
});
