/**
 * Three regions as programs of their own, with one real Redis between them and a real node behind each.
 * Their wall clocks are an hour apart all the time; each has its own way to Redis, which can be cut.
 */
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Envelopes } from "../../src/cluster/envelope.ts";
import type { AdminClient } from "../support/admin.ts";
import { describeWithAnvil, startAnvil } from "../support/anvil.ts";
import { cleanupAfterAll } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { Gateway } from "../support/gateway.ts";
import { isRedisThere, startRedis, type RedisServer } from "../support/redis.ts";
import { startRedisProxy, type RedisProxy } from "../support/redis-proxy.ts";
import { anew, post } from "../support/rpc.ts";

const READ = { jsonrpc: "2.0", id: 1, method: "eth_gasPrice", params: [] };
const PASSWORD = "CANARY-of-the-store";
const SECRET = "CANARY-secret-of-the-cluster";
const LEASE_MS = 3_000;
const CHANNEL = "paceline:cluster";
/** Views are the same again so long after what kept them apart is over. */
const HEALED_MS = 10_000;
const HOUR_MS = 3_600_000;
/** How far each region's wall clock is off. */
const CLOCK_MS: Readonly<Record<string, number>> = { eu: 0, us: -HOUR_MS, ap: HOUR_MS };
/** What one region may weigh, whatever has happened: it starts with about 150 MiB. */
const MAX_RSS_BYTES = 400 * 1024 * 1024;

/** Makes a program believe that it is another time. */
const clockOff = (ms: number): string =>
  `--import=data:text/javascript,${encodeURIComponent(
    `const now = Date.now; const Real = Date;
     globalThis.Date = class Date extends Real {
       constructor(...args) { super(...(args.length === 0 ? [now() + ${ms}] : args)); }
       static now() { return now() + ${ms}; }
     };`,
  )}`;

/** Hears everything that is said, and whether anything is said twice. */
class Ear {
  readonly #envelopes = new Envelopes(SECRET, CHANNEL);
  readonly #heard = new Set<string>();
  readonly #twice: string[] = [];
  /** Messages of the regions so far. */
  get count(): number {
    return this.#heard.size;
  }

  get twice(): readonly string[] {
    return this.#twice;
  }

