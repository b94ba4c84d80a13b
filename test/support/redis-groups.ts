/** Several real Redis servers that belong together: a master with a replica and a Sentinel, a Cluster. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { Child } from "./child.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { type RedisServer, startRedis } from "./redis.ts";

/** A master that a Sentinel replaces when it is gone for a second. */
export interface WatchedRedis {
  readonly sentinelPort: number;
  /** Port of the server that is the master now. */
  master(): Promise<number>;
  readonly servers: readonly RedisServer[];
  stop(): Promise<void>;
}

/** What Sentinels call the master. */
export const MASTER_NAME = "main";

/** Starts a master, a replica, and one Sentinel that has seen both. */
export async function startWatchedRedis(): Promise<WatchedRedis> {
  const first = await startRedis();
  const args = ["--replicaof", `127.0.0.1 ${first.port}`];
  const second = await startRedis({ args });
  await eventually("the replica copies the master", async () =>
    (await second.client().info("replication")).includes("master_link_status:up"),
  );
  const directory = mkdtempSync(join(tmpdir(), "paceline-sentinel-"));
  const port = await freePort();
  const file = join(directory, "sentinel.conf");
  writeFileSync(
    file,
    [
      `port ${port}`,
      "bind 127.0.0.1",
      `dir ${directory}`,
      `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${first.port} 1`,
      `sentinel down-after-milliseconds ${MASTER_NAME} 1000`,
      `sentinel failover-timeout ${MASTER_NAME} 3000`,
    ].join("\n"),
  );
  const child = new Child("redis-server", [file, "--sentinel"]);
  const beside = new Redis(port, "127.0.0.1", { protocol: 2 });
  beside.on("error", () => undefined);
  await eventually("the Sentinel knows the replica", async () => {
    const replicas = await beside.call("SENTINEL", "REPLICAS", MASTER_NAME);
    return Array.isArray(replicas) && replicas.length === 1;
  });
  return {
    sentinelPort: port,
    master: async () => {
      const found = await beside.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME);
      return Number((found as readonly string[])[1]);
    },
    servers: [first, second],
    stop: async () => {
      beside.disconnect();
      await child.kill();
      rmSync(directory, { recursive: true, force: true });
      await Promise.all([first.stop(), second.stop()]);
    },
  };
}

/** A Cluster of masters. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  stop(): Promise<void>;
}

const SLOTS = 16_384;

/** Starts three masters that share all slots, and go on without one of them. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes = await Promise.all(
    [0, 1, 2].map(async () => {
      const args = ["--cluster-enabled", "yes", "--cluster-port", String(await freePort())];
      args.push("--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no");
      return startRedis({ args });
    }),
  );
  const [first] = nodes as [RedisServer];
  const ports = await Promise.all(nodes.map((node) => node.client().config("GET", "cluster-port")));
  for (const [at, node] of nodes.entries()) {
    const from = Math.floor((at * SLOTS) / nodes.length);
    const to = Math.floor(((at + 1) * SLOTS) / nodes.length) - 1;
    await node.client().call("CLUSTER", "ADDSLOTSRANGE", from, to);
    const bus = ports[at]?.[1] ?? "";
    if (at > 0) await first.client().call("CLUSTER", "MEET", "127.0.0.1", node.port, bus);
  }
  for (const node of nodes) {
    await eventually("the Cluster is whole", async () => {
      const info = String(await node.client().call("CLUSTER", "INFO"));
      return info.includes("cluster_state:ok") && info.includes("cluster_known_nodes:3");
    });
  }
  return {
    nodes,
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}
