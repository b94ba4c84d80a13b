/** Real Redis servers for tests: Debian's redis-server. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe } from "vitest";
import { Redis } from "ioredis";
import { RedisLink, type RedisLinkOptions } from "../../src/io/redis/link.ts";
import type { RedisPlace } from "../../src/io/redis/place.ts";
import { Secret } from "../../src/lib/secret.ts";
import { Child } from "./child.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { TRUSTED } from "./tls.ts";

/** A running server. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly child: Child;
  /** A client beside the gateway's, to look at what is stored and to spoil it. */
  client(): Redis;
  /** Starts it again on the same port after it was killed. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** How a server is started. */
export interface RedisServerOptions {
  readonly password?: string;
  /** It speaks TLS alone, and shows `TRUSTED`. */
  readonly tls?: boolean;
  /** Further options, as the command line takes them. */
  readonly args?: readonly string[];
}

/** redis-server is installed. */
export const isRedisThere = (process.env["PATH"] ?? "")
  .split(delimiter)
  .some((folder) => existsSync(join(folder, "redis-server")));

if (!isRedisThere && process.env["CI"] === "true") {
  throw new Error("redis-server is missing: install Debian's package redis-server");
}
if (!isRedisThere)
  console.log("skipped: tests with a real Redis, because redis-server is not installed");

/** `describe` for tests that need a real server; skipped with a printed reason where there is none. */
export const describeWithRedis = describe.skipIf(!isRedisThere);

/** Where a link finds a server. */
export const placeOf = (url: string, more: Partial<RedisPlace> = {}): RedisPlace => ({
  url: new Secret(url),
  sentinels: [],
  sentinelPassword: undefined,
  clusterNodes: [],
  tlsCa: undefined,
  tlsCert: undefined,
  tlsKey: undefined,
  ...more,
});

/** A link of ours to a server, once it is up. */
export async function linkTo(
  { url }: Pick<RedisServer, "url">,
  more: Partial<RedisLinkOptions> = {},
): Promise<RedisLink> {
  const link = new RedisLink({
    place: placeOf(url),
    keyPrefix: "test:",
    timeoutMs: 1_000,
    now: () => performance.now(),
    random: () => 0,
    ...more,
  });
  link.open();
  await eventually("the link is up", () => link.isUp);
  return link;
}

/** Starts a server without persistence on a free port and waits until it answers. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), "paceline-redis-"));
  const port = await freePort();
  const args = ["--bind", "127.0.0.1", "--dir", directory];
  args.push(...(options.tls === true ? tlsArgs(directory, port) : ["--port", String(port)]));
  args.push("--save", "", "--appendonly", "no", "--daemonize", "no");
  if (options.password !== undefined) args.push("--requirepass", options.password);
  args.push(...(options.args ?? []));
  const launch = async (): Promise<Child> => {
    const child = new Child("redis-server", args);
    await child.waitFor(/Ready to accept connections/);
    return child;
  };
  const auth = options.password === undefined ? "" : `:${options.password}@`;
  const scheme = options.tls === true ? "rediss" : "redis";
  const url = `${scheme}://${auth}127.0.0.1:${port}`;
  const tls = options.tls === true ? { tls: { ca: TRUSTED.cert } } : {};
  const clients: Redis[] = [];
  let child = await launch();
  return {
    url,
    port,
    get child() {
      return child;
    },
    client: () => {
      const client = new Redis(url, { protocol: 2, ...tls });
      client.on("error", () => undefined);
      clients.push(client);
      return client;
    },
    restart: async () => {
      await child.kill();
      child = await launch();
    },
    stop: async () => {
      for (const client of clients) client.disconnect();
      await child.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const tlsArgs = (directory: string, port: number): readonly string[] => {
  const [cert, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  writeFileSync(cert, TRUSTED.cert);
  writeFileSync(key, TRUSTED.key);
  const files = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert];
  return ["--port", "0", "--tls-port", String(port), ...files, "--tls-auth-clients", "no"];
};
