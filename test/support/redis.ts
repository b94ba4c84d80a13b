/** Real Redis servers for tests: Debian's redis-server. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe } from "vitest";
import { Redis } from "ioredis";
import { Child } from "./child.ts";
import { freePort } from "./free-port.ts";

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
}

const isThere = (process.env["PATH"] ?? "")
  .split(delimiter)
  .some((folder) => existsSync(join(folder, "redis-server")));

if (!isThere && process.env["CI"] === "true") {
  throw new Error("redis-server is missing: install Debian's package redis-server");
}
if (!isThere)
  console.log("skipped: tests with a real Redis, because redis-server is not installed");

/** `describe` for tests that need a real server; skipped with a printed reason where there is none. */
export const describeWithRedis = describe.skipIf(!isThere);

/** Starts a server without persistence on a free port and waits until it answers. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), "paceline-redis-"));
  const port = await freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory];
  args.push("--save", "", "--appendonly", "no", "--daemonize", "no");
  if (options.password !== undefined) args.push("--requirepass", options.password);
  const launch = async (): Promise<Child> => {
    const child = new Child("redis-server", args);
    await child.waitFor(/Ready to accept connections/);
    return child;
  };
  const auth = options.password === undefined ? "" : `:${options.password}@`;
  const clients: Redis[] = [];
  let child = await launch();
  return {
    url: `redis://${auth}127.0.0.1:${port}`,
    port,
    get child() {
      return child;
    },
    client: () => {
      const client = new Redis(`redis://${auth}127.0.0.1:${port}`, { protocol: 2 });
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
