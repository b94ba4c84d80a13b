/** Rankings shared over a real Redis: two hosts, and a server that dies, freezes and is written into. */
import { afterEach, expect, it } from "vitest";
import type { RedisLink } from "../../../src/io/redis/link.ts";
import { addresses, policy, provider } from "../support.ts";
import { cleanupAfterEach } from "../../support/cleanup.ts";
import { eventually } from "../../support/eventually.ts";
import { describeWithRedis, linkTo, startRedis } from "../../support/redis.ts";
import { hostOf } from "./support.ts";

const PROVIDERS = [provider("a", 5), provider("b", 9)];
const TIMEOUT_MS = 50;

describeWithRedis("rankings shared over Redis", () => {
  const use = cleanupAfterEach();
  const links: RedisLink[] = [];
  afterEach(() => {
    for (const link of links.splice(0)) link.close();
  });

  const started = async () => {
    const server = use(await startRedis());
    const host = async () => {
      const link = await linkTo(server, { timeoutMs: TIMEOUT_MS });
      links.push(link);
      link.adopt({});
      return { link, ...hostOf(link, PROVIDERS) };
    };
    const beside = server.client();
    const keys = () => beside.keys("test:ranking:*");
    return { server, beside, keys, first: await host(), second: await host() };
  };

  it("are heard by the host that did not make them, and live as long as they are good", async () => {
    const { beside, keys, first, second } = await started();
    await first.pair({ policy: policy() });
    await eventually("it is written", async () => (await keys()).length === 1);
    const [key = ""] = await keys();
    expect(await beside.pttl(key)).toBeGreaterThan(10_000);
    expect(await beside.pttl(key)).toBeLessThanOrEqual(30_000);
    const heard = await second.pair({ policy: policy() });
    expect([heard.cache, addresses(heard)]).toEqual(["hit", ["b", "a"]]);
    expect(second.shared.counts).toMatchObject({ hit: 1, written: 0 });
  });

  it("that somebody else writes are refused, counted, and made here", async () => {
    const { beside, keys, first, second } = await started();
    await first.pair({ policy: policy() });
    await eventually("it is written", async () => (await keys()).length === 1);
    const [key = ""] = await keys();
    await beside.set(key, "PLK1 and whatever else");
    expect(addresses(await second.pair({ policy: policy() }))).toEqual(["b", "a"]);
    expect(second.shared.counts).toMatchObject({ hit: 0, refused: 1 });
    // A value of another type is an error of the server, hence no answer.
    await beside.del(key);
    await beside.lpush(key, "a list");
    second.market.cache.clear();
    expect(addresses(await second.pair({ policy: policy() }))).toEqual(["b", "a"]);
    expect(second.shared.counts).toMatchObject({ hit: 0, refused: 1, miss: 1 });
  });

  it("are made here while Redis is gone, and shared again once it is back", async () => {
    const { server, keys, first, second } = await started();
    await server.child.kill();
    await eventually("the loss is noticed", () => !first.link.isUp && !second.link.isUp);
    const asked = { policy: policy({ minStake: 1n }) };
    expect(addresses(await first.pair(asked))).toEqual(["b", "a"]);
    expect(first.shared.counts).toMatchObject({ miss: 0, written: 0 });
    await server.restart();
    await eventually("both are back", () => first.link.isUp && second.link.isUp, 15_000);
    first.market.cache.clear();
    await first.pair(asked);
    await eventually("it is written", async () => (await keys()).length === 1);
    await second.pair(asked);
    expect(second.shared.counts.hit).toBe(1);
  });

  it("are waited for no longer than the deadline while Redis is frozen, and then not at all", async () => {
    const { server, first } = await started();
    server.child.signal("SIGSTOP");
    try {
      const asked = Array.from({ length: 20 }, (_, i) => ({ policy: policy(), top: i + 1 }));
      const results = await Promise.all(asked.map((one) => first.pair(one)));
      expect(results.map((result) => addresses(result).length)).toEqual(
        asked.map(({ top }) => Math.min(2, top)),
      );
      expect(first.shared.counts).toMatchObject({ hit: 0, miss: 20 });
      await eventually("the freeze is noticed", () => !first.link.isUp);
      await first.pair({ policy: policy({ minStake: 3n }) });
      expect(first.shared.counts.miss).toBe(20);
    } finally {
      server.child.signal("SIGCONT");
    }
  });
});
