/** Three regions as programs of their own, with one real Redis between them. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startFakeServer } from "../../src/io/fake-provider.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import { FakeProvider } from "../../src/rpc/fake/provider.ts";
import type { AdminClient } from "../support/admin.ts";
import { cleanupAfterAll } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { Gateway } from "../support/gateway.ts";
import { describeWithRedis, startRedis, type RedisServer } from "../support/redis.ts";
import { anew, post } from "../support/rpc.ts";

const READ = { jsonrpc: "2.0", id: 1, method: "eth_gasPrice", params: [] };
const PASSWORD = "CANARY-of-the-store";
const SECRET = "CANARY-secret-of-the-cluster";
const LEASE_MS = 3_000;
const CHANNEL = "paceline:cluster";
/** Views are the same again so long after what kept them apart is over. */
const HEALED_MS = 10_000;

/** Asks a gateway all the time, and keeps what went wrong. */
class Traffic {
  readonly failures: string[] = [];
  answered = 0;
  readonly #gateways: () => readonly Gateway[];
  readonly #done: Promise<void>;
  #isOver = false;

  constructor(gateways: () => readonly Gateway[]) {
    this.#gateways = gateways;
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      await Promise.all(this.#gateways().map((gateway) => this.#ask(gateway)));
      await new Promise((resolve) => {
        setTimeout(resolve, 25);
      });
    }
  }

  async #ask(gateway: Gateway): Promise<void> {
    try {
      const { status, text } = await post(anew(`${gateway.url}/rpc/one`), READ);
      if (status === 200 && text.includes("result")) this.answered++;
      else this.failures.push(`${status} ${text}`);
    } catch (error) {
      // One that is being stopped or killed is none to ask.
      if (this.#gateways().includes(gateway)) this.failures.push(String(error));
    }
  }
}

