/** Joins what regions share to this host: its names, its leaderboards, its two connections. */
import { randomBytes } from "node:crypto";
import type { Config } from "../../config/schema.ts";
import type { ClusterParts } from "../../supervisors/cluster.ts";
import { callRows, raceRows } from "../cluster/boards.ts";
import { Cluster, loneView } from "../cluster/cluster.ts";
import type { MembershipTimes } from "../cluster/membership.ts";
import type { RegionCard } from "../cluster/protocol.ts";
import { RedisChannel } from "../io/redis/channel.ts";
import type { RedisLink } from "../io/redis/link.ts";
import { methodClassOf } from "../ops/metrics/method-class.ts";
import type { ClusterPort } from "../ops/regions/port.ts";
import { isProviderUsable } from "../ops/status.ts";
import type { ChainView } from "../ops/views.ts";
import type { Node } from "../otp/index.ts";
import type { EvidenceBook } from "../rpc/evidence/evidence-book.ts";
import { askNobody, makeSteering, type SteeringSources } from "./steering.ts";
import { type HostHelp, makeHelp } from "./help.ts";
import { makeRedis } from "./redis.ts";
import { version } from "./version.ts";

/** Below the prefix of all keys. */
const CHANNEL = "cluster";
/** Heartbeats within a lease; some may be lost before a region is suspected. */
const BEATS = 10;
const SUSPECT_BEATS = 3.5;
/** How long a starting region waits for whoever has its name, ms. */
const JOIN_MS = 1_000;
/** Bytes of an instance's number. */
const INSTANCE_BYTES = 9;

/** What the cluster is made of. */
export interface ClusterSources extends Pick<SteeringSources, "admin" | "grants"> {
  readonly config: Config;
  /** Undefined without a configured Redis. */
  readonly redis: RedisLink | undefined;
  readonly node: Node;
  readonly card: () => RegionCard;
  readonly books: () => ReadonlyMap<string, EvidenceBook>;
  /** Whether reads of a chain are taken from other regions. */
  readonly offersHelp: (chain: string) => boolean;
  readonly redact: (text: string) => string;
}

/** What this region says of itself. */
export const regionCard = (
  chains: readonly ChainView[],
  url: string,
  inFlight: number,
  helps: readonly string[],
  nowMs: number,
): RegionCard => {
  const providers = chains.flatMap((chain) => chain.providers);
  return {
    version,
    url,
    chains: chains.map(({ name }) => name),
    inFlight,
    usableProviders: providers.filter((provider) => isProviderUsable(provider, nowMs)).length,
    providers: providers.length,
    helps,
  };
};

/** The cluster of this host; without parts nothing is shared. */
export interface HostCluster {
  readonly parts: ClusterParts | undefined;
  readonly port: ClusterPort;
  readonly help: HostHelp | undefined;
}

/** Makes it; nothing is opened before its processes start. */
export const makeCluster = (sources: ClusterSources): HostCluster => {
  const { config, redis, node, card } = sources;
  const { secret } = config.cluster;
  const now = () => node.nowMs();
  const channelName = config.redis.keyPrefix + CHANNEL;
  // It asks nothing that a request waits for, and may be patient.
  const patient = { timeoutMs: LISTEN_TIMEOUT_MS, listensTo: CHANNEL };
  const listener = secret === undefined ? undefined : makeRedis(config.redis, now, patient);
  if (redis === undefined || secret === undefined || listener === undefined) {
    return { parts: undefined, port: lonePort(sources), help: undefined };
  }
  const cluster = new Cluster({
    self: {
      region: config.region,
      instance: randomBytes(INSTANCE_BYTES).toString("base64url"),
      incarnation: 1,
    },
    secret: secret.reveal(),
    channel: channelName,
    times: timesOf(config.cluster.leaseMs),
    card,
  });
  const channel = new RedisChannel(redis, listener, CHANNEL);
  const { steering, command } = makeSteering(cluster, sources);
  const help = makeHelp({
    config,
    cluster,
    secret: secret.reveal(),
    channel: channelName,
    now,
    offers: sources.offersHelp,
    tell: (kind, message) =>
      node.emit("cluster.help.refused", { kind, reason: sources.redact(message) }),
  });
  return {
    help,
    parts: {
      regionPresence: { cluster, channel, redact: sources.redact },
      registrySync: { cluster, channel, names: node.registry },
      leaderboardSync: { cluster, channel, boards: boardsOf(sources) },
      regionCommands: { steering, channel },
    },
    port: {
      view: () => ({ ...cluster.view(now()), help: help.view() }),
      boardsOf: (chain) => cluster.boardsOf(chain, now()),
      select: (prefix, limit, region) => {
        const own = region === undefined || region === config.region;
        const here = own ? namesOf(node, config.region, prefix).slice(0, limit) : [];
        return [...here, ...cluster.select(prefix, limit - here.length, region)];
      },
      command,
    },
  };
};

const LISTEN_TIMEOUT_MS = 500;

const timesOf = (leaseMs: number): MembershipTimes => ({
  leaseMs,
  heartbeatMs: leaseMs / BEATS,
  suspectMs: (leaseMs / BEATS) * SUSPECT_BEATS,
  joinMs: JOIN_MS,
});

const namesOf = (node: Node, region: string, prefix: string) =>
  node.registry.select(prefix).map(({ name, pid }) => ({ region, name, pid }));

const lonePort = ({ config, node, card }: ClusterSources): ClusterPort => ({
  view: () => loneView(config.region, card()),
  boardsOf: () => [],
  select: (prefix, limit, region) =>
    region === undefined || region === config.region
      ? namesOf(node, config.region, prefix).slice(0, limit)
      : [],
  command: askNobody,
});

const boardsOf = ({ books }: ClusterSources): ClusterParts["leaderboardSync"]["boards"] => ({
  chains: () => [...books().keys()],
  races: (chain, nowMs) => raceRows(chain, books().get(chain)?.raceMatrix(nowMs) ?? []),
  calls: (chain, nowMs) =>
    callRows(chain, books().get(chain)?.callMatrix(nowMs) ?? [], methodClassOf),
});
