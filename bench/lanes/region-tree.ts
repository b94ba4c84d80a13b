/** The processes and the two connections of one region, without a gateway around them. */
import type { Figures, RowPlace } from "../../src/cluster/boards.ts";
import { Cluster } from "../../src/cluster/cluster.ts";
import { Steering } from "../../src/cluster/steering/steering.ts";
import { RedisChannel } from "../../src/io/redis/channel.ts";
import { RedisLink } from "../../src/io/redis/link.ts";
import { Secret } from "../../src/lib/secret.ts";
import { createNode, supervisor } from "../../src/otp/index.ts";
import { cluster as clusterTree } from "../../supervisors/cluster.ts";

/** Times of a default lease. */
const TIMES = { heartbeatMs: 1_000, suspectMs: 3_500, leaseMs: 10_000, joinMs: 1_000 };
const PREFIX = "bench:";
const CHANNEL = "cluster";

/** A running region. */
export class RegionTree {
  readonly cluster: Cluster;
  /** What its races show, by chain. */
  readonly rows = new Map<string, Map<string, readonly [RowPlace, Figures]>>();
  readonly #node = createNode();
  readonly #links: readonly [RedisLink, RedisLink];
  readonly #name: string;

  constructor(name: string, url: string, chains: readonly string[]) {
    this.#name = name;
    for (const chain of chains) this.rows.set(chain, new Map());
    this.cluster = new Cluster({
      self: { region: name, instance: `${name}-${performance.now()}`, incarnation: 1 },
      secret: "a secret of the benchmark",
      channel: PREFIX + CHANNEL,
      times: TIMES,
      card: () => ({
        version: "1.0.0",
        url: "http://10.0.0.1:8545",
        chains,
        inFlight: 3,
        usableProviders: 190,
        providers: 200,
      }),
    });
    const place = {
      url: new Secret(url),
      sentinels: [],
      sentinelPassword: undefined,
      clusterNodes: [],
      tlsCa: undefined,
      tlsCert: undefined,
      tlsKey: undefined,
    };
    const link = { place, keyPrefix: PREFIX, now: () => this.nowMs(), random: Math.random };
    this.#links = [
      new RedisLink({ ...link, timeoutMs: 20 }),
      new RedisLink({ ...link, timeoutMs: 500, listensTo: CHANNEL }),
    ];
  }

  nowMs(): number {
    return this.#node.nowMs();
  }

  async start(): Promise<this> {
    const [link, listener] = this.#links;
    link.open();
    const channel = new RedisChannel(link, listener, CHANNEL);
    const { cluster } = this;
    const boards = {
      chains: () => [...this.rows.keys()],
      races: (chain: string) => [...(this.rows.get(chain)?.values() ?? [])],
      calls: () => [],
    };
    await this.#node.start(
      supervisor("root", {
        children: [
          clusterTree({
            regionPresence: { cluster, channel, redact: (text) => text },
            registrySync: { cluster, channel, names: this.#node.registry },
            leaderboardSync: { cluster, channel, boards },
            regionCommands: { steering: new Steering(cluster, () => undefined), channel },
          }),
        ],
      }),
    );
    return this;
  }

  /** How this region sees another. */
  stateOf(region: string): string | undefined {
    return this.cluster.membership.peers.get(region)?.state;
  }

  get name(): string {
    return this.#name;
  }

  async stop(): Promise<void> {
    await this.#node.stop();
    this.cut();
  }

  /** As by kill -9, as far as the others can tell. */
  cut(): void {
    for (const link of this.#links) link.close();
  }
}