describeWithRedis("three regions over one Redis", () => {
  const keep = cleanupAfterAll();
  const regions = new Map<string, Gateway>();
  const admins = new Map<Gateway, AdminClient>();
  let redis: RedisServer;
  let traffic: Traffic;
  let provider = "";

  const configOf = (region: string, more: object = {}) => ({
    region,
    redis: { url: redis.url },
    cluster: { secret: SECRET, lease: `${LEASE_MS}ms` },
    chains: { one: { chain_id: 77, providers: [{ id: "a", url: provider }] } },
    ...more,
  });

  const start = async (region: string): Promise<Gateway> => {
    const gateway = keep(await Gateway.start({ config: configOf(region) }));
    regions.set(region, gateway);
    return gateway;
  };

  const viewOf = async (gateway: Gateway) =>
    (await (await fetch(`${gateway.url}/api/v1/regions`)).json()) as {
      readonly state: string;
      readonly reason: string | null;
      readonly regions: readonly {
        readonly region: string;
        readonly state: string;
        readonly incarnation: number;
        readonly names: number;
      }[];
      readonly refused: Readonly<Record<string, number>>;
    };

  const stateAt = async (at: string, of: string): Promise<string | undefined> => {
    const { regions: rows } = await viewOf(regions.get(at) as Gateway);
    return rows.find(({ region }) => region === of)?.state;
  };

  const namesAt = async (gateway: Gateway, region: string): Promise<readonly string[]> => {
    const admin = admins.get(gateway) ?? (await gateway.admin());
    admins.set(gateway, admin);
    const { names } = await admin.ask("names", { region, limit: 5_000 });
    return (names as readonly { name: string; pid: string }[])
      .map(({ name, pid }) => `${name} ${pid}`)
      .sort();
  };

  /** Every region knows of every other what that one knows of itself, and of nobody else. */
  const untilViewsAreEqual = (what: string) =>
    eventually(
      `views are equal ${what}`,
      async () => {
        for (const [name, gateway] of regions) {
          const own = await namesAt(gateway, name);
          for (const [other, there] of regions) {
            if (other === name) continue;
            const known = await namesAt(there, name);
            if (known.join() !== own.join())
              throw new Error(`${other} knows ${known.length} of ${own.length} names of ${name}`);
            if ((await stateAt(other, name)) !== "joined") throw new Error(`${name} at ${other}`);
          }
        }
        return true;
      },
      HEALED_MS,
      200,
    );

  beforeAll(async () => {
    redis = keep(await startRedis({ password: PASSWORD }));
    const startMs = Date.now();
    const chain = new FakeChain({ seed: 1, chainId: 77, blockTimeMs: 500, startMs });
    const mind = new FakeProvider({ id: "a", chain, faults: {}, seed: 1, startMs });
    provider = keep(await startFakeServer(mind, Date.now)).url;
    await Promise.all(["eu", "us", "ap"].map(start));
    traffic = new Traffic(() => [...regions.values()]);
  });
  afterAll(() => traffic.stop());

  it("join, and know each other's names and leaderboards", async () => {
    await untilViewsAreEqual("after the start");
    const eu = regions.get("eu") as Gateway;
    const path = `${eu.url}/api/v1/chains/one/leaderboard?region=all`;
    const boards = await eventually("rows of the others", async () => {
      const { regions: found } = (await (await fetch(path)).json()) as {
        readonly regions: readonly {
          readonly region: string;
          readonly leaderboard: readonly object[];
        }[];
      };
      return (
        found.length === 2 && found.every(({ leaderboard }) => leaderboard.length > 0) && found
      );
    });
    expect(boards.map(({ region }) => region)).toEqual(["ap", "us"]);
    expect(boards[1]?.leaderboard).toContainEqual(
      expect.objectContaining({ provider: "a", subject: expect.stringMatching(/^calls:/) }),
    );
    const metrics = await (await fetch(`${eu.url}/metrics`)).text();
    expect(metrics).toMatch(/^paceline_cluster_joined\{region="eu"\} 1$/m);
    expect(metrics).toMatch(/^paceline_cluster_regions\{kind="joined",region="eu"\} 2$/m);
    expect(metrics).toMatch(/^paceline_cluster_names\{remote="us",region="eu"\} \d\d+$/m);
  });

  it("see a region leave, and come back", async () => {
    const ap = regions.get("ap") as Gateway;
    regions.delete("ap");
    ap.child.signal("SIGTERM");
    expect(await ap.child.exited).toMatchObject({ code: 0 });
    await eventually("ap has left", async () => (await stateAt("eu", "ap")) === "left");
    expect(await namesAt(regions.get("eu") as Gateway, "ap")).toEqual([]);
    await start("ap");
    await untilViewsAreEqual("after ap came back");
  });

  it("forget a killed region after its lease, and take its next life at once", async () => {
    const us = regions.get("us") as Gateway;
    regions.delete("us");
    us.child.signal("SIGKILL");
    await us.child.exited;
    await eventually("us is lost", async () => (await stateAt("eu", "us")) === "lost");
    expect(await namesAt(regions.get("eu") as Gateway, "us")).toEqual([]);
    const again = await start("us");
    await untilViewsAreEqual("after us came back");
    regions.delete("us");
    again.child.signal("SIGKILL");
    await start("us");
    await untilViewsAreEqual("after us was replaced");
    const { regions: rows } = await viewOf(regions.get("eu") as Gateway);
    expect(rows.find(({ region }) => region === "us")?.incarnation).toBeGreaterThanOrEqual(3);
  });

  it("serve on while Redis is killed, and find each other when it comes back empty", async () => {
    await redis.child.kill();
    for (const name of regions.keys()) {
      await eventually(`${name} is apart`, async () => (await stateAt(name, name)) === "apart");
    }
    await eventually("us is lost", async () => (await stateAt("eu", "us")) === "lost");
    await redis.restart();
    await untilViewsAreEqual("after Redis came back");
  });

  it("serve on while Redis is frozen for longer than the lease, and find each other then", async () => {
    redis.child.signal("SIGSTOP");
    await eventually("us is lost", async () => (await stateAt("eu", "us")) === "lost");
    redis.child.signal("SIGCONT");
    await untilViewsAreEqual("after Redis went on");
  });

  it("share on while Redis is out of memory, and while it is read-only", async () => {
    const beside = redis.client();
    await beside.config("SET", "maxmemory", "1");
    await expect(beside.set("x", "y")).rejects.toThrow(/OOM/);
    await untilViewsAreEqual("without memory");
    await beside.config("SET", "maxmemory", "0");
    await beside.replicaof("127.0.0.1", "1");
    await expect(beside.set("x", "y")).rejects.toThrow(/READONLY/);
    await untilViewsAreEqual("read-only");
    await beside.replicaof("NO", "ONE");
  });

  it("refuse and count what others say on their channel", async () => {
    const beside = redis.client();
    for (const bytes of ["garbage", "PLR9 of another layout", "x".repeat(400_000)]) {
      await beside.publish(CHANNEL, bytes);
    }
    await beside.publish(CHANNEL, `PLR1${"m".repeat(32)}{"r":"ghost"}`);
    const eu = regions.get("eu") as Gateway;
    const refused = await eventually("all are counted", async () => {
      const { refused: counts } = await viewOf(eu);
      return counts["unsigned"] === 1 && counts;
    });
    expect(refused).toMatchObject({ foreign: 2, oversized: 1, unsigned: 1 });
    expect(eu.child.output).toMatch(/cluster\.message_refused|was refused/);
    await untilViewsAreEqual("among garbage");
  });

  it("keep out a second instance of a name, one with another secret, and one without a way in", async () => {
    const wrong = redis.url.replace(PASSWORD, "CANARY-wrong");
    const [twin, stranger, locked] = (await Promise.all(
      [
        configOf("eu"),
        configOf("stranger", { cluster: { secret: "CANARY-of-another-cluster" } }),
        configOf("locked", { redis: { url: wrong } }),
      ].map((config) => Gateway.start({ config }).then(keep)),
    )) as [Gateway, Gateway, Gateway];
    await twin.child.waitFor(/cluster\.name_taken|has this region's name/);
    expect(await viewOf(twin)).toMatchObject({ state: "refused" });
    await eventually("the stranger is refused", async () => {
      const { refused } = await viewOf(stranger);
      return (refused["unsigned"] ?? 0) > 0;
    });
    expect(await viewOf(locked)).toMatchObject({ state: "apart", reason: "Redis does not answer" });
    for (const gateway of [twin, stranger, locked]) {
      expect((await post(anew(`${gateway.url}/rpc/one`), READ)).status).toBe(200);
      expect(gateway.traces()).not.toContain("CANARY");
    }
    const { regions: rows } = await viewOf(regions.get("eu") as Gateway);
    expect(rows.map(({ region }) => region)).toEqual(["eu", "ap", "us"]);
    await untilViewsAreEqual("beside them");
  });

  it("have answered every request meanwhile, and show no secret", async () => {
    await traffic.stop();
    expect(traffic.failures.slice(0, 5)).toEqual([]);
    expect(traffic.answered).toBeGreaterThan(100);
    for (const gateway of regions.values()) expect(gateway.traces()).not.toContain("CANARY");
  });
});
