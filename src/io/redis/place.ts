/** Where Redis is, and the clients that ioredis makes for it: one server, Sentinels, or a Cluster. */
import type { Cluster, Redis } from "ioredis";
import type { RedisHost } from "../../../config/schema.ts";
import type { Secret } from "../../lib/secret.ts";

/** Where Redis is, and how to sign in. */
export interface RedisPlace {
  readonly url: Secret;
  /** Sentinels; the URL's host is then the name of the master that they watch. */
  readonly sentinels: readonly RedisHost[];
  readonly sentinelPassword: Secret | undefined;
  /** Nodes of a Redis Cluster beside the URL's own. */
  readonly clusterNodes: readonly RedisHost[];
  /** PEM: the authority to trust in place of the system's, and this client's certificate with its key. */
  readonly tlsCa: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: Secret | undefined;
}

/** What a link asks of a client, whichever it is. */
export type RedisClient = Pick<
  Redis,
  | "connect"
  | "disconnect"
  | "eval"
  | "getBuffer"
  | "info"
  | "ping"
  | "publish"
  | "set"
  | "subscribe"
> & {
  readonly stream?: Redis["stream"];
  on(event: "end", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "messageBuffer", listener: (channel: Buffer, message: Buffer) => void): unknown;
};

/** ioredis, loaded when it is needed. */
export interface Clients {
  readonly Redis: typeof Redis;
  readonly Cluster: typeof Cluster;
}

/** A connection that does not come up is given up after this time, ms. */
export const CONNECT_MS = 5_000;
/** One Sentinel of several may take so long, ms. */
const SENTINEL_MS = 1_500;

/** ioredis as a bare wire: retries, queues and checks are ours. */
const BARE = {
  protocol: 2,
  enableReadyCheck: false,
  disableClientInfo: true,
  autoResendUnfulfilledCommands: false,
  connectTimeout: CONNECT_MS,
} as const;

const SINGLE = {
  ...BARE,
  lazyConnect: true,
  enableOfflineQueue: false,
  retryStrategy: null,
} as const;

/**
 * A client that is not connected yet. Each dial begins at the next Sentinel, and each listener at
 * the next node: what is published at one node of a Cluster is heard at all of them.
 */
export const makeClient = (
  { Redis: One, Cluster: Many }: Clients,
  place: RedisPlace,
  dial: number,
  isListener: boolean,
): RedisClient => {
  const url = place.url.reveal();
  const tls = tlsOf(place);
  if (place.sentinels.length > 0) {
    return new One(url, {
      ...SINGLE,
      ...(tls === undefined
        ? {}
        : { tls, sentinelTLS: tls, enableTLSForSentinelMode: true as const }),
      connectTimeout: SENTINEL_MS,
      sentinels: turned(place.sentinels, dial).map((host) => ({ ...host })),
      name: masterName(url),
      sentinelRetryStrategy: () => null,
      ...(place.sentinelPassword && { sentinelPassword: place.sentinelPassword.reveal() }),
    });
  }
  if (place.clusterNodes.length === 0) return new One(url, { ...SINGLE, ...(tls && { tls }) });
  const seeds = [hostOf(url), ...place.clusterNodes];
  const [next = hostOf(url)] = turned(seeds, dial);
  if (isListener) return new One(urlAt(url, next), { ...SINGLE, ...(tls && { tls }) });
  return new Many([...seeds], {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: null,
    slotsRefreshTimeout: SENTINEL_MS,
    // A certificate is of a name: nodes are not reached by what the name resolves to.
    ...(tls && { dnsLookup: (address, done) => done(null, address) }),
    redisOptions: { ...BARE, ...signInOf(url), ...(tls && { tls }) },
  });
};

/** Why no connection came up, in words that help; without a cause its time was over. */
export const failureOf = (
  place: RedisPlace,
  { stream }: RedisClient,
  cause: string | undefined,
): string => {
  const isTls = tlsOf(place) !== undefined;
  if (cause === undefined) {
    const isSilent = isTls && stream !== undefined && "secureConnecting" in stream;
    return isSilent && stream.secureConnecting === true
      ? "no TLS handshake: if the server speaks no TLS there, let redis.url begin with redis://"
      : "connecting took too long";
  }
  return !isTls && HUNG_UP.test(cause)
    ? `${cause}: if the server wants TLS, let redis.url begin with rediss://`
    : cause;
};

/** A server that wants TLS hangs up on whoever does not greet it so. */
const HUNG_UP = /ECONNRESET|EPIPE|closed/i;

/** What has to be trusted and shown over TLS; undefined without it. */
const tlsOf = ({ url, tlsCa, tlsCert, tlsKey }: RedisPlace) =>
  url.reveal().toLowerCase().startsWith("rediss:")
    ? {
        ...(tlsCa !== undefined && { ca: tlsCa }),
        ...(tlsCert !== undefined && { cert: tlsCert }),
        ...(tlsKey !== undefined && { key: tlsKey.reveal() }),
      }
    : undefined;

/** The same hosts, beginning with another one each time. */
const turned = (hosts: readonly RedisHost[], by: number): readonly RedisHost[] => {
  const at = by % hosts.length;
  return [...hosts.slice(at), ...hosts.slice(0, at)];
};

const masterName = (url: string): string => decodeURIComponent(new URL(url).hostname);

const hostOf = (url: string): RedisHost => {
  const { hostname, port } = new URL(url);
  return { host: hostname.replaceAll(/[[\]]/g, ""), port: Number(port || DEFAULT_PORT) };
};

const urlAt = (url: string, { host, port }: RedisHost): string => {
  const at = new URL(url);
  at.hostname = host.includes(":") ? `[${host}]` : host;
  at.port = String(port);
  return at.href;
};

const signInOf = (url: string) => {
  const { username, password } = new URL(url);
  return {
    ...(username !== "" && { username: decodeURIComponent(username) }),
    ...(password !== "" && { password: decodeURIComponent(password) }),
  };
};

const DEFAULT_PORT = 6_379;
