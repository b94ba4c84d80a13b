/** The link to real servers of every kind: over TLS, with rights, with Sentinels, as a Cluster. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ACQUIRE_SCRIPT } from "../../src/cluster/lease.ts";
import {
  RedisLink,
  type RedisChange,
  type RedisLinkOptions,
  type RedisTrouble,
} from "../../src/io/redis/link.ts";
import type { RedisPlace } from "../../src/io/redis/place.ts";
import { Secret } from "../../src/lib/secret.ts";
import { ADVANCE_SCRIPT, COUNT_SCRIPT } from "../../src/rpc/clients/shared-limits.ts";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { startOldRedis } from "../support/old-redis.ts";
import { describeWithRedis, placeOf, startRedis } from "../support/redis.ts";
import { MASTER_NAME, startRedisCluster, startWatchedRedis } from "../support/redis-groups.ts";
import { TRUSTED } from "../support/tls.ts";

const links: RedisLink[] = [];
afterEach(() => {
  for (const link of links.splice(0)) link.close();
});

const linkTo = (place: RedisPlace, more: Partial<RedisLinkOptions> = {}) => {
  const changes: RedisChange[] = [];
  const troubles: RedisTrouble[] = [];
  const heard: string[] = [];
  const link = new RedisLink({
    place,
    keyPrefix: "test:",
    timeoutMs: 500,
    now: () => performance.now(),
    random: () => 0.2,
    ...more,
  });
  links.push(link);
  link.adopt({
    changed: (change) => changes.push(change),
    heard: (message) => heard.push(message.toString()),
    troubled: (trouble) => troubles.push(trouble),
  });
  link.open();
  const reasons = () => changes.flatMap(({ reason }) => reason ?? []);
  const until = (state: string) =>
    eventually(`${state}, not ${link.state}: ${reasons().join()}`, () => link.state === state);
  return { link, changes, troubles, heard, reasons, until };
};

const listenAt = (place: RedisPlace) => linkTo(place, { listensTo: "news" });

const get = (link: RedisLink, key: string) =>
  new Promise<string | undefined>((resolve) => {
    link.get(key, (value) => resolve(value?.toString()));
  });

const publish = (link: RedisLink, text: string) =>
  new Promise((resolve) => {
    link.publish("news", Buffer.from(text), resolve);
  });

describeWithRedis("the link over TLS", () => {
  const use = cleanupAfterEach();

  it("trusts the authority that it is given, and no other", async () => {
    const server = use(await startRedis({ tls: true, password: "correct-horse" }));
    const trusting = linkTo(placeOf(server.url, { tlsCa: TRUSTED.cert }));
    await trusting.until("up");
    trusting.link.set("k", Buffer.from("v"), 60_000);
    expect(await get(trusting.link, "k")).toBe("v");
    const wary = linkTo(placeOf(server.url));
    await eventually("refused", () => wary.reasons().length > 0);
    expect(wary.reasons()[0]).toMatch(/self-signed certificate/);
  });

  it("shows its certificate to a server that asks for one", async () => {
    const server = use(await startRedis({ tls: true, args: ["--tls-auth-clients", "yes"] }));
    const shown = linkTo(
      placeOf(server.url, {
        tlsCa: TRUSTED.cert,
        tlsCert: TRUSTED.cert,
        tlsKey: new Secret(TRUSTED.key),
      }),
    );
    await shown.until("up");
    const nameless = linkTo(placeOf(server.url, { tlsCa: TRUSTED.cert }));
    await eventually("refused", () => nameless.reasons().length > 0);
    expect(nameless.reasons()[0]).toMatch(/certificate required|closed|ECONNRESET/);
  });

  it("stays down where one side speaks TLS and the other does not", async () => {
    const [plain, secure] = [use(await startRedis()), use(await startRedis({ tls: true }))];
    const asking = linkTo(placeOf(plain.url.replace("redis:", "rediss:")));
    const bare = linkTo(placeOf(secure.url.replace("rediss:", "redis:")));
    for (const { link, reasons } of [asking, bare]) {
      await eventually("refused", () => reasons().length > 0);
      expect(await get(link, "k")).toBeUndefined();
    }
    expect(asking.reasons()[0]).toMatch(/no TLS handshake: .*begin with redis:/);
    expect(bare.reasons()[0]).toMatch(/if the server wants TLS, .*begin with rediss:/);
  });
});

describeWithRedis("the link to a server that grants little", () => {
  const use = cleanupAfterEach();

  it("needs no more than the documented rights", async () => {
    const server = use(await startRedis());
    const beside = server.client();
    const docs = readFileSync(join(import.meta.dirname, "../../docs/regions.md"), "utf8");
    const [command = ""] = /^ACL SETUSER .*$/m.exec(docs) ?? [];
    const [name = "", ...words] = command.split(" ");
    await beside.call(name, ...words);
    const place = placeOf(`redis://paceline:PASSWORD@127.0.0.1:${server.port}`);
    const { link, until, troubles } = linkTo(place, { keyPrefix: "paceline:" });
    const listener = linkTo(place, { keyPrefix: "paceline:", listensTo: "news" });
    await until("up");
    await listener.until("up");
    link.set("k", Buffer.from("v"), 60_000);
    expect(await get(link, "k")).toBe("v");
    for (const script of [ADVANCE_SCRIPT, COUNT_SCRIPT, ACQUIRE_SCRIPT]) {
      const numbers = await new Promise((resolve) => {
        link.run(script, ["{one}a", "{one}b"], [1, 1_000, 1], resolve);
      });
      expect(numbers).toHaveLength(script === ACQUIRE_SCRIPT ? 2 : 1);
    }
    expect(await publish(link, "hello")).toBe(1);
    await eventually("heard", () => listener.heard.length > 0);
    expect(troubles).toEqual([]);
  });

  it("says what it may not do, once, and does the rest", async () => {
    const server = use(await startRedis());
    const rights = ["on", "nopass", "~other:*", "&*", "+@all", "-info", "-publish"];
    await server.client().call("ACL", "SETUSER", "paceline", ...rights);
    const url = `redis://paceline:any@127.0.0.1:${server.port}`;
    const { link, until, troubles } = linkTo(placeOf(url));
    await until("up");
    for (let time = 0; time < 3; time++) expect(await publish(link, "hello")).toBeUndefined();
    expect(await get(link, "k")).toBeUndefined();
    expect(troubles).toHaveLength(1);
    expect(troubles[0]).toMatchObject({ kind: "NOPERM", reason: expect.stringMatching(/publish/) });
    expect(link.counters.failed).toBe(4);
    const deaf = listenAt(placeOf(url.replace("paceline", "nobody")));
    await eventually("refused", () => deaf.reasons().length > 0);
    expect(deaf.reasons()[0]).toMatch(/WRONGPASS/);
  });

  it("says that it is out of memory, that it is a replica, that a value is not ours", async () => {
    const server = use(await startRedis());
    const beside = server.client();
    const first = linkTo(placeOf(server.url));
    await first.until("up");
    await beside.lpush("test:list", "garbage");
    expect(await get(first.link, "list")).toBeUndefined();
    await beside.config("SET", "maxmemory", "1");
    first.link.set("k", Buffer.from("v"), 60_000);
    await eventually("told", () => first.troubles.length === 2);
    expect(first.troubles.map(({ kind }) => kind)).toEqual(["WRONGTYPE", "OOM"]);
    await beside.config("SET", "maxmemory", "0");
    await beside.replicaof("127.0.0.1", "1");
    const second = linkTo(placeOf(server.url));
    await second.until("up");
    expect(second.troubles).toMatchObject([{ kind: "READONLY" }]);
    expect(second.troubles[0]?.reason).toMatch(/copies another one/);
  });
});

describe("the link to a server that is too old", () => {
  const use = cleanupAfterEach();

  it("stays down and says which version it found, and which it needs", async () => {
    const old = linkTo(placeOf(use(await startOldRedis("4.0.14")).url));
    await eventually("refused", () => old.reasons().length > 0);
    expect(old.reasons()[0]).toBe("Redis 4.0.14 is too old: 5.0 or newer is needed");
    const young = linkTo(placeOf(use(await startOldRedis("5.0.0")).url));
    await young.until("up");
    const unheardOf = linkTo(placeOf(use(await startOldRedis("unstable")).url));
    await unheardOf.until("up");
  });
});

describeWithRedis("the link to a master that Sentinels watch", () => {
  const use = cleanupAfterEach();

  it("finds the next master by itself, past a Sentinel that is gone", async () => {
    const watched = use(await startWatchedRedis());
    const sentinels = [
      { host: "127.0.0.1", port: 1 },
      { host: "127.0.0.1", port: watched.sentinelPort },
    ];
    const place = placeOf(`redis://${MASTER_NAME}`, { sentinels });
    const { link, until } = linkTo(place);
    const listener = listenAt(place);
    await until("up");
    await listener.until("up");
    link.set("k", Buffer.from("v"), 60_000);
    expect(await get(link, "k")).toBe("v");
    const [first, second] = watched.servers;
    await first?.child.kill();
    await eventually("the replica leads", async () => (await watched.master()) === second?.port);
    await eventually("a message is heard there", async () => {
      await publish(link, "from the new master");
      return listener.heard.length > 0;
    });
    link.set("k", Buffer.from("w"), 60_000);
    await eventually("it is written to", async () => (await get(link, "k")) === "w");
  });
});

describeWithRedis("the link to a Redis Cluster", () => {
  const use = cleanupAfterEach();

  it("spreads keys, hears at each node what was said at any, and outlives the loss of one", async () => {
    const { nodes } = use(await startRedisCluster());
    const [first, ...others] = nodes.map(({ port }) => ({ host: "127.0.0.1", port }));
    const place = placeOf(`redis://127.0.0.1:${first?.port}`, { clusterNodes: others });
    const { link, until } = linkTo(place);
    await until("up");
    const listeners = nodes.map(({ port }) =>
      listenAt(placeOf(`redis://127.0.0.1:${port}`, { clusterNodes: others })),
    );
    for (const listener of listeners) await listener.until("up");
    for (let at = 0; at < 30; at++) link.set(`k${at}`, Buffer.from(`v${at}`), 60_000);
    // The first commands to a node may overtake each other while it is found.
    await eventually("all is written", () => link.pending === 0);
    for (let at = 0; at < 30; at++) expect(await get(link, `k${at}`)).toBe(`v${at}`);
    const sizes = await Promise.all(nodes.map((node) => node.client().dbsize()));
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    const numbers = await new Promise((resolve) => {
      link.run("return {redis.call('INCR', KEYS[1])}", ["counter"], [], resolve);
    });
    expect(numbers).toEqual([1]);
    // What is said before a node's bus reaches the others is lost to them.
    for (const { heard } of listeners) {
      await eventually("the nodes hear each other", async () => {
        await publish(link, "hello");
        return heard.includes("hello");
      });
    }
    for (let at = 0; at < 6; at++) await publish(link, `m${at}`);
    for (const { heard } of listeners) {
      await eventually("all is heard", () => heard.filter((text) => text !== "hello").length === 6);
    }
    await nodes[0]?.child.kill();
    const orphan = listeners[0];
    await eventually("the listener has moved on", async () => {
      await publish(link, "again");
      return orphan?.heard.includes("again");
    });
  });

  it("listens at the next node each time, however long the last connection lived", async () => {
    const servers = [use(await startRedis()), use(await startRedis()), use(await startRedis())];
    const [first, ...others] = servers.map(({ port }) => ({ host: "127.0.0.1", port }));
    const place = placeOf(`redis://127.0.0.1:${first?.port}`, { clusterNodes: others });
    let skewMs = 0;
    const now = () => performance.now() + skewMs;
    const listener = linkTo(place, { listensTo: "news", now });
    const heardAt = async () => {
      const counts = servers.map((server) => server.client().pubsub("NUMSUB", "test:news"));
      return (await Promise.all(counts)).findIndex(([, count]) => Number(count) > 0);
    };
    const seen: number[] = [];
    for (let time = 0; time < 4; time++) {
      await listener.until("up");
      seen.push(await heardAt());
      skewMs += 11_000;
      listener.link.renew("deaf");
    }
    expect(seen).toEqual([0, 1, 2, 0]);
  });
});