  async listen(client: Redis): Promise<void> {
    client.on("messageBuffer", (_channel: Buffer, bytes: Buffer) => this.#take(bytes));
    await client.subscribe(CHANNEL);
  }

  #take(bytes: Buffer): void {
    const opened = this.#envelopes.open(bytes);
    if (!opened.ok) return;
    const { region, instance, sequence, kind } = opened.message;
    const name = `${region} ${instance} ${sequence}`;
    if (this.#heard.has(name)) this.#twice.push(`${name} ${kind}`);
    this.#heard.add(name);
  }
}

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

const describeWithBoth = isRedisThere ? describeWithAnvil : describe.skip;

describeWithBoth("three regions over one Redis", () => {
  const keep = cleanupAfterAll();
  const regions = new Map<string, Gateway>();
  const ways = new Map<string, RedisProxy>();
  const admins = new Map<Gateway, AdminClient>();
  const ear = new Ear();
  let redis: RedisServer;
  let traffic: Traffic;
  let provider = "";

  const configOf = (region: string, more: object = {}) => ({
    region,
    redis: {
      url: redis.url.replace(String(redis.port), String(ways.get(region)?.port ?? redis.port)),
    },
    cluster: { secret: SECRET, lease: `${LEASE_MS}ms` },
    chains: { one: { chain_id: 77, providers: [{ id: "a", url: provider }] } },
    ...more,
  });

  const wayOf = (region: string): RedisProxy => ways.get(region) as RedisProxy;

  const start = async (region: string): Promise<Gateway> => {
    const env = { NODE_OPTIONS: clockOff(CLOCK_MS[region] ?? 0) };
    const gateway = keep(await Gateway.start({ config: configOf(region), env }));
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

  /** Everyone has gone on speaking for a while. */
  const untilHeardOn = async () => {
    const before = ear.count;
    await eventually("they go on speaking", () => ear.count > before + 5 * regions.size);
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
          const ghosts = (await viewOf(gateway)).regions.filter(
            ({ region, names }) => names > 0 && !regions.has(region),
          );
          if (ghosts.length > 0) throw new Error(`${name} knows names of ${ghosts[0]?.region}`);
        }
        return true;
      },
      HEALED_MS,
      200,
    );

  beforeAll(async () => {
    redis = keep(await startRedis({ password: PASSWORD }));
    await ear.listen(redis.client());
    provider = keep(await startAnvil({ chainId: 77, blockTimeSec: 1 })).url;
    for (const name of ["eu", "us", "ap"]) ways.set(name, keep(await startRedisProxy(redis.port)));
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

  it("serve on while Redis is frozen for three leases, and find each other then", async () => {
    redis.child.signal("SIGSTOP");
    await eventually("us is lost", async () => (await stateAt("eu", "us")) === "lost");
    // By then each has given its connections up and waits before the frozen server for the next.
    await new Promise((resolve) => {
      setTimeout(resolve, 2 * LEASE_MS);
    });
    redis.child.signal("SIGCONT");
    await untilViewsAreEqual("after Redis went on");
  });

  it("serve on while Redis answers two seconds late, and find each other then", async () => {
    for (const way of ways.values()) way.delayMs = 1_000;
    await eventually("it is noticed", async () => {
      const text = await (await fetch(`${regions.get("eu")?.url}/metrics`)).text();
      return /^paceline_redis_up\{[^}]*\} 0$/m.test(text);
    });
    await new Promise((resolve) => {
      setTimeout(resolve, LEASE_MS);
    });
    for (const way of ways.values()) way.delayMs = 0;
    await untilViewsAreEqual("after Redis was quick again");
  });

  it("see one go that is cut off from Redis, and come back", async () => {
    wayOf("eu").isCut = true;
    await eventually("eu is lost", async () => (await stateAt("us", "eu")) === "lost");
    expect(await stateAt("ap", "us")).toBe("joined");
    await eventually("eu is apart", async () => (await stateAt("eu", "eu")) === "apart");
    wayOf("eu").isCut = false;
    await untilViewsAreEqual("after eu was cut off");
  });

  it("take one that hears only one of the others for gone there, and for present elsewhere", async () => {
    wayOf("eu").loses = (frame) => frame.includes('"r":"us"');
    await eventually("us is lost to eu", async () => (await stateAt("eu", "us")) === "lost");
    // What eu says shows that it does not hear us: to us it is as good as gone.
    await eventually("eu is lost to us", async () => (await stateAt("us", "eu")) === "lost");
    const around = await Promise.all(
      [
        ["eu", "ap"],
        ["us", "ap"],
        ["ap", "eu"],
        ["ap", "us"],
      ].map(([at = "", of = ""]) => stateAt(at, of)),
    );
    expect(new Set(around)).toEqual(new Set(["joined"]));
    wayOf("eu").loses = () => false;
    await untilViewsAreEqual("after eu heard us again");
  });

  it("share on while Redis is out of memory, and while it is read-only", async () => {
    const beside = redis.client();
    await beside.config("SET", "maxmemory", "1");
    await expect(beside.set("x", "y")).rejects.toThrow(/OOM/);
    await untilHeardOn();
    await untilViewsAreEqual("without memory");
    await beside.config("SET", "maxmemory", "0");
    await beside.replicaof("127.0.0.1", "1");
    await expect(beside.set("x", "y")).rejects.toThrow(/READONLY/);
    await untilHeardOn();
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

  it("have said nothing twice, and stayed small", async () => {
    expect(ear.count).toBeGreaterThan(100);
    expect(ear.twice.slice(0, 5)).toEqual([]);
    for (const gateway of regions.values()) {
      const text = await (await fetch(`${gateway.url}/metrics`)).text();
      const [, bytes = ""] =
        /^paceline_host_memory_bytes\{kind="rss",[^}]*\} (\S+)$/m.exec(text) ?? [];
      expect(Number(bytes)).toBeGreaterThan(0);
      expect(Number(bytes)).toBeLessThan(MAX_RSS_BYTES);
    }
  });
});
